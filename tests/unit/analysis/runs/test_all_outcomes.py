"""A run over all outcomes and the published comparisons: what they compute, how they are told, and the wall around them."""

import csv
import dataclasses
import io
import json
import re
import uuid
from functools import cache
from html import unescape
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.methods.canonical import digest, encode, plain
from analysis.methods.problems import Refused as MethodRefused
from analysis.methods.progress import Cancelled, Watch
from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.models import PooledRun
from analysis.pooled.presenters import stage_words
from analysis.reports import outcomes, published
from analysis.reports.presenters import result_context
from analysis.runs import compute, executor, plans, rehearsal
from analysis.runs.joined import Joined, as_csv
from analysis.snapshots.models import Snapshot
from tests import world
from tests.crawl import Crawl
from tests.programs import Program
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.test_specs import as_stored
from trial.core import side
from trial.core.errors import Refused
from trial.core.models import User
from trial.core.ui.tables import as_csv as table_csv
from trial.protocol.queries import version

TWELVE = [
    "imrs_client",
    "cses",
    "mspss",
    "insight",
    "asi",
    "bsi",
    "sfs",
    "mhrm",
    "ismi",
    "sers",
    "imrs_clinician",
    "ses",
]


def frozen(kind: str, **changes: Any) -> dict[str, Any]:
    protocol = dataclasses.replace(world.read("imr"), **changes)
    return as_stored(json.loads(json.dumps(plans.FROZEN[kind](protocol))))  # type: ignore[no-any-return]


def join(content: bytes, plan: dict[str, Any], seed: int = 7) -> dict[str, Joined]:
    return rehearsal.fake_join(compute.numbers_of(content), seed, plan)


def few(plan: dict[str, Any], number: int = 3) -> dict[str, Any]:
    return plan | {"outcomes": plan["outcomes"][:number]}


@cache
def stored_scales() -> tuple[dict[str, Any], dict[str, Any]]:
    plan = frozen("scales")
    return plan, as_stored(plain(compute.scales(table(), join(table(), plan), plan)))


@cache
def stored_published() -> tuple[dict[str, Any], dict[str, Any]]:
    plan = few(frozen("published"))
    return plan, as_stored(plain(compute.published(table(), join(table(), plan), plan)))


# --- what is computed


def test_all_twelve_scales_the_primary_first_with_rater_and_blindness() -> None:
    plan, stored = stored_scales()
    assert [o["code"] for o in plan["outcomes"]] == TWELVE
    assert [o["code"] for o in stored["outcomes"]] == TWELVE
    assert [o["role"] for o in plan["outcomes"]] == ["primary"] + ["secondary"] * 11
    raters = {o["code"]: (o["rater"], o["rater_blind"]) for o in plan["outcomes"]}
    assert raters["imrs_client"] == ("participant", False)
    assert raters["imrs_clinician"] == raters["ses"] == ("clinician", False)
    for outcome, found in outcomes.pairs(plan, stored):
        assert outcome["spec"]["unit"] == "stratum"
        analysis = found["analysis"]
        assert [d["visit"] for d in analysis["differences"]] == ["T1", "T2", "T3"]
        assert analysis["joint"]["df"] == 2
        assert analysis["fit"]["units"] == 4
        assert analysis["fit"]["convergence"]["status"] in ("converged", "converged_with_warnings", "boundary")
        assert analysis["counts"]["subjects"] == 44
        assert len(analysis["means"]) == 6
    lower = next(o for o in plan["outcomes"] if o["code"] == "bsi")
    assert lower["spec"]["better"] == "lower"


def test_the_p_of_the_secondary_outcomes_are_adjusted_by_holm_and_that_of_the_primary_is_not() -> None:
    plan, stored = stored_scales()
    both = outcomes.pairs(plan, stored)
    assert stored["outcomes"][0]["holm"] is None
    values = [outcomes.primary_difference(o, f)["value"]["p"] for o, f in both[1:]]  # type: ignore[index]
    assert min(f["holm"] for _o, f in both[1:]) == pytest.approx(min(1, 11 * min(values)))
    assert all(f["holm"] >= p for (_o, f), p in zip(both[1:], values, strict=True))


