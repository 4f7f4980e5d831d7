"""The treatment coordinator's way on the amber side: own allocations and no other; telling, placing, withdrawal from treatment."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.treatment import HERE, Treatment
from trial.core import clock, side
from trial.core.ui.tables import grouped
from trial.participants.actions import request_randomization
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions.models import TherapyGroup

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
        expect(page.locator(".topbar-role .side-word")).to_have_text("Unblinded side")
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


def test_told_placed_and_withdrawn(
    live: str, settings: Any, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    trial = Treatment()
    today = clock.today()
    person = trial.of_arm("imr")[0].participant.number
    page = new_page()

    def on(name: str, day: Any) -> None:
        for part, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            page.get_by_role("group", name=name).get_by_label(part).fill(str(value))

    sign_in(page, "thea")
    check_axe(page)
    page.get_by_role("link", name=f"Tell participant {grouped(person)} and the care team").click()
    check_axe(page)
    page.get_by_role("button", name="Both have been told").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(grouped(person))
    check_axe(page)
    page.get_by_role("link", name="Groups").click()
    page.get_by_role("link", name="New group").click()
    page.get_by_label("Code").fill("R1-A")
    page.get_by_label("Name").fill("Tuesday, Center")
    on("First day", today)
    page.get_by_label("Trainer 1").select_option(label="Tim")
    check_axe(page)
    page.get_by_role("button", name="Make the group").click()
    expect(page).to_have_title("Error: New group – IMR")
    expect(page.get_by_label("Name")).to_have_value("Tuesday, Center")
    page.get_by_label("Trainer 2").select_option(label="Tara")
    page.get_by_role("button", name="Make the group").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Group R1-A")
    check_axe(page)
    page.goto("/unblinded/")
    page.get_by_role("link", name=f"Place participant {grouped(person)} in a group").click()
    page.get_by_label("R1-A, Tuesday, Center").check()
    check_axe(page)
    page.get_by_role("button", name=f"Place participant {grouped(person)}").click()
    members = page.get_by_role("table", name="Members")
    expect(members).to_contain_text(grouped(person))
    check_axe(page)
    trial.record(_group(trial), today, {trial.of_arm("imr")[0]: HERE})
    members.get_by_role("link", name=grouped(person)).click()
    page.get_by_role("link", name="Record withdrawal from treatment").click()
    check_axe(page)
    page.get_by_label("Too much of a burden").check()
    page.get_by_role("button", name="Record the withdrawal from treatment").click()
    expect(page.get_by_text("Withdrew", exact=True)).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Treatment").first.click()
    check_axe(page)
    page.goto("/unblinded/")
    expect(page.get_by_role("heading", name="Attendance and completion", exact=True)).to_be_visible()
    check_axe(page)


def _group(trial: Treatment) -> TherapyGroup:
    with trial.at_work():
        return TherapyGroup.objects.get()


def test_the_open_side_has_no_such_page(numbers: tuple[str, str], new_page: NewPage, sign_in: SignIn) -> None:
    with world.at_work(world.SETUP):
        site = Team.objects.order_by("code").first()
    assert site is not None
    page = new_page()
    sign_in(page, f"carla_{site.site_id}")
    expect(page.locator(".band-unblinded")).to_have_count(0)
    expect(page.locator(".topbar-role .side-word")).to_have_text("Open side")
    expect(page.get_by_role("link", name="Allocations")).to_have_count(0)
    answer = page.goto("/unblinded/allocations/")
    assert answer is not None
    assert answer.status == 403
