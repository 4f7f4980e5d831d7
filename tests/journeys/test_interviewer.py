"""The interviewer's day: a whole visit on the tablet, signed once, with a form that was not asked, the question about the arm, a report."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits.models import VisitOutcome
from tests import world
from tests.unit.assessments.small_trial import Trial
from trial.core import clock, side
from trial.participants.models import UnblindingReport

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def imr(live: str, settings: Any) -> Trial:
    """The IMR trial with its baseline recorded and its participant randomized; T2 can be held."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    trial = Trial("imr")
    with world.at_work(world.SETUP) as by:
        for one in trial.protocol.instruments_at("T1"):
            record(trial, "T1", one.code, by)
    trial.randomize(move_clock=False)
    with world.at_work(world.SETUP) as by:
        for one in trial.protocol.instruments_at("T2"):
            if one.code not in ("asi", "bsi", "sers", "sfs"):
                record(trial, "T2", one.code, by)
    return trial


def record(trial: Trial, visit: str, instrument: str, by: Any) -> None:
    items = trial.protocol.instrument(instrument).items
    answers = {item.code: str(item.limits[n % 2]) for n, item in enumerate(items)}
    if instrument == "background":
        answers |= {"admissions": "1", "hospital": "1"}
    entry.record_form(
        participant=trial.participant, visit=visit, instrument=instrument, answers=answers, held_on=clock.today(), by=by
    )


def test_a_whole_visit(imr: Trial, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page = new_page(width="tablet")
    sign_in(page, "anna")
    number = imr.participant.number
    page.goto("/assessments/?state=upcoming")
    expect(page.get_by_role("heading", name="Interviews", level=1)).to_be_visible()
    check_axe(page)
    page.goto(f"/assessments/{number}/visits/T2/")
    check_axe(page)
    page.get_by_role("link", name="Begin Addiction").click()
    page.get_by_label("Alcohol and drugs").fill("3")
    page.get_by_role("button", name="Check and go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Brief Symptom Inventory")
    page.get_by_role("link", name="This form was not asked").click()
    page.get_by_label("Not asked", exact=True).check()
    check_axe(page)
    page.get_by_role("button", name="Record that it was not asked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Social Functioning Scale")
    for box in page.get_by_role("textbox").all():
        box.fill("5")
    for row in page.locator("[data-scale-row]").all():
        row.locator("input").nth(5).check(force=True)
    page.get_by_role("button", name="Check and go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Self-Esteem Rating Scale, short form")
    for row in page.locator("[data-scale-row]").all():
        row.locator("input").nth(3).check(force=True)
    page.get_by_role("button", name="Check and go on").click()
    expect(page.get_by_text("Every item has the same answer")).to_be_visible()
    check_axe(page)
    page.get_by_label("I have looked again").check()
    page.get_by_role("button", name="The form is complete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign 4 forms")
    page.get_by_label("Your user name").fill("anna")
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Sign 4 forms").click()
    expect(page).to_have_title("Error: Sign 4 forms – IMR")
    check_axe(page)
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign 4 forms").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("After the interview")
    page.get_by_label("No", exact=True).check()
    check_axe(page)
    page.get_by_role("button", name="Close the visit").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    page.get_by_role("link", name="I was told the arm").click()
    check_axe(page)
    expect(page.locator("input:checked")).to_have_count(0)  # nothing is chosen beforehand
    page.get_by_label("Family or friends said it").check()
    page.get_by_label("What happened").fill("the canary sang")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sent")
    expect(page.locator("main")).not_to_contain_text("canary")
    check_axe(page)
    with imr.at_work("anna"):
        assert not Form.objects.filter(visit="T2", state="draft").exists()
        assert VisitOutcome.objects.get(visit="T2").outcome == "attended"
    with side.unblinded(), world.at_work(world.SETUP, on=side.UNBLINDED):
        told = UnblindingReport.objects.get()
        assert (told.visit, told.source, told.believed_arm, told.words) == ("T2", "family", "", "the canary sang")


def test_a_query_becomes_an_amendment(imr: Trial, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    """The data manager asks, the interviewer amends and signs, the data manager closes."""
    world.make_user("manager", "datamanager")
    manager, anna = new_page(), new_page(width="tablet")
    sign_in(manager, "manager")
    manager.goto(f"/assessments/forms/?participant={imr.participant.number}&visit=T1&instrument=asi")
    check_axe(manager)
    manager.get_by_role("table").get_by_role("link").first.click()
    manager.get_by_role("link", name="Ask about asi_24").click()
    expect(manager.get_by_text("Never write an arm")).to_be_visible()
    manager.get_by_label("A value is hard to believe").check()
    manager.get_by_label("Question").fill("Was it asked for the last 30 days?")
    check_axe(manager)
    manager.get_by_role("button", name="Raise the query").click()
    expect(manager.get_by_text("Open", exact=True)).to_be_visible()
    check_axe(manager)

    sign_in(anna, "anna")
    check_axe(anna)
    anna.get_by_role("link", name="Answer the query about").click()
    expect(anna.get_by_text("Was it asked for the last 30 days?")).to_be_visible()
    anna.get_by_label("It was wrong, and is corrected").check()
    check_axe(anna)
    anna.get_by_role("button", name="Record the answer").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("Correct Addiction Severity Index, item 24")
    expect(anna.get_by_label("Alcohol and drugs", exact=True)).to_have_value("")
    anna.get_by_label("Alcohol and drugs", exact=True).fill("12")
    anna.get_by_label("It was typed wrongly").check()
    anna.get_by_label("Your user name").fill("anna")
    anna.get_by_label("Your password").fill(world.PASSWORD)
    check_axe(anna)
    anna.get_by_role("button", name="Sign the amendment").click()
    expect(anna.get_by_text("Answered", exact=True).first).to_be_visible()
    check_axe(anna)

    manager.goto("/participants/lock/")
    expect(manager.get_by_text("Queries that are not settled")).to_be_visible()
    check_axe(manager)
    manager.goto("/")
    check_axe(manager)
    manager.get_by_role("link", name="Look at the answer about").click()
    manager.get_by_role("link", name="The form with its answers").click()
    expect(manager.get_by_role("table").filter(has_text="asi_24").first).to_contain_text("12")
    expect(manager.get_by_text("It was typed wrongly").first).to_be_visible()
    check_axe(manager)
    manager.go_back()
    manager.get_by_label("Close it").check()
    check_axe(manager)
    manager.get_by_role("button", name="Record this step").click()
    expect(manager.get_by_text("Closed", exact=True).first).to_be_visible()
    manager.get_by_role("link", name="Queries", exact=True).first.click()
    check_axe(manager)
    manager.goto("/participants/lock/")
    expect(manager.get_by_label("Your password")).to_be_visible()
