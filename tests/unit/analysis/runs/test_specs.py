"""From the protocol's plan to the specification, and which of several analyses counts."""

import dataclasses
import json
from typing import Any

import pytest

from analysis.methods.canonical import plain
from analysis.methods.study import analyze
from analysis.reports.presenters import detail
from analysis.reports.rendering import model_result, pooled_result, reported
from analysis.runs import compute
from analysis.runs.specs import frozen_spec, specs_of
from tests import world


def as_stored(value: Any) -> Any:
    """What jsonb gives back: keys by length, then by letter."""
    if isinstance(value, dict):
        return {k: as_stored(value[k]) for k in sorted(value, key=lambda k: (len(k), k))}
    return [as_stored(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("order", [("ml", "reml"), ("reml", "ml")])
def test_the_first_way_of_estimation_is_reported_whatever_the_database_does_with_the_order(
    order: tuple[Any, ...],
) -> None:
    protocol = world.read("btheb")
    protocol = dataclasses.replace(protocol, analysis=dataclasses.replace(protocol.analysis, estimation=order))
    frozen = as_stored(json.loads(json.dumps(frozen_spec(protocol))))
    content = table()
    arms = {f"P{n:02}": ("BtheB", "TAU")[n % 2] for n in range(20)}
    stored = as_stored(plain(compute.comparative(content, arms, frozen)))
    assert reported(frozen, stored)["fit"]["method"] == order[0]
    assert [part["name"].lower() for part in detail(frozen, stored)] == list(order)
    assert model_result(frozen, stored).table is not None


def test_an_outcome_at_baseline_standardizes_the_trial_of_imr() -> None:
    spec = specs_of(frozen_spec(world.read("imr")))["reml"]
    assert (spec.baseline, spec.baseline_visit, spec.time.levels) == (None, "T1", ("T1", "T2", "T3"))


def test_the_baseline_is_a_covariate_in_beat_the_blues() -> None:
    specs = specs_of(frozen_spec(world.read("btheb")))
    assert {s.baseline for s in specs.values()} == {"bdi_baseline"}
    assert {s.better for s in specs.values()} == {"lower"}
    assert {s.time.form for s in specs.values()} == {"linear"}


def test_an_arm_without_rows_is_said_in_words() -> None:
    frozen = frozen_spec(world.read("btheb"))
    arms = {f"P{n:02}": "TAU" for n in range(20)}
    stored = as_stored(plain(compute.comparative(table(), arms, frozen)))
    shown = model_result(frozen, stored)
    assert "No difference could be estimated" in str(shown.sentence)
    assert "Nobody in arm BtheB" in str(shown.sentence)
    assert any("treatment" in str(c.text) or "arm[T.BtheB]" in str(c.text) for c in shown.certainty)


def test_pooled_figures_have_a_picture_and_no_arm() -> None:
    frozen = frozen_spec(world.read("btheb"))
    shown = pooled_result(frozen, as_stored(plain(compute.pooled(table(), frozen))))
    assert len(shown.charts) == 1
    assert "BtheB" not in json.dumps(shown.charts[0].spec)


def test_the_methods_take_what_the_plan_gives() -> None:
    frozen = frozen_spec(world.read("btheb"))
    with_arms = compute.with_arms(table(), {f"P{n:02}": ("BtheB", "TAU")[n % 2] for n in range(20)})
    rows = with_arms[with_arms["months"] != "0"].reset_index(drop=True)
    assert analyze(rows, specs_of(frozen)["ml"]).fit is not None


def table() -> bytes:
    """Twenty people at five visits, as a snapshot has them."""
    lines = ["participant,visit,months,bdi,bdi_baseline,drug,length"]
    for n in range(20):
        for visit, months in (("M0", 0), ("M2", 2), ("M3", 3), ("M5", 5), ("M8", 8)):
            score = 20 + (n * 7) % 11 - months + (n * months) % 4
            lines.append(f"P{n:02},{visit},{months},{score},{20 + (n * 7) % 11},{n % 3 % 2},{n // 4 % 2}")
    return ("\n".join(lines) + "\n").encode()
