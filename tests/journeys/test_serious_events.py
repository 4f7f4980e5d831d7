"""A serious event from the coordinator's report to the table of the committee."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.journeys.stations import go_to
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants import actions as way_in
from trial.participants.models import Participant
from trial.protocol.models import Team

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def participant(live: str, settings: object) -> Participant:
    """Somebody randomized; a coordinator, a treatment coordinator and a member of the committee."""
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"  # type: ignore[attr-defined]
    world.open_trial("imr")
    with world.at_work(world.SETUP) as by:
        team = Team.objects.order_by("code").first()
        assert team is not None
        made = world.ready_to_randomize(by, team)
        request = way_in.request_randomization(participant=made, by=by)
    world.randomize(request)
    for name, role in (("carla", "coordinator"), ("thea", "treatment"), ("dora", "dmc")):
        world.make_user(name, role, team.site_id)
    return made


def test_from_the_report_to_the_committee(
    participant: Participant, page: Page, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    shown, today = grouped(participant.number), clock.today()
    sign_in(page, "carla")
    page.goto(f"/participants/{participant.number}/")
    page.get_by_role("link", name="Serious events").last.click()
    expect(page.get_by_text("appear here when somebody of the site has reported them")).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Report a serious event").click()
    page.get_by_role("button", name="Report the event").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    check_axe(page)
    page.get_by_label("Admission to hospital").check()
    for part, value in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_label(part, exact=True).fill(str(value))
    page.get_by_role("button", name="Report the event").click()
    expect(page.get_by_role("cell", name="Not known yet", exact=True)).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Put right").click()
    check_axe(page)
    page.get_by_label("Recovered", exact=True).check()
    page.get_by_role("button", name="Record what became of it").click()
    expect(page.get_by_role("cell", name="Recovered", exact=True)).to_be_visible()
    go_to(page, "Serious events")
    expect(page.get_by_role("link", name=shown)).to_be_visible()
    check_axe(page)
    # what happened, behind the wall
    thea = new_page()
    sign_in(thea, "thea")
    thea.get_by_role("link", name=f"Tell what happened to participant {shown}").click()
    check_axe(thea)
    thea.get_by_label("What happened").fill("Admitted for nine days after a night without sleep.")
    thea.get_by_label("Unlikely").check()
    thea.get_by_label("Expected", exact=True).check()
    thea.get_by_role("button", name="Save the narrative").click()
    expect(thea.get_by_role("cell", name="Admitted for nine days").first).to_be_visible()
    check_axe(thea)
    go_to(thea, "Serious events")
    expect(thea.get_by_text("Written", exact=True)).to_be_visible()
    check_axe(thea)
    thea.goto(f"/unblinded/people/{participant.number}/events/new/")
    check_axe(thea)
    # the committee
    dora = new_page()
    sign_in(dora, "dora")
    go_to(dora, "Serious events by arm")
    expect(dora.get_by_text("1 serious event of 1 person since randomization")).to_be_visible()
    check_axe(dora)
