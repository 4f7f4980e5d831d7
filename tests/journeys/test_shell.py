"""The way in and the first page, in a browser: both sides, three widths, light and dark, with and without script."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]


@pytest.mark.journey
@pytest.mark.parametrize(("width", "dark"), [("phone", True), ("tablet", False), ("desk", False), ("desk", True)])
def test_pages_before_signing_in_have_no_barrier(
    width: str, dark: bool, new_page: NewPage, check_axe: CheckAxe, settings: Any
) -> None:
    settings.DEMO = True
    world.open_trial()
    world.make_user("carla", "coordinator", _a_site())
    world.make_user("thea", "treatment", _a_site())
    page = new_page(width=width, dark=dark)
    for address in ("/login/?side=other", "/unblinded/login/", "/nowhere/", "/unblinded/nowhere/"):
        page.goto(address)
        check_axe(page)
    page.goto("/login/")
    expect(page.get_by_text("carla")).to_be_visible()
    expect(page.get_by_text("thea")).to_have_count(0)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="User name: Type your user name.")).to_be_visible()
    check_axe(page)


@pytest.mark.journey
def test_too_many_failures_are_told(new_page: NewPage, check_axe: CheckAxe) -> None:
    world.open_trial()
    world.make_user("carla", "coordinator", _a_site())
    page = new_page()
    page.goto("/login/")
    for password in [*["wrong"] * 5, world.PASSWORD]:
        page.get_by_label("User name").fill("carla")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many failed attempts.")
    check_axe(page)


@pytest.mark.journey
@pytest.mark.parametrize("script", [True, False])
def test_people_of_both_sides_sign_in_and_out(script: bool, new_page: NewPage, sign_in: SignIn) -> None:
    world.open_trial()
    world.make_user("coordinator", "coordinator", _a_site())
    world.make_user("treatment", "treatment", _a_site())
    page = new_page(script=script)
    sign_in(page, "coordinator")
    assert page.url.endswith("/")
    expect(page.get_by_text("Open side", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(page.url.split("/login/")[0] + "/login/")
    sign_in(page, "treatment")
    assert page.url.endswith("/unblinded/")
    expect(page.get_by_role("complementary", name="Side").get_by_text("Unblinded side")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    assert page.url.endswith("/unblinded/login/")


def _a_site() -> str:
    return world.read("imr").sites[0].code
