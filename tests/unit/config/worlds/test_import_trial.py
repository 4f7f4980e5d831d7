"""The published trial comes in through the actions: whole, once, and only where it may."""

import csv
import datetime as dt
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded import tasks as comparative_tasks
from analysis.unblinded.models import ComparativeRun
from tests import workers, world
from trial.config.leakcheck.data import look
from trial.config.stations import trial_notice
from trial.config.worlds import btheb, closing, stage
from trial.core import clock, db, side

FOLDER = world.ROOT / "protocols" / "btheb"
REFERENCES = world.ROOT / "tests" / "statistics" / "references" / "btheb.json"
FOLLOW_UPS = ("bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m")


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO((folder / "data.csv").read_text())))


def one(owner: psycopg.Connection[Any], query: str) -> Any:
    return owner.execute(query).fetchone()[0]  # type: ignore[arg-type, index]


def column(owner: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in owner.execute(query).fetchall()]  # type: ignore[arg-type]


def notice() -> str:
    with world.at_work(world.SETUP):
        return trial_notice()


SCORES = (
    "select s.value::int from entry_score s join entry_form f on f.id = s.form_id"
    " join unblinded_allocation a on a.participant_id = f.participant_id where f.visit = '{}' order by a.position"
)


def test_the_whole_file_comes_in_and_its_analysis_is_the_published_one(
    empty: psycopg.Connection[Any], tmp_path: Path
) -> None:
    said: list[str] = []
    btheb.Import(FOLDER, said.append).run()
    rows = rows_of(FOLDER)
    cells = {c: [int(row[c]) for row in rows if row[c] != "NA"] for c in ("bdi.pre", *FOLLOW_UPS)}
    assert (
        one(empty, "select count(*) from participants_participant where randomized_at is not null") == len(rows) == 100
    )
    for visit, name in zip(("M0", "M2", "M3", "M5", "M8"), cells, strict=True):
        assert column(empty, SCORES.format(visit)) == cells[name]
        states = "select count(*) from visits_visitoutcome where visit = '{}' and outcome = 'attended'"
        assert one(empty, states.format(visit)) == len(cells[name])
    missed = "select count(*) from visits_visitoutcome where outcome = 'missed' and reason = 'other'"
    assert one(empty, missed) == 400 - sum(len(cells[c]) for c in FOLLOW_UPS) == 120
    assert column(empty, "select arm from unblinded_allocation order by position") == [row["treatment"] for row in rows]
    released = one(empty, "select payload from participants_release where payload -> 'spec' ->> 'kind' is null")
    planned = one(empty, "select payload from participants_release where payload -> 'spec' ->> 'kind' = 'plan'")
    _equals_mmrm(planned["result"])
    again = _through_queue_and_worker(empty, tmp_path)
    for result in (released["result"], again):
        for method in ("ml", "reml"):
            _equals_r(
                result["analyses"][method]["fit"],
                json.loads(REFERENCES.read_text())[f"random_intercept_{method}"],
            )
    _the_end_was_played_by_those_whose_work_it_is(empty)
    before = look(catalog=False)
    btheb.Import(FOLDER, said.append).run()
    assert look(catalog=False).differences(before) == {}
    assert "already" in said[-1]


def _through_queue_and_worker(owner: psycopg.Connection[Any], folder: Path) -> dict[str, Any]:
    """The same analysis once more: queued, and computed by real workers that hold the unblinded credential only; the first is killed."""
    independent = stage.person("independent")
    started = "select attempt > 0 from unblinded_comparative_run where id = '{}'"
    ended = "select state in ('succeeded', 'failed', 'cancelled') from unblinded_comparative_run where id = '{}'"
    with workers.broker(folder) as urls:
        with workers.worker("unblinded", urls, folder / "killed.log") as killed:
            with world.at_work(independent):
                run = comparative.start_run(snapshot=Snapshot.objects.get(after_lock=True), by=independent)
            workers.wait_until(lambda: one(owner, started.format(run.pk)), what="the first worker")
            killed.kill()
        with side.unblinded(), db.unit_of_work(by=world.SETUP):
            late = clock.now() - dt.timedelta(minutes=2)
            ComparativeRun.objects.filter(pk=run.pk, state="running").update(heartbeat_at=late)
        comparative_tasks.sweep()
        with workers.worker("unblinded", urls, folder / "worker.log"):
            workers.send("unblinded", comparative.TASK, [str(run.pk)])
            workers.wait_until(lambda: one(owner, ended.format(run.pk)), what="the analysis in the worker")
    result: dict[str, Any] = one(owner, f"select result from unblinded_comparative_run where id = '{run.pk}'")
    assert result is not None, (folder / "worker.log").read_text()
    # what follows counts the runs of the played trial
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute("delete from unblinded_comparative_run where id = %s", [run.pk])
    return result


