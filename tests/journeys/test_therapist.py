"""The therapist's way, on a tablet: the session of the own group with everybody's attendance in one save, and a correction."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.treatment import HERE, Treatment
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions.models import Attendance, GroupSession, TherapyGroup

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def trial(live: str, settings: Any) -> Treatment:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    return Treatment()


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    """A group that met first today, with everybody of the arm in it."""
    group = trial.group(opened_on=clock.today())
    for person in trial.of_arm("imr"):
        trial.place(group, person, clock.today())
    return group


def row_of(page: Page, person: Allocation) -> Any:
    return page.get_by_role("group", name=grouped(person.participant.number).replace("\N{NO-BREAK SPACE}", " "))


def test_a_session_in_one_save_and_a_correction(
    trial: Treatment, group: TherapyGroup, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    one, two, three = trial.of_arm("imr")
    page = new_page(width="tablet")
    sign_in(page, "tim")
    check_axe(page)
    page.get_by_role("link", name="Session of group R1-A").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Session of group R1-A")
    check_axe(page)
    for person, word in ((one, "Attended"), (two, "Ill")):
        row = row_of(page, person)
        row.get_by_text(word, exact=True).click()
        box = row.get_by_label(word).first.locator("xpath=ancestor::label").bounding_box()
        assert box is not None
        assert box["height"] >= 44
    page.get_by_label("Length").fill("long")
    page.get_by_role("button", name="Save the session").click()
    expect(page).to_have_title("Error: Session of group R1-A – IMR")
    expect(row_of(page, one).get_by_label("Attended")).to_be_checked()
    check_axe(page)
    page.get_by_label("Length").fill("90")
    page.get_by_label("Somebody else was there").fill(grouped(trial.of_arm("cau")[0].participant.number))
    page.get_by_role("button", name="Save the session").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Session of")
    expect(page.get_by_text("Not recorded")).to_be_visible()
    expect(page.get_by_text("deviation")).to_have_count(0)
    check_axe(page)
    page.get_by_role("link", name="Record attendance").click()
    row_of(page, three).get_by_text("Attended", exact=True).click()
    check_axe(page)
    page.get_by_role("button", name="Save the session").click()
    page.get_by_role("link", name="Correct the session").click()
    row_of(page, two).get_by_text("Had to be elsewhere").click()
    page.get_by_role("button", name="Save the session").click()
    expect(page.get_by_text("Say why you change what is on record.").first).to_be_visible()
    page.get_by_label("Why do you change what is on record?").fill("Mixed up two people")
    page.get_by_role("button", name="Save the session").click()
    expect(page.get_by_text("Mixed up two people").first).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="R1-A").first.click()
    expect(page.get_by_role("table", name="Members")).to_contain_text(grouped(one.participant.number))
    check_axe(page)
    with trial.at_work():
        assert GroupSession.objects.count() == 1
        assert Attendance.objects.count() == 4


def test_on_a_phone_without_script(
    trial: Treatment, group: TherapyGroup, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    page = new_page(width="phone", script=False)
    sign_in(page, "tara")
    page.get_by_role("link", name="Session of group R1-A").click()
    for person in trial.of_arm("imr"):
        row_of(page, person).get_by_label("Attended").check()
    page.get_by_role("button", name="Save the session").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Session of")
    answer = page.goto(f"/unblinded/treatment/people/{trial.of_arm('imr')[0].participant.number}/")
    assert answer is not None
    assert answer.status == 403


def test_the_week_s_work_of_a_group_that_is_late(
    trial: Treatment, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    group = trial.group(opened_on=clock.today() - dt.timedelta(days=20))
    trial.record(group, clock.today() - dt.timedelta(days=14), {trial.of_arm("imr")[0]: HERE})
    page = new_page()
    sign_in(page, "tim")
    item = page.locator(".worklist").get_by_role("link", name="Session of group R1-A")
    expect(item).to_contain_text("Overdue")
    page.get_by_role("link", name="Groups").click()
    check_axe(page)
    page.get_by_role("link", name="R1-A").click()
    page.get_by_role("link", name="Record a session").click()
    page.get_by_role("link", name="There was no session").click()
    check_axe(page)
    page.get_by_label("Holiday").check()
    page.get_by_role("button", name="Record that there was no session").click()
    expect(page.get_by_role("table", name="Sessions")).to_contain_text("Holiday")
