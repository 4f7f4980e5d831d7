"""All components in a browser: no barrier at any width, light and dark, on either side; keyboard, figures and print."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

NewPage = Callable[..., Page]
PATIENT = 60_000  # the first figure of a process starts an engine
CheckAxe = Callable[[Page], None]


@pytest.mark.journey
@pytest.mark.parametrize("address", ["/gallery/", "/gallery/?side=unblinded&errors=1", "/gallery/confirm/"])
@pytest.mark.parametrize(("width", "dark"), [("phone", True), ("tablet", False), ("desk", False), ("desk", True)])
def test_components_have_no_barrier(
    address: str, width: str, dark: bool, new_page: NewPage, check_axe: CheckAxe
) -> None:
    page = new_page(width=width, dark=dark)
    page.goto(address, timeout=PATIENT)
    check_axe(page)


@pytest.mark.journey
@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_error_pages_have_no_barrier(status: int, new_page: NewPage, check_axe: CheckAxe) -> None:
    page = new_page(width="phone")
    page.goto(f"/gallery/errors/{status}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check_axe(page)


@pytest.mark.journey
def test_number_keys_answer_a_scale_and_move_on(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/gallery/", timeout=PATIENT)
    expect(page.locator("[data-scale-done]")).to_have_text("2")
    page.locator("#id_item_2_0").focus()
    page.keyboard.press("4")
    expect(page.locator("#id_item_2_3")).to_be_checked()
    expect(page.locator("#id_item_3_4")).to_be_focused()
    page.keyboard.press("1")
    page.keyboard.press("9")
    expect(page.locator("#id_item_3_0")).to_be_checked()
    expect(page.locator("#id_item_4_0")).to_be_focused()
    expect(page.locator("[data-scale-done]")).to_have_text("3")
    assert page.locator("[name=item_4]:checked").count() == 0


@pytest.mark.journey
def test_answers_are_saved_by_themselves_and_the_page_says_so(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/gallery/", timeout=PATIENT)
    page.locator("#id_item_2_0").focus()
    page.keyboard.press("2")
    expect(page.locator("#save-state")).to_have_text("Not saved yet.")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    page.evaluate("console.error = () => {}")  # htmx says there what the page says in words
    page.context.set_offline(True)
    page.locator("#id_item_2_0").focus()
    page.keyboard.press("3")
    expect(page.locator("#save-state")).to_contain_text("Waiting for the connection")
    expect(page.locator("#id_item_2_2")).to_be_checked()


@pytest.mark.journey
def test_a_figure_is_drawn_without_script_and_can_be_explored_with_it(new_page: NewPage) -> None:
    plain = new_page(script=False)
    plain.goto("/gallery/", timeout=PATIENT)
    drawn = plain.locator(".figure-canvas .figure-light").first
    expect(drawn).to_be_visible()
    assert drawn.evaluate("image => image.naturalWidth") > 400
    page = new_page(dark=True)
    page.goto("/gallery/", timeout=PATIENT)
    for image in page.locator(".figure-canvas img").all():
        assert image.evaluate("image => image.naturalWidth") > 300
        expect(image).to_be_visible(visible=image.get_attribute("class") == "figure-dark")
    assert page.evaluate("performance.getEntriesByType('resource').filter(r => r.name.includes('vega')).length") == 0
    figure = page.locator("[data-chart]").first
    figure.get_by_role("button", name="Explore the values").click()
    expect(figure.locator("canvas")).to_be_visible()
    expect(figure.locator(".figure-still")).to_be_hidden()
    figure.get_by_role("button", name="Show the still figure").click()
    expect(figure.locator(".figure-still")).to_be_visible()


@pytest.mark.journey
def test_errors_are_listed_first_and_lead_to_their_fields(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/gallery/?errors=1", timeout=PATIENT)
    assert page.title().startswith("Error:")
    expect(page.locator("[data-error-summary]").last).to_be_visible()
    page.get_by_role("link", name="November 2026 has 30 days").click()
    expect(page.locator("#id_seen_0")).to_be_focused()
    expect(page.locator("#id_seen_0")).to_have_value("31")


@pytest.mark.journey
def test_long_work_is_asked_until_it_is_over(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/gallery/", timeout=PATIENT)
    expect(page.get_by_role("link", name="Show the result")).to_be_visible()


@pytest.mark.journey
@pytest.mark.parametrize("script", [True, False])
def test_print_is_light_and_carries_trial_and_side_on_each_sheet(script: bool, new_page: NewPage) -> None:
    page = new_page(dark=True, script=script)
    page.goto("/gallery/?side=unblinded", timeout=PATIENT)
    page.emulate_media(media="print")
    expect(page.locator(".figure-light").first).to_be_visible()
    expect(page.locator(".figure-dark").first).to_be_hidden()
    expect(page.locator(".stations")).to_be_hidden()
    assert page.pdf(path=_kept("sheet"), prefer_css_page_size=True).startswith(b"%PDF")
    if script:
        sheet = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--print-right')")
        assert sheet == '"Unblinded side"'


def _kept(name: str) -> Path | None:
    """Where a sheet is kept to be looked at, when SHOTS names a folder."""
    return Path(os.environ["SHOTS"]) / f"{name}.pdf" if os.environ.get("SHOTS") else None


@pytest.mark.journey
@pytest.mark.parametrize("width", ["phone", "tablet", "desk"])
def test_progress_saving_and_side_stay_in_sight_and_cover_no_answer(width: str, new_page: NewPage) -> None:
    page = new_page(width=width)
    page.goto("/gallery/", timeout=PATIENT)
    bar = page.locator("[data-form-bar]:has(#save-state)")
    expect(bar).to_contain_text("2 of 8")
    expect(bar).to_contain_text("Saved")
    expect(bar).to_contain_text("Open side")
    row = page.locator("#id_item_8")
    row.evaluate("row => row.scrollIntoView({ block: 'start' })")
    over, under = bar.bounding_box(), row.bounding_box()
    assert over
    assert under
    assert over["y"] == 0
    assert over["height"] < 80
    assert under["y"] >= over["height"]
    for place in ("id_item_8_4", "id_item_3_0"):
        page.locator(f"#{place}").focus()
        over, target = bar.bounding_box(), page.locator(f"#{place}").bounding_box()
        assert over
        assert target
        assert target["y"] >= over["y"] + over["height"]
    assert bar.evaluate("bar => getComputedStyle(bar).backgroundColor").startswith("rgb(")


@pytest.mark.journey
@pytest.mark.parametrize("script", [True, False])
def test_stations_are_put_away_on_a_phone(script: bool, new_page: NewPage) -> None:
    page = new_page(width="phone", script=script)
    page.goto("/gallery/", timeout=PATIENT)
    stations = page.get_by_role("navigation", name="Stations")
    expect(stations.get_by_role("link", name="Participants")).to_be_hidden()
    header = page.locator(".topbar").bounding_box()
    assert header
    assert header["height"] < 100
    stations.get_by_text("Stations").click()
    expect(stations.get_by_role("link", name="Participants")).to_be_visible()
    wide = new_page(width="desk", script=script)
    wide.goto("/gallery/", timeout=PATIENT)
    expect(wide.get_by_role("navigation", name="Stations").get_by_role("link", name="Participants")).to_be_visible()


@pytest.mark.journey
@pytest.mark.parametrize("width", ["phone", "desk"])
def test_a_live_figure_fills_its_card_or_scrolls(width: str, new_page: NewPage) -> None:
    page = new_page(width=width)
    page.goto("/gallery/", timeout=PATIENT)
    figure = page.locator("[data-chart]").first
    still = figure.locator(".figure-light").bounding_box()
    figure.get_by_role("button", name="Explore the values").click()
    expect(figure.locator("canvas")).to_be_visible()
    expect(figure.get_by_role("button", name="Show the still figure")).to_be_enabled()
    live, room = figure.locator("canvas").bounding_box(), figure.locator(".figure-canvas").bounding_box()
    assert still
    assert live
    assert room
    if width == "desk":
        assert live["width"] > 0.9 * room["width"]
        assert still["width"] > 0.9 * room["width"]
    else:
        assert min(live["width"], still["width"]) > 600
        assert (
            figure.locator(".figure-canvas").evaluate("box => box.scrollWidth > box.clientWidth && box.tabIndex") == 0
        )
