"""The data manager's way: what is complete, one signed form with its history, frozen data, the database lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from analysis.snapshots.models import Snapshot
from tests import world
from tests.journeys.played import trial_with_outcomes
from trial.participants import queries

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey
PEOPLE = 3


def test_from_completeness_to_the_lock(
    live: str,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    new_page: NewPage,
    sign_in: SignIn,
    check_axe: CheckAxe,
) -> None:
    trial_with_outcomes(database, tmp_path, PEOPLE)
    page = new_page()
    sign_in(page, "datamanager")
    check_axe(page)
    page.get_by_role("link", name="Completeness").click()
    expect(page.get_by_role("table")).to_contain_text("8 months")
    check_axe(page)
    page.get_by_role("link", name="Forms", exact=True).click()
    check_axe(page)
    page.get_by_role("row").filter(has_text="Beck").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Form signed").first).to_contain_text("Ineke Visser")
    check_axe(page)
    page.get_by_role("link", name="Snapshots").click()
    page.get_by_role("button", name="Make a snapshot").click()
    check_axe(page)
    with world.at_work(world.SETUP):
        frozen = Snapshot.objects.get()
    expect(page.get_by_role("table")).to_contain_text(frozen.sha256[:16])
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert Path(download.value.path()).read_bytes() == bytes(frozen.content)
    page.get_by_role("link", name="Database lock").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    check_axe(page)
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Lock the database").click()
    expect(page).to_have_title("Error: Database lock – Beat the Blues")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    check_axe(page)
    with world.at_work(world.SETUP):
        assert queries.lock() is None
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Lock the database").click()
    expect(page.get_by_text("Done and signed.")).to_be_visible()
    expect(page.get_by_text("Dana Smit").locator("visible=true").last).to_be_visible()
    check_axe(page)
    with world.at_work(world.SETUP):
        assert queries.lock() is not None
