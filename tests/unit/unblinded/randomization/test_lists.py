"""Imported lists as a whole: what cannot be right, and what is merely unlikely. No sentence names an arm."""

import pytest

from trial.unblinded.randomization.lists import Rows, looked_at
from trial.unblinded.randomization.schemes import Arms, BlockUrn, PermutedBlocks

ARMS = Arms((("imr", 3), ("cau", 2)))
BLOCKS = PermutedBlocks(ARMS, (5,))
GOOD = "icici iicci ciiic icici"


def rows(**strata: str) -> Rows:
    return [
        (stratum, position, {"i": "imr", "c": "cau"}[letter], None)
        for stratum, letters in strata.items()
        for position, letter in enumerate(letters.replace(" ", ""), start=1)
    ]


def test_a_list_that_is_as_declared_says_nothing() -> None:
    found = looked_at(
        rows(a=GOOD, b="iicci icici icici ciiic"), arms=ARMS, strata=["a", "b"], needed=40, declared=BLOCKS
    )
    assert (found.problems, found.warnings) == ([], [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (rows(a=GOOD), "Stratum b has no row"),
        ([*rows(a=GOOD, b=GOOD), ("b", 22, "imr", None)], "Stratum b: the positions are not 1, 2, 3"),
        (rows(a=GOOD, b="icici iiiic ciici"), "Stratum b, position 9: the declared scheme permuted-blocks"),
    ],
)
def test_what_cannot_be_right(given: Rows, problem: str) -> None:
    found = looked_at(given, arms=ARMS, strata=["a", "b"], needed=40, declared=BLOCKS)
    assert any(problem in one for one in found.problems), found.problems


@pytest.mark.parametrize(
    ("given", "needed", "warning"),
    [
        (rows(a=GOOD, b="icici"), 40, "25 rows; the trial wants 40"),
        (rows(a=GOOD, b="icici"), 40, "shorter than an even share of the trial (20): b"),
        (rows(a=GOOD, b=GOOD), 40, "Strata a and b have the same list"),
        (rows(a="i" * 20 + "c" * 20, b=GOOD), 60, "Stratum a: a run of 20"),
        (rows(a="c" * 10, b=GOOD), 30, "Stratum a: the ratio is far"),
    ],
)
def test_what_is_unlikely(given: Rows, needed: int, warning: str) -> None:
    found = looked_at(given, arms=ARMS, strata=["a", "b"], needed=needed)
    assert found.problems == []
    assert any(warning in one for one in found.warnings), found.warnings
    assert not any(arm in one for one in found.warnings for arm in ("imr", "cau"))


def test_another_scheme_may_allow_what_blocks_do_not() -> None:
    given = rows(a="iiiii iicccc", b=GOOD)
    urn = looked_at(given, arms=ARMS, strata=["a", "b"], needed=10, declared=BlockUrn(ARMS, 3))
    assert urn.problems == []
    assert looked_at(given, arms=ARMS, strata=["a", "b"], needed=10, declared=BLOCKS).problems
