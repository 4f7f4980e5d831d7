"""The trial statistician's way: frozen data, a rehearsal on the fake arm, and a failure that says why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from analysis.methods.problems import Refused, error
from analysis.pooled import tasks
from analysis.pooled.papers import tasks as reports
from analysis.runs import compute
from tests.journeys.played import trial_with_outcomes
from tests.journeys.stations import go_to

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey
FAKE = "Nothing here is a result of the trial"


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


def start(page: Page, check_axe: CheckAxe, kind: str) -> str:
    """Start a run and stay on its page; its key."""
    go_to(page, "Analyses")
    page.get_by_role("link", name="Start an analysis").click()
    check_axe(page)
    page.get_by_label(kind).check()
    page.get_by_role("button", name="Start analysis").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    check_axe(page)
    return page.url.rstrip("/").rsplit("/", 1)[1]


def report(page: Page, check_axe: CheckAxe) -> None:
    """Make an open report, read it, and take it along."""
    go_to(page, "Reports")
    check_axe(page)
    page.get_by_role("link", name="Make an open report").click()
    check_axe(page)
    page.get_by_role("button", name="Make open report").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    check_axe(page)
    reports.make(page.url.rstrip("/").rsplit("/", 1)[1])
    expect(page.get_by_role("heading", name="Recruitment", exact=True)).to_be_visible()
    check_axe(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download PDF").click()
    assert taken.value.suggested_filename.startswith("open-report-")
    assert taken.value.path().read_bytes().startswith(b"%PDF")


def test_a_rehearsal_on_the_fake_arm(
    live: str,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    new_page: NewPage,
    sign_in: SignIn,
    check_axe: CheckAxe,
) -> None:
    trial_with_outcomes(database, tmp_path)
    page = new_page()
    sign_in(page, "statistician")
    check_axe(page)
    go_to(page, "Analyses")
    page.get_by_role("link", name="Start an analysis").click()
    expect(page.get_by_text("A run needs frozen data")).to_be_visible()
    page.get_by_role("button", name="Make a snapshot").click()
    check_axe(page)
    rehearsal = start(page, check_axe, "Rehearsal on a fake arm")
    expect(page.get_by_text(FAKE)).to_be_visible()
    tasks.execute(rehearsal)
    # the page follows by itself
    expect(page.locator(".result-sentence")).to_contain_text("At 8 months")
    expect(page.get_by_text(FAKE).first).to_be_visible()
    expect(page.get_by_text("Fake arm").first).to_be_visible()
    for summary in page.locator("main details > summary").all():
        summary.click()
    check_axe(page)
    planned = start(page, check_axe, "Analysis plan on a fake arm")
    tasks.execute(planned)
    expect(page.locator(".result-sentence")).to_contain_text("At 8 months")
    expect(page.get_by_role("rowheader", name="As planned, other degrees of freedom").first).to_be_visible()
    expect(page.get_by_text(FAKE).first).to_be_visible()
    for summary in page.locator("main details > summary").all():
        summary.click()
    expect(page.get_by_role("link", name="Residuals against fitted values as SVG")).to_be_visible()
    check_axe(page)
    start(page, check_axe, "Analysis plan on a fake arm")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    check_axe(page)
    figures = start(page, check_axe, "Pooled figures")
    tasks.execute(figures)
    expect(page.locator(".result-sentence")).to_contain_text("randomized participants have at least one")
    check_axe(page)
    report(page, check_axe)
    start(page, check_axe, "Pooled figures")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress").get_by_text("Canceled")).to_be_visible()
    check_axe(page)
    go_to(page, "Analyses")
    check_axe(page)
    page.get_by_role("link", name="Work").click()
    expect(page.get_by_role("heading", name="Pooled figures")).to_be_visible()
    check_axe(page)


def test_a_failure_says_why(
    live: str,
    database: psycopg.Connection[Any],
    tmp_path: Path,
    new_page: NewPage,
    sign_in: SignIn,
    check_axe: CheckAxe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the methods refuse stands on the page in words; what they never foresaw, with where its details are."""
    trial_with_outcomes(database, tmp_path, rows=2)
    page = new_page(width="phone", dark=True)
    sign_in(page, "statistician")
    page.goto("/analysis/snapshots/")
    page.get_by_role("button", name="Make a snapshot").click()
    refusal = Refused([error("column_missing", column="bdi_baseline", available=("participant", "bdi"))])
    for wrong, words in (
        (refusal, "The table has no column “bdi_baseline”. It has: participant, bdi."),
        (ZeroDivisionError(), "The program failed (ZeroDivisionError)."),
    ):
        run = start(page, check_axe, "Rehearsal on a fake arm")
        monkeypatch.setattr(compute, "comparative", _raises(wrong))
        tasks.execute(run)
        expect(page.get_by_role("heading", name="This run failed")).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text=words)).to_be_visible()
        check_axe(page)


def _raises(error: Exception) -> Callable[..., None]:
    def fails(*_args: Any) -> None:
        raise error

    return fails
