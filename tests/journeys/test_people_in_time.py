"""The coordinator follows a participant: contact data, an attempt, a withdrawal, a death; and the treatment coordinator beside it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from assessments.visits.actions import assign_interviewer
from tests import world
from trial.core import clock
from trial.core.access import Person
from trial.core.models import User
from trial.core.ui.tables import grouped
from trial.participants import actions as way_in
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Participant, RandomizationRequest
from trial.protocol.models import Team

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def participant(live: str, settings: object) -> Participant:
    """Somebody randomized, with an interviewer; two coordinators, a data manager and a treatment coordinator."""
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"  # type: ignore[attr-defined]
    world.open_trial("imr")
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
    assert team is not None
    by: Person = world.person(world.make_user("carla", "coordinator", team.site_id))
    for name, role in (
        ("cora", "coordinator"),
        ("ines", "interviewer"),
        ("thea", "treatment"),
        ("dana", "datamanager"),
    ):
        world.make_user(name, role, team.site_id)
    with world.at_work(by):
        made = world.ready_to_randomize(by, team)
        assign_interviewer(participant=made, interviewer=User.objects.get(username="ines"), by=by)
        for _one in range(3):
            world.ready_to_randomize(by, team)
        entry = way_in.open_screening(team=team, month=clock.today(), age_band="40-49", sex="male", by=by)
        way_in.close_screening(entry=entry, declined=True, reason_code="declined", by=by)
        request: RandomizationRequest = way_in.request_randomization(participant=made, by=by)
    world.randomize(request)
    return made


def day(page: Page, group: str) -> None:
    today = clock.today()
    for part, value in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_role("group", name=group).get_by_label(part, exact=True).fill(str(value))


def test_contact_attempt_withdrawal_and_death(
    participant: Participant, page: Page, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    number, shown = participant.number, grouped(participant.number)
    sign_in(page, "carla")
    page.goto(f"/participants/{number}/")
    check_axe(page)
    page.get_by_role("link", name="Contact data").click()
    expect(page.get_by_text("Nothing is recorded yet")).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Record contact data").click()
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_role("button", name="Save contact data").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    check_axe(page)
    made_up = synthetic(number)
    page.get_by_label("Name").fill(made_up.name)
    page.get_by_label("E-mail").fill(made_up.email)
    page.get_by_label("Telephone", exact=False).first.fill(made_up.phone)
    page.get_by_role("button", name="Save contact data").click()
    expect(page.get_by_text(made_up.name)).to_be_visible()
    expect(page.get_by_text("has been written down")).to_be_visible()
    check_axe(page)
    # an attempt, beside the visit
    page.goto(f"/assessments/{number}/visits/T2/")
    page.get_by_role("link", name="Record an attempt").click()
    page.get_by_label("Telephone").check()
    page.get_by_label("No answer").check()
    day(page, "Next step on")
    check_axe(page)
    page.get_by_role("button", name="Record the attempt").click()
    expect(page.get_by_role("cell", name="No answer")).to_be_visible()
    check_axe(page)
    page.goto("/")
    expect(page.get_by_role("link", name=f"Try again: {shown}")).to_be_visible()
    check_axe(page)
    # withdrawal from one part
    page.goto(f"/participants/{number}/consent/")
    check_axe(page)
    page.get_by_role("row", name="Interviews").get_by_role("link", name="Withdraw").click()
    expect(page.get_by_label("No reason given")).to_be_checked()
    check_axe(page)
    page.get_by_role("button", name="Record the withdrawal").click()
    expect(page.get_by_role("group", name="Parts of the consent").get_by_text("Withdrawn", exact=True)).to_be_visible()
    check_axe(page)
    page.goto("/assessments/visits/")
    expect(page.get_by_role("cell", name="Withdrawn from interviews").first).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name=f"Try again: {shown}")).to_have_count(0)
    for address in ("/participants/", "/participants/screening/", "/participants/recruitment/", "/assessments/flow/"):
        page.goto(address)
        check_axe(page)
    # a death: two clicks on a telephone, and silence
    phone = new_page(width="phone")
    sign_in(phone, "ines")
    phone.goto(f"/assessments/{number}/")
    check_axe(phone)
    phone.get_by_role("link", name="This participant has died").click()
    check_axe(phone)
    phone.get_by_role("button", name="Report the death").click()
    expect(phone.get_by_text("stands on no list any more")).to_be_visible()
    expect(phone.get_by_text(shown)).to_have_count(0)
    page.goto("/participants/")
    expect(page.get_by_text(shown)).to_have_count(0)
    # the second person
    page.goto("/")
    page.get_by_role("link", name=f"Confirm the death of participant {shown}").click()
    check_axe(page)
    page.get_by_label("Yes, I confirm the report").check()
    page.get_by_role("button", name="Record what I found").click()
    expect(page.get_by_text("It is recorded")).to_be_visible()
    expect(page.get_by_text(shown)).to_have_count(0)
    page.goto(f"/participants/{number}/")
    expect(page.get_by_text("Died", exact=True).first).to_be_visible()
    check_axe(page)


def test_names_behind_the_wall_and_the_readings(
    participant: Participant, page: Page, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    from trial.participants.contact.actions import record_contact

    with world.at_work(world.SETUP):
        record_contact(participant=participant, details=synthetic(participant.number), by=world.SETUP)
    sign_in(page, "thea")
    check_axe(page)
    page.get_by_role("link", name="Participants").click()
    expect(page.get_by_text(synthetic(participant.number).name)).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name=grouped(participant.number)).click()
    check_axe(page)
    page.get_by_role("link", name="This participant has died").click()
    check_axe(page)
    carla = new_page()
    sign_in(carla, "carla")
    carla.goto(f"/participants/{participant.number}/contact/")
    carla.goto(f"/participants/{participant.number}/transfer/")
    check_axe(carla)
    dana = new_page()
    sign_in(dana, "dana")
    check_axe(dana)
    dana.get_by_role("link", name="Readings").click()
    expect(dana.get_by_role("cell", name="Contact data")).to_have_count(1)
    check_axe(dana)
    dana.goto("/assessments/flow/")
    check_axe(dana)
    dana.goto("/participants/recruitment/")
    check_axe(dana)
