"""An interview in the browser: by keyboard, with a lost connection, signed out in between, and closed by the question about the arm."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from assessments.entry.models import Answer, Form
from tests import world
from tests.unit.assessments.small_trial import Trial
from trial.core import clock

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def imr(live: str, settings: Any) -> Trial:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Trial("imr")


@pytest.fixture
def btheb(live: str, settings: Any) -> Trial:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Trial()


def at(trial: Trial, visit: str, instrument: str) -> str:
    return f"/assessments/{trial.participant.number}/visits/{visit}/forms/{instrument}/"


def no_dialog(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"The browser asked: {dialog.type} {dialog.message}"))


def answers(trial: Trial) -> dict[str, str]:
    with trial.at_work("anna"):
        return dict(Answer.objects.exclude(value="").values_list("item", "value"))


def test_an_interview_by_keyboard(imr: Trial, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page = new_page()
    no_dialog(page)
    sign_in(page, "anna")
    check_axe(page)
    page.locator("main").get_by_role("link", name="Interview").first.click()
    check_axe(page)
    page.get_by_role("link", name="IMR Scale, client version").click()
    check_axe(page)
    page.locator("input[name=item_imrs_c_01]").first.focus()
    for key in "343434343434":
        page.keyboard.press(key)
    expect(page.locator("#save-state")).to_contain_text("Saved")
    expect(page.locator("[data-scale-done]")).to_have_text("12")
    assert answers(imr)["imrs_c_12"] == "4"
    page.keyboard.press("5")
    page.get_by_role("button", name="Check and go on").click()  # at once: the button sends the last answer too
    expect(page.get_by_role("heading", level=1)).to_have_text("Check IMR Scale, client version")
    expect(page.get_by_text("13 of 15 items")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="The form is complete").click()
    expect(page).to_have_title("Error: Check IMR Scale, client version – IMR")
    check_axe(page)
    page.get_by_label("Reason for all items").select_option(label="Did not want to answer")
    page.get_by_role("button", name="The form is complete").click()
    expect(page.get_by_text("IMR Scale, client version is complete.")).to_be_visible()
    page.goto(f"/assessments/{imr.participant.number}/visits/T1/")
    check_axe(page)
    page.get_by_role("link", name="Sign 1 form").click()
    expect(page.get_by_text("Background, Coping")).to_be_visible()
    page.get_by_label("Your user name").fill("anna")
    page.get_by_label("Your password").fill(world.PASSWORD)
    check_axe(page)
    page.get_by_role("button", name="Sign 1 form").click()
    expect(page.get_by_text("1 form is signed.")).to_be_visible()
    with imr.at_work("anna"):
        assert Form.objects.get(instrument="imrs_client").is_signed


def test_without_connection_the_answers_wait(btheb: Trial, new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page()
    sign_in(page, "anna")
    page.goto(at(btheb, "M0", "background"))
    page.context.set_offline(True)
    page.get_by_role("group", name="Antidepressant").get_by_label("Yes").check()
    expect(page.locator("#save-state")).to_contain_text("Waiting for the connection")
    assert answers(btheb) == {}
    page.context.set_offline(False)
    expect(page.locator("#save-state")).to_contain_text("Saved")
    assert answers(btheb) == {"drug": "1"}


def test_signed_out_in_between_nothing_is_lost(btheb: Trial, new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page()
    sign_in(page, "anna")
    page.goto(at(btheb, "M0", "background"))
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("group", name="Antidepressant").get_by_label("Yes").check()
    expect(page.locator("#save-state")).to_contain_text("You are signed out")
    other = page.context.new_page()
    sign_in(other, "anna")
    other.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    assert answers(btheb) == {"drug": "1"}


def test_without_script_nothing_is_lost(btheb: Trial, new_page: NewPage, sign_in: SignIn, live: str) -> None:
    page = new_page(script=False)
    sign_in(page, "anna")
    page.goto(live + at(btheb, "M0", "background"))
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Save and go on later").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("of participant")
    assert len(answers(btheb)) == 1


def test_two_tabs_are_compared(btheb: Trial, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page = new_page()
    no_dialog(page)
    sign_in(page, "anna")
    page.goto(at(btheb, "M0", "background"))
    other = page.context.new_page()
    other.goto(at(btheb, "M0", "background"))
    other.get_by_role("group", name="Antidepressant").get_by_label("No").check()
    expect(other.locator("#save-state")).to_contain_text("Saved")
    page.get_by_role("group", name="Antidepressant").get_by_label("Yes").check()
    expect(page.get_by_role("heading", name="Compare before you save")).to_be_visible()
    check_axe(page)
    assert answers(btheb) == {"drug": "0"}
    page.get_by_role("button", name="Save the answers of this page").click()
    expect(page.get_by_role("heading", name="Compare before you save")).to_have_count(0)
    assert answers(btheb) == {"drug": "1"}


@pytest.mark.parametrize("script", [True, False])
def test_a_follow_up_ends_with_the_question(
    script: bool, btheb: Trial, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    today = clock.today()
    for instrument, given in (("background", {"drug": "1", "length": "0"}), ("bdi", {"bdi_total": "29"})):
        btheb.sign(btheb.save(btheb.open(instrument), 0, **given), 1, held_on=today)
    btheb.randomize(move_clock=False)
    page = new_page(script=script, width="tablet")
    sign_in(page, "anna")
    page.goto(at(btheb, "M2", "bdi"))
    page.get_by_label("Total score").fill("12")
    page.get_by_role("button", name="Check and go on").click()
    page.get_by_label("Your user name").fill("anna")
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign 1 form").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("After the interview")
    if script:
        check_axe(page)
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Close the visit").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
