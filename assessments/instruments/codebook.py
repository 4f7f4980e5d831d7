"""The codebook: every variable that the forms of a trial produce, with its meaning, range and missing codes.

Pure: data in, data out. Codes and labels come from the protocol; words of the program are added by the page that shows
it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trial.protocol.definition import Instrument, Item, Number, Protocol, Scale

VariableKind = Literal["item", "scale"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the data set, measured at each of ``visits``.

    ``levels``: values and labels of a coded item. ``missing``: the codes of reasons that may stand in place of an
    answer.
    ``formula``: of a scale, in item codes, such as ``mean(a, b, 6 - c)``. ``min``, ``max``: range, None where there is
    none.
    """

    name: str
    kind: VariableKind
    instrument: str
    label: str
    type: str
    min: Number | None
    max: Number | None
    unit: str
    levels: tuple[tuple[int, str], ...]
    missing: tuple[str, ...]
    visits: tuple[str, ...]
    rater: str
    rater_blind: bool
    formula: str = ""
    direction: str = ""


def codebook(protocol: Protocol) -> tuple[Variable, ...]:
    """Every variable of the trial's forms: by instrument in the protocol's order, its items, then its scales."""
    missing = tuple(reason.code for reason in protocol.reasons.missing_item)
    return tuple(variable for instrument in protocol.instruments for variable in of_instrument(instrument, missing))


def of_instrument(instrument: Instrument, missing: tuple[str, ...] = ()) -> Iterator[Variable]:
    """The variables of one instrument: its items, then its scales. ``missing`` are the reasons for a missing item."""
    for item in instrument.items:
        yield _of_item(instrument, item, missing)
    for scale in instrument.scales:
        yield Variable(
            name=scale.code,
            kind="scale",
            instrument=instrument.code,
            label=scale.name,
            type="decimal",
            min=scale.min,
            max=scale.max,
            unit="",
            levels=(),
            missing=(),
            visits=instrument.visits,
            rater=instrument.rater,
            rater_blind=instrument.rater_blind,
            formula=formula(instrument, scale),
            direction=scale.direction,
        )


def variable_name(instrument: str, item: str) -> str:
    """The name of an item's variable. Items have unique codes within an instrument only, scales in the trial."""
    return f"{instrument}__{item}"


def formula(instrument: Instrument, scale: Scale) -> str:
    """How a scale is computed, in item codes: ``sum(a, b)``, ``mean(a, 6 - b)``, ``0.5*a + 2*b``, ``sum(a, b) - sum(c,
    d)``.
    """
    plus = [_term(instrument, scale, code) for code in scale.items]
    match scale.method:
        case "sum" | "mean":
            return f"{scale.method}({', '.join(plus)})"
        case "weighted":
            return " + ".join(
                f"{weight:g}*{f'({term})' if ' ' in term else term}"
                for weight, term in zip(scale.weights, plus, strict=True)
            )
        case "difference":
            minus = [_term(instrument, scale, code) for code in scale.negative_items]
            return f"sum({', '.join(plus)}) - sum({', '.join(minus)})"
        case "present_count" | "present_mean":
            name = "count" if scale.method == "present_count" else "mean"
            return f"{name} of those above their lowest({', '.join(plus)})"


def _term(instrument: Instrument, scale: Scale, code: str) -> str:
    if code not in scale.reversed_items:
        return code
    lowest, highest = instrument.item(code).limits
    return f"{lowest + highest:g} - {code}"


def _of_item(instrument: Instrument, item: Item, missing: tuple[str, ...]) -> Variable:
    lowest, highest = item.limits if item.is_numeric else (None, None)
    return Variable(
        name=variable_name(instrument.code, item.code),
        kind="item",
        instrument=instrument.code,
        label=item.topic,
        type=item.kind,
        min=lowest,
        max=highest,
        unit=item.unit,
        levels=item.levels or tuple((anchor.value, anchor.label) for anchor in item.anchors),
        missing=() if item.optional else missing,
        visits=instrument.visits,
        rater=instrument.rater,
        rater_blind=instrument.rater_blind,
    )
