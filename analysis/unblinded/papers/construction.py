"""How synthetic data were made, for the final report of a demo world; and whether what was put in is found again.

Source of the published effects: first author's thesis (Roosenschoon, Erasmus University, 2024), pages 120, 132 and 191; Front Psychiatry 2021,
10.3389/fpsyt.2021.723435.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.outcomes import primary_difference
from analysis.reports.papers import document as doc
from analysis.reports.rendering import fmt
from analysis.runs.specs import SCALES
from analysis.unblinded.models import ComparativeRun
from trial.protocol.definition import Protocol


@dataclass(frozen=True)
class Effect:
    """A published standardized difference at the primary visit, + in favor of the experimental arm."""

    outcome: str
    value: float


EFFECTS: dict[str, tuple[Effect, ...]] = {"IMR": (Effect("imrs_client", 0.34), Effect("sers", 0.52))}
"""By the short name of a trial that a demo world plays."""


@dataclass(frozen=True)
class Held:
    """A published effect beside the interval that was estimated from the synthetic data."""

    name: str
    published: float
    estimate: float
    low: float
    high: float

    @property
    def is_inside(self) -> bool:
        """Whether the interval holds the published effect, and the estimate has its sign."""
        return self.low <= self.published <= self.high and self.estimate * self.published > 0


def held(trial: str, runs: Iterable[ComparativeRun]) -> list[Held]:
    """Each published effect with the stored interval of its outcome; none where the runs do not hold every one of them."""
    wanted = EFFECTS.get(trial, ())
    found = {name: one for run in runs if run.kind == SCALES for name, one in _intervals(run).items()}
    if not wanted or not all(one.outcome in found for one in wanted):
        return []
    return [Held(found[one.outcome][0], one.value, *found[one.outcome][1]) for one in wanted]


def _intervals(run: ComparativeRun) -> dict[str, tuple[str, tuple[float, float, float]]]:
    found = {}
    for outcome, one in zip(run.spec["outcomes"], run.result["outcomes"], strict=True):
        d: dict[str, Any] = primary_difference(outcome, one) or {}
        ends = [d.get(name) for name in ("standardized", "standardized_low", "standardized_high")]
        if None not in ends:
            found[outcome["code"]] = (outcome["name"], (float(ends[0]), float(ends[1]), float(ends[2])))  # type: ignore[arg-type]
    return found


def sentence(found: list[Held]) -> str:
    """Whether what was put in is found again, in words."""
    inside = all(one.is_inside for one in found)
    listed = "; ".join(
        _("%(name)s: published d = %(published)s, here %(estimate)s (95 %% interval %(low)s to %(high)s)") % {
            "name": one.name, "published": fmt(one.published), "estimate": fmt(one.estimate), "low": fmt(one.low), "high": fmt(one.high),
        }
        for one in found
    )  # fmt: skip
    said = (
        _("Both published effects lie inside the intervals estimated here, with the same sign.")
        if inside
        else _("Not every published effect lies inside the interval estimated here with the same sign.")
    )
    return f"{said} {listed}."


def how_made(protocol: Protocol, runs: Iterable[ComparativeRun]) -> doc.Section:
    """What every reader of a demo world's report has to know first."""
    title = _("How the data were made")
    if protocol.short_name not in EFFECTS:
        said = protocol.notice or _("This is a demo world: nobody is treated by what stands here.")
        return doc.section(title, doc.note(said))
    told = held(protocol.short_name, runs)
    made = _(
        "Nobody in this trial exists. Answers were generated item by item, and the differences between the arms were put in by"
        " construction: generated answers of the experimental arm were moved until the differences had the size that was wanted."
    )
    means = _(
        "That an analysis finds such a difference shows that the program finds what was put in. It is no evidence about the treatment,"
        " and it neither confirms nor repeats any published trial."
    )
    return doc.section(title, doc.note(made), doc.text(sentence(told)) if told else None, doc.text(means))