def test_an_outcome_without_data_is_na_with_the_reason_and_the_others_go_on() -> None:
    plan = few(frozen("scales"))
    rows = list(csv.DictReader(io.StringIO(table().decode())))
    for row in rows:
        row["cses"] = ""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = out.getvalue().encode()
    stored = as_stored(plain(compute.scales(content, join(content, plan), plan)))
    empty = stored["outcomes"][1]
    assert (empty["analysis"], empty["holm"]) == (None, None)
    shown = outcomes.outcomes_result(plan, stored)
    line = next(row for row in shown.table.rows if "Coping" in str(row[0]) or "CSES" in str(row[0]))  # type: ignore[union-attr]
    assert "NA" in line
    assert any("No row has a value" in str(c.text) for c in shown.certainty)
    assert shown.charts
    assert "not estimable and not drawn" in str(shown.charts[0].sentence)


def test_nothing_at_all_is_refused_in_words() -> None:
    plan = few(frozen("scales"))
    lines = table().decode().splitlines()
    blank = "\n".join(
        [lines[0], *(",".join([*line.split(",")[:6], *[""] * (lines[0].count(",") - 5)]) for line in lines[1:])]
    )
    with pytest.raises(MethodRefused) as refused:
        compute.scales(blank.encode() + b"\n", join(table(), plan), plan)
    assert "nothing_to_analyze" in [p.code for p in refused.value.problems]


def test_the_standardized_effect_of_selected_groups_rests_on_everybody_randomized() -> None:
    plan, stored = stored_published()
    everybody = compute.scales(table(), join(table(), plan), plan)["outcomes"]
    for comparison in stored["comparisons"]:
        for whole, found in zip(everybody, comparison["outcomes"], strict=True):
            assert whole["analysis"] is not None
            assert found["analysis"]["standard_deviation"]["value"] == pytest.approx(
                whole["analysis"].standard_deviation.value, rel=1e-9
            )
            assert found["analysis"]["standard_deviation"]["n"] == 44
            assert found["analysis"]["counts"]["subjects"] < 44


def test_nobody_s_sessions_known_means_no_published_comparison() -> None:
    plan = few(frozen("published"))
    only_arms = {n: Joined(person.arm) for n, person in join(table(), plan).items()}
    with pytest.raises(MethodRefused, match="no_exposure"):
        compute.published(table(), only_arms, plan)


def test_a_class_with_nobody_is_left_out_and_counted_as_nobody() -> None:
    plan = few(frozen("published"), 1)
    people = {n: dataclasses.replace(p, fidelity_band=None) for n, p in join(table(), plan).items()}
    stored = as_stored(plain(compute.published(table(), people, plan)))
    fidelity = stored["comparisons"][1]
    assert fidelity["classes"] == []
    assert fidelity["outcomes"][0]["problems"][0]["code"] == "nobody_selected"
    assert {line["code"]: line["people"] for line in fidelity["selection"]}["high"] == 0
    assert published.sections(plan, stored)[1].sentence == "Nobody belongs to a group that is compared."


def test_without_records_there_is_no_table_of_admissions_and_unknown_ones_are_na() -> None:
    plan = few(frozen("scales", records=None), 1)
    stored = as_stored(plain(compute.scales(table(), join(table(), plan), plan)))
    assert outcomes.admissions_table(plan, stored) is None
    plan = few(frozen("scales"), 1)
    unknown = {n: Joined(person.arm) for n, person in join(table(), plan).items()}
    stored = as_stored(plain(compute.scales(table(), unknown, plan)))
    shown = outcomes.admissions_table(plan, stored)
    assert shown is not None
    assert [row[-2:] for row in shown.rows] == [["NA", "NA"]] * 3
    assert any("no records are known" in str(c.text) for c in outcomes.admissions_certainty(stored))


# --- fake values


def test_fake_values_depend_on_the_number_and_the_seed_alone() -> None:
    plan = frozen("published")
    numbers = [f"{n:08}" for n in range(4000)]
    all_of_them = rehearsal.fake_join(numbers, 11, plan)
    assert rehearsal.fake_join(numbers[:7], 11, plan) == {n: all_of_them[n] for n in numbers[:7]}
    assert rehearsal.fake_join(numbers, 12, plan) != all_of_them
    share = sum(p.arm == "imr" for p in all_of_them.values()) / 4000
    assert abs(share - 0.6) < 3.3 * (0.6 * 0.4 / 4000) ** 0.5
    for person in all_of_them.values():
        assert (person.attended is None) == (person.arm == "cau")
        assert (person.fidelity_band is None) == (person.arm == "cau")
        assert person.completed is None or person.completed == ((person.attended or 0) >= 20)
        assert (person.days_after == 0) == (not person.admitted_after)
    bands = {p.group: p.fidelity_band for p in all_of_them.values() if p.group}
    assert all(p.fidelity_band == bands[p.group] for p in all_of_them.values() if p.group)
    assert set(bands.values()) == {"high", "moderate", "low"}


