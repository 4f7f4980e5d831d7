"""The plan's sensitivity analyses from a long table: equal to rbmi, to the planned model, and to what the formulas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.fitting import fit_model
from analysis.methods.imputation import Strategy
from analysis.methods.lots import lots_of
from analysis.methods.multiplicity import fixed_sequence
from analysis.methods.problems import Refused
from analysis.methods.references import Events, Wide, imputed_difference, turning_point, wide_of
from analysis.methods.rerandomization import observe

FOLDER = Path(__file__).parent / "references"
RBMI: dict[str, Any] = json.loads((FOLDER / "rct_a_rbi.json").read_text(encoding="utf-8"))["results"]
NAMES: dict[Strategy, str] = {"mar": "MAR", "j2r": "JR", "cir": "CIR", "cr": "CR"}
VISITS = ("12", "18")


def _table() -> pd.DataFrame:
    long = pd.read_csv(FOLDER / "rct_a.csv")
    first = long[long["time"] == 0][["id", "y"]].rename(columns={"y": "start"})
    return long.merge(first, on="id").astype({"id": str, "arm": str, "time": str, "site": str})


TABLE = _table()


def _spec(model: str = "mmrm", **more: object) -> FitSpec:
    keys = {"data": "x", "outcome": "y", "subject": "id", "visit": "time", "arm": "arm", "reference": "0"}
    return read_fit_spec({**keys, "model": model, "covariates": ["site"], "categorical": ["site"], **more})


MMRM = _spec(visits=list(VISITS), baseline="start")


def _wide() -> tuple[Wide, Events]:
    wide = wide_of(TABLE, MMRM, VISITS, "start", "1")
    last = np.isnan(wide.outcomes[:, 1])
    gone = np.isnan(wide.outcomes[:, 0])
    return wide, Events(
        {p: "12" if g else "18" for p, lost, g in zip(wide.people, last, gone, strict=True) if lost}, {}
    )


WIDE, EVENTS = _wide()


@pytest.mark.parametrize("strategy", NAMES)
def test_each_strategy_from_the_long_table_equals_rbmi(strategy: Strategy) -> None:
    (found,) = imputed_difference(WIDE, EVENTS, MMRM, strategy)
    wanted = RBMI[NAMES[strategy]]
    ours = [found.estimate, found.se, found.lower, found.upper]
    assert ours == pytest.approx([wanted[k] for k in ("est", "se", "lci", "uci")], rel=2e-5)


def test_the_shift_goes_to_values_after_the_event_and_turns_the_answer_where_the_interval_says() -> None:
    deltas = (0.0, -5.0, -10.0)
    rows = imputed_difference(WIDE, EVENTS, MMRM, "mar", deltas)
    nobody = imputed_difference(WIDE, Events({}, {}), MMRM, "mar", deltas)
    assert len({one.estimate for one in nobody}) == 1
    turns = turning_point((rows[0], rows[1], rows[2]))
    assert turns is not None
    (at,) = imputed_difference(WIDE, EVENTS, MMRM, "mar", (turns,))
    assert min(abs(at.lower), abs(at.upper)) < 1e-7
    assert turning_point((at, rows[1], rows[2])) in (0.0, turns) or at.lower > 0
    assert turning_point((nobody[0], nobody[1], nobody[2])) is None


def test_who_died_has_no_value_and_a_value_after_death_is_refused() -> None:
    lost = [p for p, y in zip(WIDE.people, WIDE.outcomes, strict=True) if np.isnan(y[1])][:3]
    (found,) = imputed_difference(WIDE, Events(EVENTS.event, dict.fromkeys(lost, "18")), MMRM, "j2r")
    assert found.analyzed == len(WIDE.people) - 3


@pytest.mark.parametrize(
    "spec",
    [
        MMRM,
        _spec("clda", visits=["0", *VISITS]),
        _spec("lmm", visits=["0", *VISITS]),
        _spec("lmm", visits=["0", *VISITS], random=["site", "id"], covariates=[], categorical=[]),
    ],
)
def test_the_statistic_of_the_lot_as_it_fell_is_that_of_the_planned_model(spec: FitSpec) -> None:
    lots = lots_of(TABLE, spec, "18", "1")
    one = next(d.value for d in fit_model(TABLE, spec).differences if d.visit == "18")
    assert one.estimate is not None
    assert one.se is not None
    assert observe(lots.statistic, lots.arms) == pytest.approx(one.estimate / one.se, rel=1e-7)
    arms = dict(zip(TABLE["id"], TABLE["arm"], strict=True))
    assert [lots.levels[code] for code in lots.arms] == [arms[person] for person in lots.people]
    flipped = np.asarray(lots.statistic(1 - lots.arms[None, :]))
    assert flipped[0] == pytest.approx(-one.estimate / one.se, rel=1e-5)


def test_another_lot_has_the_statistic_of_a_table_with_its_arms() -> None:
    lots = lots_of(TABLE, MMRM, "18", "1")
    drawn = np.random.default_rng(3).permutation(lots.arms)
    named = {person: lots.levels[code] for person, code in zip(lots.people, drawn, strict=True)}
    table = TABLE.assign(arm=[named.get(one, "0") for one in TABLE["id"]])
    value = next(d.value for d in fit_model(table, MMRM).differences if d.visit == "18")
    assert value.estimate is not None
    assert value.se is not None
    assert np.asarray(lots.statistic(drawn[None, :]))[0] == pytest.approx(value.estimate / value.se, rel=1e-5)


def test_what_has_no_contrast_is_refused() -> None:
    with pytest.raises(Refused, match="no_statistic"):
        lots_of(TABLE, MMRM, "24", "1")
    with pytest.raises(Refused, match="fit_column"):
        wide_of(TABLE.drop(columns="start"), MMRM, VISITS, "start", "1")


def test_a_fixed_sequence_ends_where_nothing_could_be_tested() -> None:
    assert fixed_sequence([0.01, 0.2, 0.03]) == [0.01, 0.2, 0.2]
    assert fixed_sequence([0.01, None, 0.03]) == [0.01, None, None]
