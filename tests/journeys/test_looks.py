"""A look before the end: begun when it is due, read and judged by the committee, and one word of it reaches the team."""

from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect

from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.runs import looks as pure
from analysis.snapshots.actions import make_snapshot
from analysis.unblinded.models import ComparativeRun
from tests import world
from tests.unit.analysis.looks_world import compute, plan_with, put_into_force, who
from tests.unit.analysis.runs.conftest import played

__all__ = ["played"]
pytestmark = pytest.mark.journey
LISTED = "/unblinded/analysis/looks/"


def test_from_the_trigger_to_the_word(
    live: str,
    played: psycopg.Connection[Any],
    new_page: Any,
    sign_in: Any,
    check_axe: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    monkeypatch.setattr(pure, "FEWEST", 2)
    put_into_force(plan_with())
    with world.at_work(world.SETUP) as by:
        snapshot = make_snapshot(by=by)
    for kind in ("pooled", "look"):
        with world.at_work(who("statistician")) as by:
            run = pooled.start_run(snapshot=snapshot, kind=kind, by=by)
        pooled_tasks.execute(str(run.pk))
    irma, coen, cora = new_page(), new_page(width="tablet"), new_page(dark=True)
    sign_in(irma, "independent")
    irma.get_by_role("link", name="Begin the planned look: early").click()
    check_axe(irma)
    irma.get_by_role("button", name="Begin this look").click()
    expect(irma.get_by_text("Waits for its turn.")).to_be_visible()
    with world.at_work(who("independent")):
        begun = ComparativeRun.objects.get()
    compute(begun)
    irma.goto(LISTED)
    check_axe(irma)
    sign_in(coen, "dmc")
    coen.get_by_role("link", name="Read Look 1 (early) and recommend").click()
    expect(coen.get_by_text("What stopping could still save")).to_be_visible()
    check_axe(coen)
    coen.get_by_role("link", name="Recommend").click()
    check_axe(coen)
    coen.get_by_label("Continue as planned").check()
    coen.get_by_label("Reasons").fill("The bound was not crossed, and nobody was harmed.")
    coen.get_by_role("button", name="Write this recommendation").click()
    sign_in(cora, "chair")
    for page in (coen, cora):
        page.goto(f"{LISTED}1/")
        page.get_by_role("link", name="Sign the recommendation").click()
        page.get_by_label("Your password").fill(world.PASSWORD)
        page.get_by_role("button", name="Sign the recommendation").click()
        expect(page.get_by_role("table", name="Signatures")).to_be_visible()
    check_axe(cora)
    cora.get_by_role("link", name="Tell the team").click()
    cora.get_by_role("button", name="Tell the team").click()
    coen.goto(f"{LISTED}ask/")
    check_axe(coen)
    stan = new_page()
    sign_in(stan, "statistician")
    expect(stan.get_by_text("Nothing else of a look at the data is told.")).to_be_visible()
    for name in ("Looks before the end on a fake arm", "Pooled figures"):
        stan.goto("/analysis/")
        stan.get_by_role("row", name=name).get_by_role("link", name="Open").click()
        check_axe(stan)
