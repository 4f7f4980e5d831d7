"""The allocation drawn again, as the revealed sequences say that it was drawn. Pure: schemes and numbers, no database.

A sequence that was sealed names its scheme; a list made elsewhere has one if it was declared with the list. Everybody is drawn again in the order of
entry, also those who are not analyzed, since later draws may depend on earlier ones.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.methods.problems import Problem, error
from analysis.runs.joined import Joined
from analysis.runs.sensitivity import Lot, Replay, lot_seed
from trial.unblinded.randomization import schemes

Export = Mapping[str, Any]
"""What the allocator revealed of one sequence: ``revealed`` with algorithm and parameters, and ``allocations`` in their order."""


def lot_of(exports: Sequence[Export], joined: Mapping[str, Joined], seed: int) -> Lot:
    """How to draw the arms of these people again; with the reason where nobody can."""
    numbers = {person.entry: number for number, person in joined.items()}
    orders = [one["order"] for export in exports for one in export["allocations"]]
    missing = set(numbers) - set(orders)
    if not exports or missing:
        code = "rerandomization_not_verified" if not exports else "rerandomization_entry"
        return _refused(seed, error(code, **({"people": len(missing)} if exports else {})))
    try:
        drawers = [_drawer(export) for export in exports if export["allocations"]]
    except schemes.SchemeError:
        return _refused(seed, error("rerandomization_no_scheme"))
    return Lot(lot_seed(seed), _by_number(drawers, numbers))


def _refused(seed: int, why: Problem) -> Lot:
    return Lot(lot_seed(seed), None, (why,))


def _by_number(drawers: Sequence[Callable[[bytes], Mapping[int, str]]], numbers: Mapping[int | None, str]) -> Replay:
    def again(seed: bytes) -> dict[str, str]:
        drawn = {order: arm for draw in drawers for order, arm in draw(seed).items()}
        return {number: drawn[order] for order, number in numbers.items() if order is not None}

    return again


def _drawer(export: Export) -> Callable[[bytes], Mapping[int, str]]:
    """The arm by order of entry of everybody who was allocated from this sequence. Raises SchemeError where no scheme is declared."""
    revealed = export["revealed"]
    name, parameters = revealed["algorithm"], revealed["parameters"]
    if name == schemes.IMPORTED:
        declared = parameters.get("declared")
        if not declared:
            raise schemes.SchemeError("No scheme is declared.")
        name, parameters = declared["algorithm"], declared["parameters"]
    scheme = schemes.of_parameters(name, parameters)
    people = sorted(export["allocations"], key=lambda one: int(one["order"]))
    if isinstance(scheme, schemes.Minimization):
        return lambda seed: _minimized(scheme, seed, people)
    return lambda seed: _from_lists(scheme, seed, people, f"{export['version']}")


def _from_lists(
    scheme: schemes.ListScheme, seed: bytes, people: Sequence[Mapping[str, Any]], version: str
) -> dict[int, str]:
    longest: dict[str, int] = {}
    for one in people:
        longest[one["stratum"]] = max(longest.get(one["stratum"], 0), one["position"])
    drawn = {list_: scheme.sequence(seed, f"{version}/{list_}", length) for list_, length in longest.items()}
    return {one["order"]: drawn[one["stratum"]][one["position"] - 1].arm for one in people}


def _minimized(scheme: schemes.Minimization, seed: bytes, people: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    places = scheme.places(seed, [one["levels"] for one in people])
    return {one["order"]: scheme.arm_of(place) for one, place in zip(people, places, strict=True)}