def test_the_extract_has_the_columns_that_anybody_has_a_value_in() -> None:
    assert as_csv({"2": Joined("cau"), "1": Joined("imr")}) == b"participant,arm\n1,imr\n2,cau\n"
    rich = {"1": Joined("imr", "g1", 12, True), "2": Joined("cau")}
    assert as_csv(rich) == b"participant,arm,group,attended,completed\n1,imr,g1,12,1\n2,cau,,,\n"


# --- progress, and being stopped


def test_progress_goes_through_the_outcomes_and_never_back() -> None:
    plan = few(frozen("scales"))
    told: list[tuple[str, float]] = []
    compute.scales(table(), join(table(), plan), plan, Watch(report=lambda stage, share: told.append((stage, share))))
    assert list(dict.fromkeys(stage for stage, _share in told)) == ["1/3 imrs_client", "2/3 cses", "3/3 mspss"]
    shares = [share for _stage, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    run = PooledRun(spec=plan, stage="2/3 cses")
    assert stage_words(run) == f"Outcome 2 of 3: {plan['outcomes'][1]['name']}"


@pytest.mark.parametrize("kind", ["scales", "published"])
def test_a_run_that_is_told_to_stop_stops_at_its_next_step(kind: str) -> None:
    plan = few(frozen(kind))
    steps: list[str] = []

    def cancelled() -> bool:
        return len(steps) > 5

    with pytest.raises(Cancelled):
        compute.computed(table(), join(table(), plan), plan, Watch(lambda stage, share: steps.append(stage), cancelled))
    assert len(steps) <= 7


# --- how it is told


def test_every_line_says_who_rated_and_whether_blind() -> None:
    plan, stored = stored_scales()
    shown = outcomes.overview(plan, stored, None)
    assert [row[1] for row in shown.rows].count("participant, not blind") == 10
    assert [row[1] for row in shown.rows].count("clinician, not blind") == 2
    admissions = outcomes.admissions_table(plan, stored)
    assert admissions is not None
    assert {row[1] for row in admissions.rows} == {"record, not blind"}
    for section in published.sections(*stored_published()):
        assert all("not blind" in row[1] for row in section.table.rows)


def test_one_sentence_for_the_primary_with_estimate_interval_and_p() -> None:
    sentence = outcomes.outcomes_sentence(*stored_scales())
    assert re.fullmatch(
        r"At T3, 18 months, IMR Scale, client version in IMR and care as usual is [\d.]+ points (higher|lower) than in"
        r" Care as usual \(95 % interval \S+ to \S+, p\xa0[=<]\xa0\S+\)\.",
        sentence,
    ), sentence


def test_the_forest_plot_has_every_outcome_and_marks_the_primary() -> None:
    drawn = outcomes.forest(*stored_scales())
    assert drawn is not None
    rows = drawn.spec["data"]["values"]
    assert len(rows) == 12
    assert [row["kind"] for row in rows] == ["total"] + ["part"] * 11


def test_the_csv_has_every_number_and_says_that_arms_are_fake() -> None:
    plan, stored = stored_scales()
    lines = list(csv.DictReader(io.StringIO(table_csv(outcomes.as_rows(plan, stored, fake=True)))))
    assert len(lines) == 12 * 3
    assert {line["arms"] for line in lines} == {"fake"}
    assert {line["rater_blind"] for line in lines} == {"False"}
    first = next(line for line in lines if (line["outcome"], line["visit"]) == ("imrs_client", "T3"))
    value = stored["outcomes"][0]["analysis"]["differences"][2]["value"]
    assert float(first["estimate"]) == value["estimate"]


def test_rendering_computes_nothing_it_shows_what_is_stored() -> None:
    plan, stored = stored_scales()
    changed = json.loads(json.dumps(stored))
    changed["outcomes"][0]["analysis"]["differences"][2]["value"]["estimate"] = 9.87
    assert "9.87" in outcomes.outcomes_sentence(plan, changed)
    assert any("9.87" in str(cell) for cell in outcomes.overview(plan, changed, None).rows[0])


def test_published_comparisons_say_what_they_are_and_what_they_refuse() -> None:
    plan, stored = stored_published()
    context = result_context(plan, stored)
    assert "Non-randomized comparison, as published" in str(context["label"])
    completers, fidelity = context["sections"]
    assert [row[0] for row in completers.selection.rows][:3] == [
        "Randomized to the experimental arm", "Sessions not known", "Attended no session",
    ]  # fmt: skip
    assert len(completers.table.rows) == 3
    assert len(fidelity.table.rows) == 3 * len(stored["comparisons"][1]["classes"])
    assert "re-randomization" in published.refused_words()
    assert completers.certainty[0].level == "poor"
    rows = published.as_rows(plan, stored, fake=True)
    assert {row[1] for row in rows.rows} == {"completers", "fidelity"}


# --- through the executor, and on pages


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"


@pytest.fixture
def snapshot(database: psycopg.Connection[Any]) -> Snapshot:
    """A frozen table of the IMR trial."""
    world.open_trial()
    content = table()
    with world.at_work(world.SETUP):
        made = Snapshot(
            made_by="test", protocol_version=version(), content=content, sha256=digest(content), dictionary=[],
            participants=44, rows=132, after_lock=False,
        )  # fmt: skip
        made.save(force_insert=True)
    return made


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three outcomes are enough where it is not about the outcomes."""
    every = plans._outcomes
    monkeypatch.setattr(plans, "_outcomes", lambda protocol: every(protocol)[:3])


def executed(snapshot: Snapshot, kind: str) -> PooledRun:
    with world.at_work(world.SETUP):
        run = pooled.start_run(snapshot=snapshot, kind=kind, by=world.SETUP)
    pooled_tasks.execute(str(run.pk))
    with world.at_work(world.SETUP):
        return PooledRun.objects.get(pk=run.pk)


def signed_in(role: str) -> Client:
    world.make_user(f"a_{role}", role)
    client = Client()
    assert client.post("/login/", {"username": f"a_{role}", "password": world.PASSWORD}).status_code == 302
    return client


def asks(role: str) -> Program:
    with side.opened():
        someone = world.person(User.objects.get(username=f"a_{role}"))
    return Program(someone, name=str(uuid.uuid4()))


def test_a_run_over_all_outcomes_from_the_page_to_the_csv(snapshot: Snapshot) -> None:
    run = executed(snapshot, "scales")
    assert (run.state, run.failure) == ("succeeded", [])
    content = bytes(table())
    joined = rehearsal.fake_join(compute.numbers_of(content), run.seed, run.spec)
    assert digest(encode(compute.computed(content, joined, run.spec))) == run.result_sha256
    client = signed_in("statistician")
    page = client.get(f"/analysis/{run.pk}/")
    text = page.content.decode()
    assert text.count("Nothing here is a result of the trial") >= 2
    assert "Hospital admissions" in text
    assert client.get(f"/analysis/{run.pk}/?format=csv")["Content-Disposition"].startswith(
        'attachment; filename="fake-arm-'
    )
    detail = client.get(f"/analysis/{run.pk}/outcomes/sers/")
    assert detail.status_code == 200
    assert "Nothing here is a result of the trial" in detail.content.decode()
    assert "Variance between teams" in detail.content.decode()
    assert client.get(f"/analysis/{run.pk}/outcomes/nothing/").status_code == 404
    assert client.get(f"/analysis/{uuid.uuid4()}/outcomes/sers/").status_code == 404
    first = client.get("/").content.decode()
    assert "All outcomes on a fake arm" in first
    for address in ("", "outcomes/sers/"):
        parts = asks("statistician").get(f"/api/analysis/{run.pk}/{address}").json()["parts"]
        [result] = [one for one in parts if one["kind"] == "result"]
        assert "Nothing here is a result of the trial" in result["marked"]
        assert {"table", "chart", "facts"} <= {one["kind"] for one in parts}


def test_the_published_comparisons_have_a_page_of_their_own_and_never_stand_on_a_first_page(
    snapshot: Snapshot, three: None
) -> None:
    run = executed(snapshot, "published")
    assert (run.state, run.failure) == ("succeeded", [])
    client = signed_in("statistician")
    text = client.get(f"/analysis/{run.pk}/").content.decode()
    assert "Non-randomized comparison, as published" in text
    assert "Nothing here is a result of the trial" in text
    assert "Who was selected" in text
    assert client.get(f"/analysis/{run.pk}/?format=csv").status_code == 200
    assert client.get(f"/analysis/{run.pk}/outcomes/sers/").status_code == 404
    assert "against all controls" not in client.get("/").content.decode()
    parts = asks("statistician").get(f"/api/analysis/{run.pk}/").json()["parts"]
    said = " ".join(one["text"] for one in parts if one["kind"] == "text")
    assert "Non-randomized comparison, as published" in said
    assert "Nothing here is a result of the trial" in said


NAMES = re.compile(r"IMR and care as usual|Care as usual|Completers|Randomized to the experimental arm")
MARK = " (fake)"


def unmarked(text: str) -> list[str]:
    """Where a text names an arm, or a group, and does not say that it is fake."""
    return [
        text[max(0, at.start() - 40) : at.end() + 20]
        for at in NAMES.finditer(text)
        if not text[at.end() :].startswith((MARK, " against all controls"))
    ]


@pytest.mark.parametrize("kind", ["fake", "scales", "published"])
def test_no_arm_of_a_rehearsal_looks_like_a_real_one(snapshot: Snapshot, three: None, kind: str) -> None:
    """Every page, table, figure and CSV that a run on fake arms leads to, read by following its links."""
    run = executed(snapshot, kind)
    assert run.state == "succeeded"
    client, read = signed_in("statistician"), 0
    for seen in Crawl(client, f"/analysis/{run.pk}/").pages():
        if seen.name not in ("run", "run_outcome"):
            continue
        read += 1
        if not seen.is_page:
            assert "fake-arm" in seen.answer["Content-Disposition"]
            if "json" in seen.answer["Content-Type"]:
                assert json.loads(seen.text)["arms"].startswith("fake")
                continue
            if "svg" in seen.answer["Content-Type"]:
                assert unmarked(seen.text) == []
                continue
            lines = list(csv.DictReader(io.StringIO(seen.text)))
            assert {line.get("arms") or line["\ufeffarms"] for line in lines} == {"fake"}
            assert all(line.get("group", "fake").startswith("fake") for line in lines)
            continue
        assert "Nothing here is a result of the trial" in seen.text
        assert MARK in seen.text
        assert unmarked(unescape(seen.text)) == [], seen.address
    assert read == {"fake": 1, "scales": 5, "published": 2}[kind] or read > 1
    assert unmarked("IMR and care as usual is better") != [], "the reader finds what is not marked"


def test_a_dead_worker_s_run_over_all_outcomes_begins_anew_and_ends_with_the_same_bytes(
    snapshot: Snapshot, three: None
) -> None:
    with world.at_work(world.SETUP):
        run = pooled.start_run(snapshot=snapshot, kind="scales", by=world.SETUP)

    def dies(one: Any, watch: Watch) -> dict[str, Any]:
        watch.step("2/3 cses", 0.3)
        raise SystemExit

    with pytest.raises(SystemExit):
        executor.execute(PooledRun, run.pk, dies)
    with world.at_work(world.SETUP):
        assert PooledRun.objects.get(pk=run.pk).stage == "2/3 cses"
        PooledRun.objects.filter(pk=run.pk).update(state="queued")
    pooled_tasks.execute(str(run.pk))
    with world.at_work(world.SETUP):
        done = PooledRun.objects.get(pk=run.pk)
    assert (done.state, done.attempt) == ("succeeded", 2)
    joined = rehearsal.fake_join(compute.numbers_of(table()), done.seed, done.spec)
    assert digest(encode(compute.computed(table(), joined, done.spec))) == done.result_sha256


def test_a_kind_that_the_protocol_gives_nothing_to_is_refused(snapshot: Snapshot) -> None:
    assert plans.kinds_of(world.read("btheb")) == ["plan", "primary"]
    assert plans.kinds_of(world.read("imr")) == ["plan", "primary", "scales", "published"]
    with world.at_work(world.SETUP), pytest.raises(Refused) as refused, pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.pooled.actions.protocol_of", lambda version: world.read("btheb"))
        pooled.start_run(snapshot=snapshot, kind="published", by=world.SETUP)
    assert refused.value.code == "nothing_planned"
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="pooledrun_kind"):
        PooledRun(
            kind="real", snapshot_id=snapshot.pk, snapshot_sha256=snapshot.sha256, spec={}, seed=1, code_version="x",
            environment_hash="x", created_by="x",
        ).save(force_insert=True)  # fmt: skip


def test_the_open_side_s_panels_name_no_comparative_run(snapshot: Snapshot) -> None:
    executed(snapshot, "pooled")
    for role in ("statistician", "datamanager"):
        text = signed_in(role).get("/").content.decode()
        assert "Pooled figures" in text
        assert "omparative" not in text
    assert "Rehearsal" not in signed_in("monitor").get("/").content.decode()
