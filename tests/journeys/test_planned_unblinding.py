"""The way of the sponsor's representative and the independent statistician: from the lock to a sentence that everybody may read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from analysis.snapshots.actions import make_snapshot
from analysis.unblinded import tasks
from analysis.unblinded.papers import tasks as reports
from tests import world
from tests.journeys.played import somebody, trial_with_outcomes
from trial.participants.actions import lock_database

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


def test_from_the_lock_to_the_released_result(
    live: str,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    new_page: NewPage,
    sign_in: SignIn,
    check_axe: CheckAxe,
) -> None:
    trial_with_outcomes(database, tmp_path)
    sponsor, independent, coordinator = new_page(), new_page(), new_page()
    sign_in(sponsor, "sponsor")
    check_axe(sponsor)
    sponsor.get_by_role("link", name="Planned unblinding").first.click()
    expect(sponsor.get_by_text("Planned unblinding follows the database lock.")).to_be_visible()
    check_axe(sponsor)
    sign_in(independent, "independent")
    check_axe(independent)
    independent.get_by_role("link", name="Comparative analyses").click()
    expect(independent.get_by_role("link", name="Start an analysis")).to_have_count(0)
    check_axe(independent)
    independent.get_by_role("link", name="Planned unblinding").click()
    expect(independent.get_by_role("button", name="Confirm planned unblinding")).to_have_count(0)
    check_axe(independent)

    manager = somebody("datamanager")
    with world.at_work(manager):
        lock_database(password=world.PASSWORD, by=manager)
        make_snapshot(by=manager)
    ask(sponsor, check_axe)
    confirm(independent, check_axe)
    sentence = analyze(independent, check_axe)

    sign_in(coordinator, "coordinator")
    expect(coordinator.get_by_text(sentence)).to_have_count(0)
    check_axe(coordinator)
    release(independent, check_axe)
    coordinator.reload()
    expect(coordinator.get_by_text(sentence)).to_be_visible()
    check_axe(coordinator)
    coordinator.get_by_role("link", name="Open:").click()
    expect(coordinator.locator(".result-sentence")).to_have_text(sentence)
    expect(coordinator.get_by_text("Fake arm")).to_have_count(0)
    check_axe(coordinator)
    report(independent, check_axe)
    coordinator.goto("/")
    coordinator.get_by_role("link", name="Open: Final report").click()
    expect(coordinator.get_by_text(sentence).first).to_be_visible()
    check_axe(coordinator)


def ask(page: Page, check_axe: CheckAxe) -> None:
    page.goto("/")
    page.locator("main").get_by_role("link", name="Ask for planned unblinding").click()
    check_axe(page)
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Ask for planned unblinding").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Ask for planned unblinding").click()
    expect(page.get_by_text("Done and signed.")).to_be_visible()
    check_axe(page)


def confirm(page: Page, check_axe: CheckAxe) -> None:
    page.goto("/unblinded/")
    page.locator("main").get_by_role("link", name="Confirm planned unblinding").click()
    expect(page.get_by_text("Saskia Bos")).to_be_visible()
    check_axe(page)
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Confirm planned unblinding").click()
    expect(page.get_by_text("Done and signed.")).to_be_visible()
    check_axe(page)


def analyze(page: Page, check_axe: CheckAxe) -> str:
    """Start, wait, read: the sentence of the result."""
    page.get_by_role("link", name="Comparative analyses").click()
    page.get_by_role("link", name="Start an analysis").click()
    check_axe(page)
    page.get_by_label("Primary outcome by the analysis plan").check()
    page.get_by_role("button", name="Start comparative analysis").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    check_axe(page)
    tasks.execute(page.url.rstrip("/").rsplit("/", 1)[1])
    expect(page.locator(".result-sentence")).to_contain_text("Beat the Blues")
    expect(page.get_by_text("Fake arm")).to_have_count(0)
    check_axe(page)
    return page.locator(".result-sentence").inner_text().strip()


def release(page: Page, check_axe: CheckAxe) -> None:
    page.get_by_role("link", name="Release this result").click()
    expect(page.get_by_text("This cannot be taken back.")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Release result").click()
    expect(page.locator(".result-sentence")).to_be_visible()
    expect(page.get_by_role("link", name="Release this result")).to_have_count(0)
    check_axe(page)
    page.get_by_role("link", name="Ledger").click()
    expect(page.get_by_text("result released")).to_be_visible()
    check_axe(page)


def report(page: Page, check_axe: CheckAxe) -> None:
    """Make the final report of what was released, look it over, and let it pass the gate."""
    page.goto("/unblinded/")
    page.locator("main").get_by_role("link", name="Make the final report").click()
    expect(page.get_by_text("Result by the analysis plan")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Make final report").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    reports.make(page.url.rstrip("/").rsplit("/", 1)[1])
    expect(page.get_by_role("heading", name="CONSORT 2025, item by item")).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Release this report").click()
    expect(page.get_by_text("This cannot be taken back.")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Release final report").click()
    expect(page.get_by_role("heading", name="Methods", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Download PDF")).to_be_visible()
    check_axe(page)
