"""The allocation from the shares of its seed to the proof: every page around it, each looked at by axe."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.unit.unblinded.randomization.allocated import ask, randomized, unblind
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants.models import RandomizationRequest
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.unblinded.randomization.tasks import verify

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
AT = "/unblinded/allocations/"


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def later(minutes: int = 20) -> None:
    clock.move_to(clock.frozen_at() + dt.timedelta(minutes=minutes))  # type: ignore[operator]


def test_from_the_shares_to_the_proof(
    live: str, database: psycopg.Connection[Any], new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    with clock.frozen(START):
        with world.at_work(world.SETUP):
            load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
        for name, role in (
            ("ida", "independent"),
            ("ursula", "datamanager_unblinded"),
            ("thea", "treatment"),
            ("carla", "coordinator"),
        ):
            world.make_user(name, role, "dordrecht")
        ida, thea, carla, nobody = (new_page() for _n in range(4))
        sign_in(ida, "ida")
        contribute(ida, check_axe)
        ursula = new_page(script=False)
        sign_in(ursula, "ursula")
        ursula.goto(f"{AT}sealing/contribute/")
        ursula.get_by_label("Your password").fill(world.PASSWORD)
        press(ursula, "Contribute to the seed")
        sealed = world.seal(world.blocks(5))
        world.seal(world.blocks(5), length=10, for_site="dordrecht")
        nobody.goto("/commitment/")
        expect(nobody.get_by_text(sealed.commitment)).to_be_visible()
        check_axe(nobody)
        made = randomized(8, teams=2)
        sign_in(thea, "thea")
        sign_in(carla, "carla")
        errors_of_both_sides(thea, carla, made[0].participant.number, check_axe)
        waiting = ask(0)
        later()
        downtime(thea, ida, waiting.number, check_axe)
        with world.at_work(world.SETUP):
            request = RandomizationRequest.objects.get(participant_id=waiting.pk)
        world.randomize(request)
        ida.goto(f"{AT}concealment/")
        expect(ida.get_by_text("All, in the order of the trial")).to_be_visible()
        check_axe(ida)
        ida.goto(f"{AT}verification/")
        expect(ida.get_by_text("Until then its commitment is public")).to_be_visible()
        later()
        unblind(database)
        ida.reload()
        check_axe(ida)
        press(ida, "Verify the allocation")
        expect(ida.get_by_text("The allocator answers within a minute")).to_be_visible()
        verify()
        ida.reload()
        expect(ida.get_by_text("Every allocation is the one that was committed to.")).to_be_visible()
        check_axe(ida)


def contribute(page: Page, check_axe: CheckAxe) -> None:
    page.get_by_role("link", name="Allocations").click()
    page.get_by_role("link", name="Sealing and commitments").click()
    check_axe(page)
    page.get_by_role("link", name="Contribute to the seed").click()
    check_axe(page)
    page.get_by_label("Your password").fill("wrong")
    press(page, "Contribute to the seed")
    expect(page.get_by_text("This is not your password").first).to_be_visible()
    page.get_by_label("Your password").fill(world.PASSWORD)
    press(page, "Contribute to the seed")
    expect(page.get_by_text("Your share is kept.")).to_be_visible()
    check_axe(page)


def errors_of_both_sides(thea: Page, carla: Page, number: str, check_axe: CheckAxe) -> None:
    carla.goto(f"/participants/{number}/")
    carla.get_by_role("link", name="Errors of randomization").click()
    check_axe(carla)
    carla.get_by_role("link", name="Record an error").click()
    check_axe(carla)
    carla.get_by_label("Not eligible").check()
    carla.get_by_label("Procedure not followed").check()
    press(carla, "Record the error")
    expect(carla.get_by_role("cell", name="Stands")).to_be_visible()
    check_axe(carla)
    carla.get_by_role("link", name="Not eligible: take back").click()
    check_axe(carla)
    thea.goto(AT)
    check_axe(thea)
    thea.get_by_role("row").filter(has_text=grouped(number)).get_by_role("link").last.click()
    check_axe(thea)
    thea.get_by_role("link", name="Record the wrong treatment").click()
    check_axe(thea)
    thea.get_by_role("radio").first.check()
    thea.get_by_label("The wrong arm was told").check()
    press(thea, "Record the wrong treatment")
    expect(thea.get_by_role("cell", name="Stands").first).to_be_visible()
    check_axe(thea)


def downtime(thea: Page, ida: Page, number: str, check_axe: CheckAxe) -> None:
    thea.goto("/unblinded/")
    thea.get_by_role("link", name=f"Ask for a contingency slot for participant {grouped(number)}").click()
    check_axe(thea)
    thea.get_by_label("The allocator does not answer").check()
    press(thea, "Ask for a contingency slot")
    check_axe(thea)
    ida.goto("/unblinded/")
    ida.get_by_role("link", name=f"Let a contingency slot go for participant {grouped(number)}").click()
    check_axe(ida)
    ida.get_by_label("Your password").fill(world.PASSWORD)
    press(ida, "Let the slot go")
    expect(ida.get_by_text("Let go; the allocator will write it")).to_be_visible()
    check_axe(ida)
