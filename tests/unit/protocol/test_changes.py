"""A new version may reword and add; what data refer to stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from trial.protocol.changes import Used, compare
from trial.protocol.definition import Protocol
from trial.protocol.loader import load

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"


@pytest.fixture(scope="module")
def imr() -> Protocol:
    return load(SHIPPED / "imr")


def without(protocol: Protocol, part: str, code: str) -> Protocol:
    """The protocol without one of its parts."""
    left = tuple(one for one in getattr(protocol, part) if one.code != code)
    assert len(left) == len(getattr(protocol, part)) - 1
    return replace(protocol, **{part: left})


USED = {
    "teams": ("teams", "R1", Used(teams=frozenset({"R1"}))),
    "sites": ("sites", "dordrecht", Used(sites=frozenset({"dordrecht"}))),
    "visits": ("visits", "T3", Used(visits=frozenset({"T3"}))),
    "answers": ("instruments", "sers", Used(answers=frozenset({("sers", "T1", "sers_pos_01")}))),
    "criteria": ("criteria", "language", Used(criteria=frozenset({"language"}))),
    "consent": ("consent_parts", "records", Used(consent_parts=frozenset({"records"}))),
}


@pytest.mark.parametrize(("part", "code", "used"), USED.values(), ids=USED)
def test_what_is_used_stays_and_what_is_not_may_go(imr: Protocol, part: str, code: str, used: Used) -> None:
    new = without(imr, part, code)
    problems = compare(imr, new, used)
    assert problems
    assert all(p.code == "orphan" for p in problems)
    assert code in " ".join(str(p) for p in problems)
    assert compare(imr, new, Used()) == ()


def test_reasons_in_use_stay(imr: Protocol) -> None:
    missed = tuple(r for r in imr.reasons.missed_visit if r.code != "psychiatric")
    new = replace(imr, reasons=replace(imr.reasons, missed_visit=missed))
    assert compare(imr, new, Used(reasons=frozenset({("missed_visit", "psychiatric")})))
    assert not compare(imr, new, Used(reasons=frozenset({("exclusion", "condition"), ("missed_visit", "other")})))


def test_the_ratio_stands_after_the_first_randomization(imr: Protocol) -> None:
    new = replace(imr, arms=(replace(imr.arms[0], ratio=1), *imr.arms[1:]))
    assert compare(imr, new, Used()) == ()
    assert [p.key for p in compare(imr, new, Used(randomized=True))] == ["arms"]


def test_a_team_never_moves(imr: Protocol) -> None:
    teams = tuple(replace(t, site="dordrecht") if t.code == "R1" else t for t in imr.teams)
    assert compare(imr, replace(imr, teams=teams), Used())


def test_a_coordinator_is_not_left_on_the_wrong_side(imr: Protocol) -> None:
    seen = replace(imr, sites=tuple(replace(site, coordinator_sees_allocation=True) for site in imr.sites))
    assert compare(imr, seen, Used()) == ()
    problems = compare(imr, seen, Used(coordinated=frozenset({"dordrecht"})))
    assert [p.key for p in problems] == ["sites[2].coordinator_sees_allocation"]
    assert "end that role first" in str(problems[0])
    assert compare(seen, seen, Used(coordinated=frozenset({"dordrecht"}))) == ()


def test_after_the_lock_nothing_is_loaded(imr: Protocol) -> None:
    reworded = replace(imr, title="Another title")
    assert compare(imr, reworded, Used()) == ()
    assert compare(imr, reworded, Used(locked=True))
