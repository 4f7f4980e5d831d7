"""The history of the open side: filtered, its head to be printed, and a text that is redacted by two people."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from assessments.cleaning import actions as cleaning
from tests import world
from tests.journeys.played import trial_with_outcomes
from trial.core.history.tasks import seal_open, seal_unblinded
from trial.participants.models import Participant
from trial.protocol.queries import current

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


def test_from_a_line_of_the_history_to_its_redaction(
    live: str,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    new_page: NewPage,
    sign_in: SignIn,
    check_axe: CheckAxe,
) -> None:
    trial_with_outcomes(database, tmp_path, 2)
    with world.at_work(world.SETUP) as by:
        one = Participant.objects.order_by("number")[0]
        cleaning.raise_query(
            kind="implausible", text="Ask Jan Jansen", participant=one, visit=current().visits[0].code, by=by
        )
    seal_open()
    seal_unblinded()
    page = new_page()
    sign_in(page, "datamanager")
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.get_by_role("table")).to_contain_text("Query raised")
    check_axe(page)
    page.get_by_label("Record").select_option("Data query")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Redact", exact=True).click()
    check_axe(page)
    page.get_by_role("button", name="Ask the investigator").click()
    expect(page).to_have_title("Error: Ask for a redaction – Beat the Blues")
    page.get_by_label("It names somebody else").check()
    page.get_by_role("button", name="Ask the investigator").click()
    expect(page.get_by_role("table")).to_contain_text("Waits for the investigator")
    check_axe(page)

    page = new_page()
    sign_in(page, "investigator")
    page.get_by_role("link", name="Decide on redaction 1").click()
    check_axe(page)
    page.get_by_label("Redact it, for good").check()
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign the decision").click()
    expect(page.get_by_role("row").filter(has_text="It names somebody else")).to_contain_text("Redacted")
    check_axe(page)

    page = new_page(width="phone")
    sign_in(page, "monitor")
    page.goto(f"{live}/history/")
    check_axe(page)
    page.get_by_role("link", name="Seal of the history").click()
    expect(page.get_by_role("heading", name="Newest head")).to_be_visible()
    check_axe(page)