def _equals_r(fit: dict[str, Any], reference: dict[str, Any]) -> None:
    """Estimates and standard errors within 1e-5 of themselves, the log-likelihood within 1e-4."""
    names = {"Intercept": "(Intercept)", "bdi_baseline": "bdi.pre", "months": "month", "drug[T.1]": "drugYes",
             "length[T.1]": "length>6m", "arm[T.BtheB]": "treatmentBtheB"}  # fmt: skip
    ours = {names[c["name"]]: (c["estimate"], c["se"]) for c in fit["coefficients"]}
    coef = reference["coef"]
    theirs = {n: (e, s) for n, e, s in zip(coef["names"], coef["estimate"], coef["se"], strict=True)}
    assert set(ours) == set(theirs)
    for name, pair in theirs.items():
        assert ours[name] == pytest.approx(pair, rel=1e-5)
    assert fit["log_likelihood"] == pytest.approx(reference["logLik"], abs=1e-4)
    assert (fit["rows"], fit["subjects"]) == (reference["n_obs"], reference["n_subjects"])


def _equals_mmrm(result: dict[str, Any]) -> None:
    """The plan's MMRM with both degrees of freedom, and the random intercepts of the book beside it.

    The reference stops 3e-7 below the maximum, and its Kenward-Roger has a second-derivative term, which the linear one has not: the
    df are the same.
    """
    expected = json.loads(REFERENCES.with_name("repeated_measures.json").read_text())["btheb"]
    fits = {fit["code"]: fit["answer"] for fit in result["fits"]}
    for code, df in (("primary", "satterthwaite"), ("other_df", "kenward_roger")):
        theirs = expected[f"mmrm_unstructured_{df}"]
        assert fits[code]["logLik"] == pytest.approx(theirs["logLik"], abs=1e-6)
        for ours, row in zip(fits[code]["differences"], theirs["differences"], strict=True):
            assert ours["estimate"] == pytest.approx(row["estimate"], abs=1e-4 * row["SE"])
            assert ours["df"] == pytest.approx(row["df"], rel=5e-5)
            if df == "satterthwaite":
                assert ours["se"] == pytest.approx(row["SE"], rel=3e-5)
    for method in ("ml", "reml"):
        theirs = json.loads(REFERENCES.read_text())[f"random_intercept_{method}"]
        mine = fits[f"book_{method}"]["coefficients"]
        assert sorted(mine["estimate"]) == pytest.approx(sorted(theirs["coef"]["estimate"]), rel=1e-5)
        assert sorted(mine["se"]) == pytest.approx(sorted(theirs["coef"]["se"]), rel=1e-5)
        assert fits[f"book_{method}"]["logLik"] == pytest.approx(theirs["logLik"], abs=1e-4)


def _the_end_was_played_by_those_whose_work_it_is(owner: psycopg.Connection[Any]) -> None:
    who = "select u.username from {} r join core_user u on u.id::text = r.{}"
    assert column(owner, who.format("participants_databaselock", "locked_by")) == ["datamanager"]
    assert column(owner, who.format("participants_unblindingrequest", "requested_by")) == ["sponsor"]
    assert column(owner, who.format("unblinded_planned_unblinding", "confirmed_by")) == ["independent"]
    assert column(owner, who.format("unblinded_comparative_run", "created_by")) == ["independent"] * 2
    assert set(column(owner, who.format("pooled_pooledrun", "created_by"))) == {"statistician"}
    runs = "select state from pooled_pooledrun union all select state from unblinded_comparative_run"
    assert column(owner, runs) == ["succeeded"] * 5
    assert column(owner, "select after_lock from snapshots_snapshot order by made_at") == [False, True]


class Killed(BaseException):
    """The process dies here."""


def test_killed_and_called_again_it_ends_the_same(
    empty: psycopg.Connection[Any], small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    btheb.Import(small, print).run()
    whole = look(catalog=False)
    from tests.blinding.one_database import reset

    reset(empty)
    deaths = [
        (btheb, "_fill", 3),
        (stage, "answer_request", 9),
        (btheb.visits, "record_missed", 4),
        (closing.disclosure, "confirm_planned_unblinding", 1),
        (closing.comparative_tasks, "compute_run", 1),
        (closing.comparative, "release_result", 1),
        (closing.closed_report_tasks, "compute_report", 1),
        (closing.closed_reports, "release_report", 1),
    ]
    for module, name, call in deaths:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, _dies(getattr(module, name), call))
            with pytest.raises(Killed):
                btheb.Import(small, print).run()
        assert "Import under way" in notice()
    btheb.Import(small, print).run()
    assert notice() == ""
    assert {t: d for t, d in look(catalog=False).differences(whole).items() if t not in _MAY_DIFFER} == {}
    results = column(empty, "select result_sha256 from unblinded_comparative_run")
    assert len(results) == 2
    assert len(column(empty, "select 1 from unblinded_allocation")) == len(rows_of(small))
    assert _without_keys(look(catalog=False).tables["core_history"]) == _without_keys(whole.tables["core_history"])


