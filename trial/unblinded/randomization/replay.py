"""Replay every allocation of one sequence from its reveal, with the schemes. Standard library only.

``verifier.py`` does the same with no line of ours; the two are tested against each other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.commitments import commitment_of, receipt_of, seed_of


def differences(export: Mapping[str, Any]) -> list[str]:
    """What does not agree in an export, in words; nothing when all does.

    The commitment, the receipts of the shares, the order of the slots (none skipped, none used twice), and each arm.
    """
    reveal = export["revealed"]
    people = sorted(export["allocations"], key=lambda one: int(one["order"]))
    found = ["The reveal is not what was committed."] if commitment_of(reveal) != export["commitment"] else []
    if [receipt_of(share) for share in reveal["shares"]] != list(export["receipts"]):
        found.append("The shares are not those of the receipts.")
    found += _out_of_turn(people)
    try:
        arms = due(reveal, people)
    except (schemes.SchemeError, KeyError, TypeError, ValueError) as error:
        return [*found, f"The scheme cannot be replayed: {error}"]
    return found + [
        f"Allocation {one['order']}: {one['arm']}, due {arm}."
        for one, arm in zip(people, arms, strict=True)
        if one["arm"] != arm
    ]


def _out_of_turn(people: Sequence[Mapping[str, Any]]) -> list[str]:
    taken: Counter[str] = Counter()
    found = []
    for one in people:
        taken[one["stratum"]] += 1
        if one["position"] != taken[one["stratum"]]:
            found.append(f"Allocation {one['order']}: slot {one['position']}, next was {taken[one['stratum']]}.")
    return found


def due(reveal: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> list[str]:
    """The arm that each participant should have, in order. Raises SchemeError for a scheme that this program does not know."""
    parameters = reveal["parameters"]
    if reveal["algorithm"] == schemes.IMPORTED:
        listed = {(stratum, position): arm for stratum, position, arm in parameters["slots"]}
        return [listed.get((one["stratum"], one["position"]), "no slot") for one in people]
    scheme, seed = schemes.of_parameters(reveal["algorithm"], parameters), seed_of(reveal["shares"])
    if isinstance(scheme, schemes.Minimization):
        return _minimized(scheme, seed, people)
    lists: dict[str, list[str]] = {}
    for stratum in {one["stratum"] for one in people}:
        last = max(one["position"] for one in people if one["stratum"] == stratum)
        lists[stratum] = [draw.arm for draw in scheme.sequence(seed, stratum, last)]
    return [lists[one["stratum"]][one["position"] - 1] for one in people]


def _minimized(scheme: schemes.Minimization, seed: bytes, people: Sequence[Mapping[str, Any]]) -> list[str]:
    past: list[schemes.Placed] = []
    for one in people:
        past.append(schemes.Placed(one["levels"], scheme.place(seed, past, one["levels"])))
    return [scheme.arm_of(one.place) for one in past]
