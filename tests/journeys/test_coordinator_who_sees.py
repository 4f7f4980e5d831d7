"""The day of a coordinator who sees allocations, at a site with one person: the whole way in, and its answer, on the amber side."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.journeys.stations import go_to
from tests.journeys.test_coordinator import answer_criteria, screen, sign_consent
from tests.treatment import FIRST, Treatment
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants.actions import record_baseline
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Participant, RandomizationRequest

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def _one_person(live: str, settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial(seen_at=("dordrecht",))
    world.make_user("one", "coordinator_unblinded", "dordrecht")
    world.make_user("ursula", "datamanager_unblinded")


@pytest.mark.usefixtures("_one_person")
def test_from_the_log_to_the_allocation(new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page = new_page()
    sign_in(page, "one")

    def looked_at() -> None:
        expect(page.locator(".band-unblinded strong")).to_have_text("Unblinded side")
        check_axe(page)

    looked_at()
    screen(page)
    looked_at()
    sign_consent(page)
    answer_criteria(page)
    page.get_by_role("button", name="Register participant").click()
    with world.at_work(world.SETUP):
        participant = Participant.objects.get()
        record_baseline(participant=participant, by=world.SETUP)
    shown = grouped(participant.number)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Participant {shown}")
    page.reload()
    looked_at()
    page.get_by_role("link", name=f"Randomize participant {shown}").click()
    expect(page.get_by_text("The allocation then stands under Allocations.")).to_be_visible()
    looked_at()
    page.get_by_role("button", name=f"Randomize participant {shown}").click()
    expect(page.get_by_text("Randomization was asked for.")).to_be_visible()
    with world.at_work(world.SETUP):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    page.get_by_role("link", name="See the allocation").click()
    expect(page.get_by_role("table")).to_contain_text(shown)
    looked_at()
    go_to(page, "Registration")
    looked_at()
    page.get_by_role("link", name=shown).click()
    looked_at()


def test_names_of_the_own_group_and_their_log(
    live: str, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    with clock.frozen(clock.now()):
        trial = Treatment()
        group = trial.group(opened_on=clock.today())
        for person in trial.of_arm("imr"):
            with world.at_work(world.SETUP) as by:
                record_contact(participant=person.participant, details=synthetic(person.participant.number), by=by)
            trial.place(group, person, clock.today())
        assert clock.today() != FIRST
        page = new_page(width="tablet")
        sign_in(page, "tim")
        page.goto(f"/unblinded/treatment/{group.pk}/")
        name = synthetic(trial.of_arm("imr")[0].participant.number).name
        expect(page.get_by_role("table", name="Members")).to_contain_text(name)
        check_axe(page)
        page.get_by_role("link", name="Record a session").click()
        expect(page.get_by_role("group", name=name)).to_be_visible()
        check_axe(page)
        named = world.make_user("rita", "rater", trial.site)
        with trial.at_work():
            type(named).objects.filter(pk=named.pk).update(full_name="Tim")
        page = new_page()
        sign_in(page, "ursula")
        check_axe(page)
        page.goto("/unblinded/people/readings/")
        expect(page.get_by_role("table")).to_contain_text("Session of a group, to record it")
        check_axe(page)
        page.goto("/unblinded/treatment/raters/")
        expect(page.get_by_role("table")).to_contain_text("rita")
        check_axe(page)
