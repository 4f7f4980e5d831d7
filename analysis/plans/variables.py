"""What may divide participants into subgroups: what is known of everybody before randomization, by the name that a plan gives it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.plans.definition import Plan
from trial.protocol.definition import Instrument, Item, Protocol

SITE, BASELINE = "site", "baseline"
TOO_FINE = ("team", "stratum")
LATER = (
    "admission", "admissions_after", "arm", "attendance", "attended", "completed", "completer", "completion", "dose", "exposure",
    "fidelity", "group", "received", "sessions", "treatment", "withdrawal",
)  # fmt: skip
"""What somebody might think of, and what is only known once the arms differ."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of the snapshot: ``levels`` (value, label) in their order, or none for a number, with its ``limits``. ``name``: of the scale or item.

    ``item``: the instrument and item that it is read from, where the snapshot has the column because a plan names it.
    """

    name: str
    column: str
    levels: tuple[tuple[str, str], ...] = ()
    limits: tuple[float, float] | None = None
    item: tuple[str, str] | None = None


def known_at_baseline(protocol: Protocol) -> dict[str, Variable]:
    """By name: the institution, the baseline of every scale, covariates of the model, and items of instruments that score nothing."""
    at_baseline = protocol.instruments_at(protocol.baseline.code)
    primary = protocol.primary_scale
    limits = (float(primary.min), float(primary.max))
    found = {
        SITE: Variable("", "site", tuple((site.code, site.name) for site in protocol.sites)),
        BASELINE: Variable(primary.name, f"{primary.code}_baseline", limits=limits),
    }
    for scale in (scale for instrument in at_baseline for scale in instrument.scales):
        limits = (float(scale.min), float(scale.max))
        found.setdefault(scale.code, Variable(scale.name, f"{scale.code}_baseline", limits=limits))
    for one in protocol.analysis.covariates:
        item = protocol.instrument(one.instrument).item(one.item)
        found.setdefault(one.code, _of_item(item, one.code, None))
    for instrument, item in _items(at_baseline):
        found.setdefault(item.code, _of_item(item, item.code, (instrument.code, item.code)))
    return found


def measured_later(protocol: Protocol) -> set[str]:
    """Names of what is measured, or happens, after randomization alone."""
    first = protocol.baseline.code
    later = [one for one in protocol.instruments if first not in one.visits]
    scales = {scale.code for one in later for scale in one.scales}
    return {*LATER, *scales, *(item.code for one in later for item in one.items)} - set(known_at_baseline(protocol))


def items_of(protocol: Protocol, plan: Plan | None) -> dict[str, tuple[str, str]]:
    """The columns that a snapshot has because the plan divides by them, each with its instrument and item."""
    known = known_at_baseline(protocol) if plan and plan.subgroups else {}
    asked = [known[one.by] for one in (plan.subgroups if plan else ()) if one.by in known]
    return {one.column: one.item for one in asked if one.item is not None}


def _of_item(item: Item, column: str, source: tuple[str, str] | None) -> Variable:
    levels = tuple((str(value), label) for value, label in item.levels)
    limits = (float(item.min), float(item.max)) if item.min is not None and item.max is not None else None
    return Variable(item.topic, column, levels, None if levels else limits, source)


def _items(instruments: Iterable[Instrument]) -> Iterable[tuple[Instrument, Item]]:
    """Numbers and choices of background forms; a name that two forms have is nobody's."""
    found = [(one, item) for one in instruments if not one.scales for item in one.items if item.is_numeric]
    names = [item.code for _one, item in found]
    return [(one, item) for one, item in found if names.count(item.code) == 1]
