"""Fake arms, groups, sessions, fidelity classes and admissions, to rehearse every analysis before anybody may see a real one.

Each value is drawn from the study number, the run's own seed and the protocol (HMAC-SHA-256): never read or permuted from real ones, so that it
depends on nothing that lies behind the wall, nor on how many other people there are.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.runs.joined import Joined
from analysis.runs.sensitivity import Lot, lot_seed

NEVER_STARTED = 5
"""One in so many never starts; a number of the rehearsal's own."""
ADMITTED = 4
"""One in so many is admitted in a year; the same for both arms."""


def fake_arms(numbers: Iterable[str], seed: int, ratio: Mapping[str, int]) -> dict[str, str]:
    """An arm for each participant in the protocol's ratio."""
    return _fake_arms({number: number.encode() for number in numbers}, seed, ratio)


def _fake_arms(messages: Mapping[str, bytes], seed: int, ratio: Mapping[str, int]) -> dict[str, str]:
    slots, key = [arm for arm, part in ratio.items() for _ in range(part)], _key(seed)
    return {number: slots[_below(len(slots), key, message)] for number, message in messages.items()}


def fake_join(numbers: Iterable[str], seed: int, frozen: dict[str, Any]) -> dict[str, Joined]:
    """Everything that an analysis may want to know of a person, by lot."""
    plan = frozen["rehearsal"]
    arms = fake_arms(numbers, seed, ratio_of(frozen))
    made = {n: _person(n, arm, seed, plan) for n, arm in arms.items()}
    return _entered(made, seed) if "rehearsed" in frozen else made


def _entered(made: Mapping[str, Joined], seed: int) -> dict[str, Joined]:
    """With a place in the order of entry, for looks that are rehearsed one after the other."""
    order = sorted(made, key=lambda number: hmac.digest(str(seed).encode(), f"entry of {number}".encode(), "sha256"))
    return {number: replace(made[number], entry=place) for place, number in enumerate(order, start=1)}


def ratio_of(frozen: Mapping[str, Any]) -> dict[str, int]:
    """The protocol's ratio in the order of arms' codes: the database keeps none."""
    return {arm: frozen["ratio"][arm] for arm in sorted(frozen["ratio"])}


def _person(number: str, arm: str, seed: int, plan: Mapping[str, Any]) -> Joined:
    made: dict[str, Any] = {"arm": arm}
    if arm in plan["arms"]:
        group = _draw(seed, f"group of {number}", plan["groups"])
        planned = plan["planned_sessions"]
        starts = _draw(seed, f"start of {number}", NEVER_STARTED) > 0
        attended = 1 + _draw(seed, f"sessions of {number}", planned) if starts else 0
        made |= {"group": f"fake {group + 1}", "attended": attended, "completed": attended >= plan["share"] * planned}
        if not made["completed"]:
            made["event_visit"] = _event(number, attended, seed, plan["follow_ups"])
        if plan["bands"]:
            made["fidelity_band"] = plan["bands"][_draw(seed, f"fidelity of group {group}", len(plan["bands"]))]
    if plan["records"]:
        for year in ("before", "after"):
            days = 1 + _draw(seed, f"days {year} {number}", min(60, plan["longest_days"]))
            admitted = _draw(seed, f"admission {year} {number}", ADMITTED) == 0
            made |= {f"admitted_{year}": admitted, f"days_{year}": days if admitted else 0}
    return Joined(**made)


def _event(number: str, attended: int, seed: int, follow_ups: Sequence[str]) -> str:
    """The visit from which stopping counts: who never came, the first one."""
    return follow_ups[_draw(seed, f"stop of {number}", len(follow_ups)) if attended else 0]


def fake_lot(numbers: Iterable[str], seed: int, ratio: Mapping[str, int]) -> Lot:
    """Fake arms drawn again as they were drawn: each by itself, in the protocol's ratio."""
    messages = {number: number.encode() for number in numbers}

    def again(bytes_of_seed: bytes) -> dict[str, str]:
        return _fake_arms(messages, int.from_bytes(bytes_of_seed, "big"), ratio)

    return Lot(lot_seed(seed), again)


def _draw(seed: int, what: str, below: int) -> int:
    """A number from 0 to ``below`` - 1."""
    return _below(below, _key(seed), what.encode())


def _key(seed: int) -> hmac.HMAC:
    return hmac.new(str(seed).encode(), digestmod="sha256")


def _below(limit: int, key: hmac.HMAC, message: bytes) -> int:
    one = key.copy()  # in half the time that a new one takes
    one.update(message)
    return int.from_bytes(one.digest()[:8], "big") % limit
