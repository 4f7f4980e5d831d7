"""The tipping-point map: equal to fitting, imputing, shifting and regressing anew at each pair of shifts; the line is where the interval says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.methods import references
from analysis.methods.imputation import Case, Fitted, Shiftable, impute, shiftable
from analysis.methods.references import Events, imputed_difference, retrieved_difference, shiftable_difference
from analysis.methods.tipping import answer_of, tipping_map
from tests.statistics.test_lots_and_references import EVENTS, MMRM, WIDE

GRID = tuple(8.0 * n for n in range(-5, 6))


@pytest.fixture(scope="module")
def given() -> tuple[Shiftable, Case, Fitted, list[Fitted]]:
    """What a map is read from, and the fits that it rests on: of everybody, and without each."""
    kept: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "shiftable", lambda *a, **k: kept.append(a) or shiftable(*a, **k))
        found = shiftable_difference(WIDE, EVENTS, MMRM, "mar")
    case, full, without, _strategy = kept[0]
    return found, case, full, without


def anew(case: Case, full: Fitted, without: list[Fitted], x: float, y: float) -> tuple[float, float]:
    """Estimate and standard error with the values themselves shifted, and every regression done again."""
    n = len(case.outcomes)
    stopped = case.imputed[:, -1] & case.experimental & (case.ice < case.outcomes.shape[1])
    add = x * stopped + y * (case.imputed[:, -1] & ~case.experimental)

    def coefficient(fit: Fitted, rows: np.ndarray) -> float:
        shifted = impute(case, fit, "mar")[:, -1] + add
        return float(np.linalg.lstsq(case.analysis[rows], shifted[rows], rcond=None)[0][0])

    left = np.array([coefficient(without[i], np.arange(n) != i) for i in range(n)])
    return coefficient(full, np.full(n, True)), float(np.sqrt((n - 1) / n * np.square(left - left.mean()).sum()))


@pytest.mark.parametrize("shift", [(0.0, 0.0), (-16.0, 0.0), (0.0, 24.0), (-40.0, 32.0), (13.7, -5.1)])
def test_every_pair_of_shifts_is_what_refitting_gives(
    given: tuple[Shiftable, Case, Fitted, list[Fitted]], shift: tuple[float, float]
) -> None:
    found, case, full, without = given
    one = found.at(*shift)
    assert (one.estimate, one.se) == pytest.approx(anew(case, full, without, *shift), rel=1e-9)
    vector = np.array([1.0, *shift])
    assert np.sqrt(vector @ found.spread @ vector) == pytest.approx(one.se, rel=1e-10)


def test_without_a_shift_of_controls_the_map_is_the_curve(
    given: tuple[Shiftable, Case, Fitted, list[Fitted]],
) -> None:
    curve = imputed_difference(WIDE, EVENTS, MMRM, "mar", GRID)
    row = [one for one in tipping_map(given[0], GRID).cells if one.reference == 0]
    assert [(one.experimental, one.estimate, one.lower, one.p) for one in row] == [
        (one.delta, one.estimate, one.lower, one.p) for one in curve
    ]


def test_the_line_is_where_an_end_of_the_interval_is_0_and_parts_what_turned(
    given: tuple[Shiftable, Case, Fitted, list[Fitted]],
) -> None:
    found = given[0]
    over = tipping_map(found, GRID)
    assert (over.moved_experimental, over.moved_reference) == found.moved
    assert min(found.moved) > 0
    assert len(over.cells) == len(GRID) ** 2
    assert over.line
    for at in over.line:
        one = found.at(at.experimental, at.reference)
        assert abs(getattr(one, at.bound)) < 1e-7
    assert {one.turned for one in over.cells} == {True, False}
    assert over.turned == sum(one.turned for one in over.cells)
    without = answer_of(found.at(0, 0))
    assert all(one.turned == (answer_of(found.at(one.experimental, one.reference)) != without) for one in over.cells)


def test_who_died_is_not_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fit is needed to see it."""
    monkeypatch.setattr(references, "_again", lambda *a: None)
    monkeypatch.setattr(references, "shiftable", lambda case, *a, **k: case)
    lost = [
        p
        for p, y, mine in zip(WIDE.people, WIDE.outcomes, WIDE.experimental, strict=True)
        if np.isnan(y[1]) and not mine
    ]
    dead = Events(EVENTS.event, dict.fromkeys(lost[:2], "18"))
    case: Any = shiftable_difference(WIDE, dead, MMRM, "mar")
    assert (case.imputed[:, -1] & ~case.experimental).sum() == len(lost) - 2


def test_without_events_retrieved_dropout_is_missing_at_random_and_no_shift_of_the_arm_moves_anything() -> None:
    found = shiftable_difference(WIDE, Events({}, {}), MMRM, "mar")
    assert found.moved[0] == 0
    assert found.at(-40, 0).estimate == found.at(0, 0).estimate
    (level,) = {round(one.reference, 9) for one in tipping_map(found, GRID).line}
    assert abs(found.at(16, level).lower) < 1e-7, "the same for whatever shift of the arm"
    retrieved, mar = retrieved_difference(WIDE, Events({}, {}), MMRM), found.at(0, 0)
    assert (retrieved.estimate, retrieved.se) == (mar.estimate, mar.se)


def test_retrieved_dropout_follows_those_who_were_seen_after_stopping() -> None:
    """Everybody of the arm who was seen last and stopped is 30 lower: who is missing there is imputed lower than at random."""
    mine = np.flatnonzero(WIDE.experimental & ~np.isnan(WIDE.outcomes[:, 1]))[::4]
    outcomes = WIDE.outcomes.copy()
    outcomes[mine, 1] -= 30
    wide = references.Wide(WIDE.people, WIDE.visits, outcomes, WIDE.experimental, WIDE.facts, WIDE.slopes)
    events = Events(dict.fromkeys([*EVENTS.event, *(WIDE.people[i] for i in mine)], "18"), {})
    (mar,) = imputed_difference(wide, events, MMRM, "mar")
    assert retrieved_difference(wide, events, MMRM).estimate < mar.estimate - 0.5