_MAY_DIFFER = {"core_user", "core_history", "pooled_pooledrun"}
"""Salted passwords; keys of history rows, drawn from a sequence that a killed process leaves with gaps; instants of progress."""


def _without_keys(rows: list[str]) -> list[str]:
    """History rows without their running number and without what is salted or timed by a run."""
    kept = [re.sub(r"^\((\d+),", "(", row) for row in rows]
    return sorted(row for row in kept if "pooled_pooledrun" not in row and "core_user" not in row)


def _dies(function: Any, at: int) -> Any:
    calls = 0

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return function(*args, **kwargs)

    return run


def test_every_bad_row_is_named_and_nothing_is_written(empty: psycopg.Connection[Any], small: Path) -> None:
    lines = (small / "data.csv").read_text().splitlines()
    lines[2] = lines[2].replace("BtheB", "placebo")
    lines[4] = lines[4].replace(",21,17,16,10,9", ",99,17,-1,10,9.5")
    lines[5] = '1,"No"'
    lines[6] = lines[1]
    lines[7] = ""  # a blank line is passed over, and counts
    lines[8] += ",12,7"
    (small / "data.csv").write_text("\ufeff" + "\n".join(lines))  # as a spreadsheet writes it
    with pytest.raises(CommandError) as refused:
        btheb.Import(small, print).run()
    found = str(refused.value).splitlines()
    assert len(found) == 8, found
    assert found[1].startswith("Row 3: treatment 'placebo'")
    assert found[2].startswith("Row 5: bdi.pre '99'")
    assert found[3].startswith("Row 5: bdi.3m '-1'")
    assert found[4].startswith("Row 5: bdi.8m '9.5'")
    assert found[5].startswith("Row 6: it has fewer")
    assert found[6].startswith("Row 7: subject '1' is no whole number, or stands twice")
    assert found[7].startswith("Row 9: it has more than 9 columns")
    assert one(empty, "select count(*) from core_history") == 0


def test_a_file_that_cannot_be_read_is_refused_plainly(empty: psycopg.Connection[Any], small: Path) -> None:
    (small / "data.csv").write_bytes(b"subject,drug\n1,\xff\n")
    with pytest.raises(CommandError, match="is not UTF-8"):
        btheb.Import(small, print)
    (small / "data.csv").unlink()
    with pytest.raises(CommandError, match="Cannot read"):
        btheb.Import(small, print)


def test_a_file_without_its_columns_is_refused(empty: psycopg.Connection[Any], small: Path) -> None:
    (small / "data.csv").write_text("subject,drug\n1,No\n")
    with pytest.raises(CommandError, match=r"Row 1: the columns length, treatment, .* are missing"):
        btheb.Import(small, print).run()


def test_preview_writes_nothing(empty: psycopg.Connection[Any]) -> None:
    out = StringIO()
    call_command("import_trial", str(FOLDER), "--preview", stdout=out)
    assert "100 participants; arms: BtheB 52, TAU 48." in out.getvalue()
    assert "280 of 400 follow-up visits with a score; 120 recorded as missed" in out.getvalue()
    assert one(empty, "select count(*) from core_history") == 0


def test_only_into_an_empty_trial(empty: psycopg.Connection[Any], small: Path) -> None:
    world.open_trial("imr")
    before = one(empty, "select count(*) from core_history")
    with pytest.raises(CommandError, match="not empty"):
        btheb.Import(small, print).run()
    assert one(empty, "select count(*) from core_history") == before


def test_another_file_is_refused_once_one_is_under_way(
    empty: psycopg.Connection[Any], small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(btheb, "_fill", _dies(btheb._fill, 1))
        with pytest.raises(Killed):
            btheb.Import(small, print).run()
    with pytest.raises(CommandError, match="Another file"):
        btheb.Import(FOLDER, print).run()


def test_never_into_a_real_trial(empty: psycopg.Connection[Any], small: Path, settings: Any) -> None:
    settings.SCRATCH = settings.DEMO = False
    with pytest.raises(CommandError, match="demo and scratch"):
        btheb.Import(small, print).run()
    assert one(empty, "select count(*) from core_history") == 0


def test_a_worker_waits_until_the_player_has_gone(empty: psycopg.Connection[Any]) -> None:
    """Its answer would carry today's date instead of the nominal day."""
    import os

    from trial.unblinded.randomization.actions import LOCK

    with psycopg.connect(os.environ["ALLOCATOR_DATABASE_URL"], autocommit=True) as worker:
        worker.execute("set lock_timeout = '200ms'")
        with stage.alone():
            with pytest.raises(psycopg.errors.LockNotAvailable):
                worker.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            assert django_settings.TASK_SENDER.endswith("send_nothing")
        worker.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    assert not django_settings.TASK_SENDER.endswith("send_nothing")
