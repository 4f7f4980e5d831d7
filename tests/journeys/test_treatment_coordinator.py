"""The treatment coordinator's way: the allocations of one's own site, on the amber side, and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from trial.core import side
from trial.core.ui.tables import grouped
from trial.participants.actions import request_randomization
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.models import Allocation

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def numbers(live: str, settings: Any) -> tuple[str, str]:
    """A participant of each of two sites, allocated; a treatment coordinator and a coordinator at the first."""
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial("imr")
    with world.at_work(world.SETUP):
        here = Team.objects.order_by("code").first()
        assert here is not None
        there = Team.objects.exclude(site=here.site_id).order_by("code").first()
        assert there is not None
    made = []
    for team in (here, there):
        by = world.person(world.make_user(f"carla_{team.site_id}", "coordinator", team.site_id))
        with world.at_work(by):
            participant = world.ready_to_randomize(by, team)
            request = request_randomization(participant=participant, by=by)
        world.randomize(request)
        made.append(participant.number)
    world.make_user("thea", "treatment", here.site_id)
    return made[0], made[1]


def test_own_allocations_on_the_amber_side(
    numbers: tuple[str, str], new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    with side.unblinded(), world.at_work(world.SETUP, side.UNBLINDED):
        allocated = Allocation.objects.get(participant__number=numbers[0])
        arm = next(arm.name for arm in current().arms if arm.code == allocated.arm)
    page = new_page()

    def looked_at() -> None:
        expect(page.locator(".band-unblinded strong")).to_have_text("Unblinded side")
        expect(page.locator(".side-word")).to_have_text("Unblinded side")
        check_axe(page)

    sign_in(page, "thea")
    looked_at()
    page.get_by_role("link", name="Allocations").click()
    row = page.get_by_role("row").filter(has_text=grouped(numbers[0]))
    expect(row).to_contain_text(arm)
    expect(page.get_by_text(grouped(numbers[1]))).to_have_count(0)
    looked_at()
    page.get_by_role("link", name="Thea").click()
    looked_at()
    with world.at_work(world.SETUP, side.UNBLINDED):
        assert LedgerEntry.objects.filter(what="allocation list opened").count() == 1
    for forbidden in ("/unblinded/analysis/", "/participants/", f"/participants/{numbers[0]}/"):
        answer = page.goto(forbidden)
        assert answer is not None
        assert answer.status == 403
        check_axe(page)


def test_the_open_side_has_no_such_page(numbers: tuple[str, str], new_page: NewPage, sign_in: SignIn) -> None:
    with world.at_work(world.SETUP):
        site = Team.objects.order_by("code").first()
    assert site is not None
    page = new_page()
    sign_in(page, f"carla_{site.site_id}")
    expect(page.locator(".band-unblinded")).to_have_count(0)
    expect(page.locator(".side-word")).to_have_text("Open side")
    expect(page.get_by_role("link", name="Allocations")).to_have_count(0)
    answer = page.goto("/unblinded/allocations/")
    assert answer is not None
    assert answer.status == 403
