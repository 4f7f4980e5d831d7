"""Through the gate and back: the investigator's code-break, and the hand-over that the data manager behind the wall orders."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.journeys.stations import go_to
from tests.unit.unblinded.gates import NEAR, Gates, frozen, play
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.unblinded.disclosure.handover.tasks import sweep

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def gates(live: str, settings: Any) -> Iterator[Gates]:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.RANDOM_HANDOVERS = 0.0
    with frozen():
        made = play(people=2)
        clock.move_to(NEAR)
        yield made


def test_a_code_is_broken(gates: Gates, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page, one = new_page(), gates.people[0]
    sign_in(page, "pien")
    go_to(page, "Code-break")
    expect(page.get_by_role("heading", level=1)).to_have_text("Emergency code-break")
    expect(page.locator(".band-unblinded")).to_be_visible()
    check_axe(page)
    page.get_by_label("Number of the participant").fill("0000 0000")
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Break the code of this participant").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("No participant has this number.")
    check_axe(page)
    page.get_by_label("Number of the participant").fill(one.number)
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Break the code of this participant").click()
    arm = world.read("imr").arm(gates.arm(one)).name
    expect(page.locator("main")).to_contain_text(arm)
    check_axe(page)
    page.get_by_role("link", name="Give the reason").click()
    expect(page.get_by_label("Number of the participant")).to_have_value(one.number)
    check_axe(page)
    page.get_by_label("Reason").fill("Overdose; the ward had to know.")
    page.get_by_role("button", name="Send the reason").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sent")
    check_axe(page)
    page.get_by_role("link", name="Back to your work").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your work")
    expect(page.locator(".band-unblinded")).to_have_count(0)
    go_to(page, "Participants")
    expect(page.locator("main")).to_contain_text(grouped(one.number))
    expect(page.locator("main")).not_to_contain_text(arm)


def test_an_assessor_is_handed_over(gates: Gates, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    one = gates.people[0]
    gates.report(one)
    page = new_page()
    sign_in(page, "udo")
    go_to(page, "Unblinding reports")
    expect(page.locator("main")).to_contain_text("The participant said it")
    check_axe(page)
    page.get_by_role("link", name="Order a hand-over").click()
    check_axe(page)
    page.get_by_role("button", name="Order the hand-over").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hand-overs")
    expect(page.locator("main")).to_contain_text("Ida 0")
    check_axe(page)
    sweep()
    page.reload()
    expect(page.locator("main")).to_contain_text("Handed over")
    expect(page.locator("main")).to_contain_text("Ida 1")
    check_axe(page)
    go_to(page, "Ledger")
    expect(page.locator("main")).to_contain_text("Hand-over to another interviewer ordered")
    check_axe(page)
    page.get_by_role("link", name="Show all lines to print").click()
    expect(page.locator("main")).to_contain_text("SHA-256 of the lines")
    check_axe(page)
    go_to(page, "Guesses")
    expect(page.locator("main")).to_contain_text("Nobody made a guess.")
    check_axe(page)
