"""Made-up answers: every item in its range, and the constructed differences as the analysis engine computes them."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from assessments.instruments.answers import read
from assessments.instruments.scoring import score_form
from tests import world
from tests.unit.config.worlds.contrast import differences
from trial.config.worlds import effects
from trial.config.worlds.generator import Generator, main_scale
from trial.config.worlds.plan import calendar
from trial.config.worlds.plan.follow_up import reason_of
from trial.config.worlds.plan.people import randomized
from trial.protocol.loader import load

IMR = load(world.ROOT / "protocols" / "imr")
DAY = calendar.RUNNING.date()


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(IMR)


def test_every_scale_has_a_target() -> None:
    scales = {scale.code for one in IMR.instruments if (scale := main_scale(one))}
    assert scales == set(effects.TARGETS)
    assert {code for code, (_t1, _t2, t3) in effects.TARGETS.items() if abs(t3) >= 0.15} == {"imrs_client", "sers"}


@pytest.mark.parametrize("instrument", [one for one in IMR.instruments if main_scale(one)], ids=lambda one: one.code)
def test_answers_fit_their_items_and_give_the_wanted_difference(generator: Generator, instrument: Any) -> None:
    """Scored by the trial's own rules, compared by the trial's own engine."""
    scale = main_scale(instrument)
    assert scale is not None
    rows: list[tuple[str, str, str, float | None]] = []
    for person in randomized():
        for visit in instrument.visits:
            given, missing = generator.answers(person.number, visit, instrument, DAY, "declined")
            assert set(given) | set(missing) == {item.code for item in instrument.items}
            assert not set(given) & set(missing)
            numbers = {code: read(instrument.item(code), text).number for code, text in given.items()}
            scores = score_form(instrument, {c: n for c, n in numbers.items() if isinstance(n, Decimal)})
            value = next(s.value for s in scores if s.scale == scale.code)
            held = visit == "T1" or not reason_of(person.number, visit)
            assert value is not None or scale.role != "primary"
            rows.append((str(person.number), visit, person.arm, float(value) if held and value is not None else None))
    t1, t2, t3 = differences(rows, scale.direction)
    wanted = effects.TARGETS[scale.code]
    assert t1 == pytest.approx(0, abs=0.01)
    assert (t2, t3) == pytest.approx(wanted[1:], abs=0.01)
    assert generator.answers(7, "T2", instrument, DAY, "declined") == Generator(IMR).answers(
        7, "T2", instrument, DAY, "declined"
    )


def test_background_is_that_of_the_person(generator: Generator) -> None:
    instrument = IMR.instrument("background")
    for person in randomized():
        given, missing = generator.answers(person.number, "T1", instrument, DAY, "declined")
        assert not missing
        assert given["age"] == str(person.age)
        assert given["sex"] == ("1" if person.sex == "female" else "0")
        for code, text in given.items():
            read(instrument.item(code), text)


def test_more_of_the_program_more_of_the_effect(generator: Generator) -> None:
    """Built in too: who came to half of the sessions moved further than who came to none."""
    from trial.config.worlds.plan.program import Dose, doses

    instrument = IMR.instrument("imrs_client")
    scale = main_scale(instrument)
    assert scale is not None
    scores = generator.of_scale(instrument, scale).scores()
    change = {n: scores[n, 2] - scores[n, 0] for n in doses()}
    means = {d: np.nanmean([change[n] for n, one in doses().items() if one == d]) for d in (Dose.NONE, Dose.HALF)}
    assert means[Dose.HALF] > means[Dose.NONE] + 0.1


def test_the_contrast_by_hand() -> None:
    """Without gaps the adjusted difference is that of the means, whatever the correlation."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(40, 3)) + rng.normal(size=(40, 1))
    treated = np.arange(40) < 24
    plain = scores[treated].mean(axis=0) - scores[~treated].mean(axis=0)
    within = [scores[arm, 0] for arm in (treated, ~treated)]
    sd = np.sqrt(sum(((x - x.mean()) ** 2).sum() for x in within) / 38)
    assert effects.contrasts(scores, treated, -1) == pytest.approx(-plain / sd)
