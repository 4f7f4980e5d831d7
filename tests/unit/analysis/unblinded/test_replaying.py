"""The lot drawn again from what was revealed: everybody by the declared scheme, in the order of entry; otherwise refused in words."""

from collections import Counter
from datetime import date
from typing import Any

from analysis.methods.words import in_words
from analysis.runs.joined import Joined
from analysis.unblinded.assembly import event_visit, first_after
from analysis.unblinded.replaying import lot_of
from tests import world
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.queries import Entry
from trial.unblinded.sessions.queries import Exposure

ARMS = schemes.Arms.of({"imr": 3, "cau": 2})
BLOCKS = schemes.PermutedBlocks(ARMS, (5,))
LEVELS = {"team": "a", "sex": "f"}


def export(scheme: Any, people: int = 20, *, listed: bool = True, version: int = 1, first: int = 1) -> dict[str, Any]:
    """What the allocator reveals of a sequence, with its people in two lists."""
    rows = [
        {
            "order": first + n,
            "stratum": "ab"[n % 2] if listed else "",
            "position": n // 2 + 1,
            "arm": "imr",
            "levels": LEVELS,
        }
        for n in range(people)
    ]
    return {
        "version": version, "allocations": rows,
        "revealed": {"algorithm": scheme.algorithm, "parameters": scheme.parameters()},
    }  # fmt: skip


def joined(people: int, first: int = 1) -> dict[str, Joined]:
    return {f"P{n}": Joined("imr", entry=n) for n in range(first, first + people)}


def test_blocks_keep_their_ratio_in_every_list_and_a_seed_gives_one_lot() -> None:
    again = lot_of([export(BLOCKS)], joined(20), 3).again
    assert again is not None
    drawn = again(b"1" * 32)
    assert drawn == again(b"1" * 32) != again(b"2" * 32)
    for start in (1, 2):
        arms = [drawn[f"P{n}"] for n in range(start, 21, 2)]
        assert Counter(arms[:5]) == Counter(arms[5:]) == {"imr": 3, "cau": 2}


def test_minimization_is_replayed_over_everybody_whoever_is_analyzed() -> None:
    scheme = schemes.Minimization(ARMS, (("team", 1),), (4, 5))
    whole, some = (lot_of([export(scheme, listed=False)], joined(n), 3).again for n in (20, 5))
    assert whole is not None
    assert some is not None
    assert some(b"1" * 32) == {number: arm for number, arm in whole(b"1" * 32).items() if number in joined(5)}


def test_a_list_with_a_declared_scheme_is_drawn_by_it_and_one_without_is_refused() -> None:
    for declared, works in (({"algorithm": BLOCKS.algorithm, "parameters": BLOCKS.parameters()}, True), (None, False)):
        one = export(BLOCKS)
        one["revealed"] = {"algorithm": schemes.IMPORTED, "parameters": {"declared": declared, "slots": []}}
        lot = lot_of([one], joined(20), 3)
        assert (lot.again is not None) is works
        assert works or "scheme is not declared" in in_words(lot.why[0])


def test_a_contingency_list_is_drawn_from_its_own_stream() -> None:
    lot = lot_of([export(BLOCKS), export(BLOCKS, 4, version=2, first=21)], joined(24), 3)
    assert lot.again is not None
    assert len(lot.again(b"1" * 32)) == 24


def test_before_verification_and_without_an_order_of_entry_it_is_refused() -> None:
    assert "verify the allocation first" in in_words(lot_of([], joined(3), 3).why[0])
    assert "order of entry of 2 people" in in_words(lot_of([export(BLOCKS)], joined(2, first=90), 3).why[0])


def test_stopping_counts_from_the_first_visit_after_the_last_session() -> None:
    follow_ups, entry = world.read("imr").follow_ups, Entry(1, date(2024, 1, 10))

    def stopped(completed: bool | None, last: date | None) -> str | None:
        return event_visit(Exposure("g", 40, 3, 3 if last else 0, 3, completed, last), entry, follow_ups)

    assert stopped(False, None) == stopped(False, date(2024, 3, 1)) == "T2"
    assert stopped(False, date(2025, 2, 1)) == "T3"
    assert stopped(False, date(2026, 2, 1)) is None
    assert stopped(True, date(2024, 3, 1)) is stopped(None, None) is event_visit(None, entry, follow_ups) is None
    assert first_after(date(2025, 2, 1), entry, follow_ups) == "T3"
    assert first_after(None, entry, follow_ups) is None
