"""The abstractor's way: a window from the work list to the sign-off, a correction, and the data manager who waits for it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.records import with_abstractor
from tests.treatment import Treatment
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.unblinded.records.models import Admission, LookUp

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def trial(live: str, settings: Any) -> Treatment:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    trial = with_abstractor(Treatment(people=2))
    for person in trial.of_arm("imr") + trial.of_arm("cau"):
        with world.at_work(world.SETUP) as by:
            record_contact(participant=person.participant, details=synthetic(person.participant.number), by=by)
    return trial


def type_day(page: Page, label: str, day: dt.date) -> None:
    group = page.get_by_role("group", name=label)
    for part, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        group.get_by_label(part).fill(str(value))


def a_stay(page: Page, first: dt.date, last: dt.date) -> None:
    type_day(page, "Admitted on", first)
    page.get_by_label("Discharged", exact=True).check()
    type_day(page, "Discharged on", last)
    page.get_by_label("Psychiatric ward, open").check()
    page.get_by_label("File of the institution").check()


def test_from_the_file_to_the_sign_off(
    trial: Treatment, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    person = trial.of_arm("imr")[0].participant
    today = clock.today()
    first = today - dt.timedelta(days=40)
    page = new_page()
    sign_in(page, "ada")
    check_axe(page)
    page.get_by_role(
        "link", name=f"Look up participant {grouped(person.number)}".replace("\N{NO-BREAK SPACE}", " ")
    ).click()
    expect(page.get_by_text(synthetic(person.number).name)).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Add an admission 365 days before T1 baseline").click()
    check_axe(page)
    a_stay(page, first, first - dt.timedelta(days=3))
    page.get_by_role("button", name="Save the admission").click()
    expect(page).to_have_title("Error: Admission of participant " + grouped(person.number) + " – IMR")
    expect(page.get_by_text("lies before the admission").first).to_be_visible()
    check_axe(page)
    a_stay(page, first, first + dt.timedelta(days=9))
    page.get_by_role("button", name="Save the admission").dblclick()
    page.get_by_role("link", name="Sign off: 365 days before T1 baseline").click()
    check_axe(page)
    page.get_by_role("button", name="Sign off as looked up, complete").click()
    expect(page.get_by_text("Looked up").first).to_be_visible()
    page.get_by_role("link", name="Correct", exact=True).click()
    type_day(page, "Discharged on", first + dt.timedelta(days=5))
    page.get_by_label("Why do you change what is on record?").fill("Misread the letter")
    check_axe(page)
    page.get_by_role("button", name="Save the correction").click()
    expect(page.get_by_text("Misread the letter").first).to_be_visible()
    page.get_by_role("link", name="Recorded by mistake").click()
    check_axe(page)
    page.get_by_role("link", name="Cancel").click()
    check_axe(page)
    page.get_by_role("link", name="Records", exact=True).first.click()
    check_axe(page)
    with trial.at_work():
        assert Admission.objects.count() == 2
        assert LookUp.objects.count() == 1
    manager = new_page(width="tablet")
    sign_in(manager, "dana")
    manager.get_by_role("link", name="Database lock").first.click()
    expect(manager.get_by_text("not all looked up yet")).to_be_visible()
    check_axe(manager)


def test_on_a_phone_without_script(trial: Treatment, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    person = trial.of_arm("imr")[0].participant
    page = new_page(width="phone", script=False)
    sign_in(page, "ada")
    page.goto(f"/unblinded/records/{person.number}/before/complete/")
    page.get_by_role("button", name="Sign off as looked up, complete").click()
    expect(page.get_by_text("Looked up: no admission.")).to_be_visible()


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_roles_for_monitor_and_investigator(
    trial: Treatment, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe, width: str
) -> None:
    world.make_user("moni", "monitor")
    page = new_page(width=width, dark=width == "phone")
    sign_in(page, "moni")
    page.goto("/roles/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Roles")
    expect(page.get_by_text("Chair of the data monitoring committee")).to_be_visible()
    expect(page.locator("main a", has_text="Ada")).to_have_count(0)
    check_axe(page)
