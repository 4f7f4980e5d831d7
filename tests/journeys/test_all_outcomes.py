"""The trial statistician's way over all outcomes on fake arms, and the flow by arm behind the wall."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from analysis.methods.canonical import digest
from analysis.pooled import tasks
from analysis.pooled.models import PooledRun
from analysis.snapshots.models import Snapshot
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from trial.core import clock
from trial.participants.actions import request_randomization
from trial.protocol.models import Team
from trial.protocol.queries import version

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey
FAKE = "Nothing here is a result of the trial"
LABEL = "Non-randomized comparison, as published"


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


@pytest.fixture
def frozen(live: str) -> Snapshot:
    """The IMR trial with a frozen table of made-up people, and a trial statistician."""
    world.open_trial()
    world.make_user("statistician", "statistician")
    content = table(90)
    with world.at_work(world.SETUP):
        made = Snapshot(
            made_by="test", protocol_version=version(), content=content, sha256=digest(content), dictionary=[],
            participants=90, rows=270, after_lock=False,
        )  # fmt: skip
        made.save(force_insert=True)
    return made


def start(page: Page, check_axe: CheckAxe, kind: str) -> str:
    """Start a run and stay on its page; its key."""
    page.get_by_role("navigation", name="Stations").get_by_role("link", name="Analyses").click()
    page.get_by_role("link", name="Start an analysis").click()
    check_axe(page)
    page.get_by_label(kind).check()
    page.get_by_role("button", name="Start analysis").click()
    expect(page.get_by_text("Waits for its turn.")).to_be_visible()
    return page.url.rstrip("/").rsplit("/", 1)[1]


def test_all_outcomes_on_a_fake_arm(frozen: Snapshot, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    page = new_page()
    sign_in(page, "statistician")
    key = start(page, check_axe, "All outcomes on a fake arm")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress").get_by_text("Canceled")).to_be_visible()
    key = start(page, check_axe, "All outcomes on a fake arm")
    with world.at_work(world.SETUP):
        PooledRun.objects.filter(pk=key).update(
            state="running", stage="4/12 insight", progress=0.3, started_at=clock.now(), heartbeat_at=clock.now()
        )
    expect(page.get_by_text("Outcome 4 of 12")).to_be_visible()
    check_axe(page)
    with world.at_work(world.SETUP):
        PooledRun.objects.filter(pk=key).update(state="queued")
    tasks.execute(key)
    # the page follows by itself
    expect(page.locator(".result-sentence").first).to_contain_text("At T3, 18 months, IMR Scale, client version")
    expect(page.get_by_text(FAKE).first).to_be_visible()
    expect(page.get_by_role("heading", name="Hospital admissions")).to_be_visible()
    expect(page.get_by_text("participant, not blind").first).to_be_visible()
    check_axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="This table as CSV").first.click()
    assert download.value.suggested_filename.startswith("fake-arm-")
    page.get_by_role("link", name="Self-esteem").or_(page.get_by_role("link", name="SERS")).first.click()
    expect(page.get_by_text(FAKE).first).to_be_visible()
    expect(page.get_by_text("Condition × time").first).to_be_visible()
    page.locator("main details > summary", has_text="The model in full").click()
    check_axe(page)
    phone = new_page(width="phone", dark=True)
    sign_in(phone, "statistician")
    phone.goto(f"/analysis/{key}/")
    expect(phone.get_by_text(FAKE).first).to_be_visible()
    check_axe(phone)


def test_published_comparisons_on_a_fake_arm(
    frozen: Snapshot, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    page = new_page()
    sign_in(page, "statistician")
    tasks.execute(start(page, check_axe, "Published comparisons on a fake arm"))
    expect(page.get_by_text(LABEL).first).to_be_visible()
    expect(page.get_by_text(FAKE).first).to_be_visible()
    expect(page.get_by_text("Who was selected").first).to_be_visible()
    check_axe(page)
    page.get_by_role("link", name="Work").click()
    expect(page.get_by_text("Published comparisons on a fake arm")).to_be_visible()
    expect(page.get_by_text(LABEL)).to_have_count(0)
    check_axe(page)


def test_the_flow_by_arm(
    live: str, database: psycopg.Connection[Any], new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    world.open_trial()
    with world.at_work(world.SETUP):
        teams = list(Team.objects.order_by("code"))
    for n in range(8):
        with world.at_work(world.SETUP):
            person = world.ready_to_randomize(world.SETUP, teams[n % 2])
            request = request_randomization(participant=person, by=world.SETUP)
        world.randomize(request)
    world.make_user("cleaner", "datamanager_unblinded")
    world.make_user("independent", "independent")
    other = new_page()
    sign_in(other, "independent")
    other.get_by_role("link", name="Flow by arm").click()
    expect(other.get_by_text("appears here after planned unblinding")).to_be_visible()
    check_axe(other)
    page = new_page()
    sign_in(page, "cleaner")
    page.get_by_role("link", name="Flow by arm").click()
    expect(page.locator(".result-sentence")).to_contain_text("allocated")
    check_axe(page)
    page.get_by_role("link", name="Ledger").click()
    expect(page.get_by_text("flow by arm opened")).to_be_visible()
