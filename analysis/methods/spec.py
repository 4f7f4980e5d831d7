"""What is to be analyzed, as data: frozen, validated, read from a mapping (TOML or JSON) and written back unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from .problems import Problem, Refused, error

Method = Literal["reml", "ml"]
Weights = Literal["observed", "equal"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Arm:
    """The groups: `column` of the data, the code of the control arm (`reference`) and of the experimental arm.

    `others`: further groups that are compared with the reference too (classes of fidelity); the arms of a trial have none.
    """

    column: str
    reference: str
    experimental: str
    others: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """All groups, the reference first."""
        return (self.reference, self.experimental, *self.others)

    @property
    def compared(self) -> tuple[str, ...]:
        """The groups that are compared with the reference."""
        return self.levels[1:]


@dataclass(frozen=True)
class Time:
    """The visits that are analyzed, in order.

    `linear`: one slope per unit of `column`, whose values are numbers, and `levels` the times at which means are shown.
    `categorical`: one mean per level, the first level is the reference.
    """

    column: str
    form: Literal["linear", "categorical"]
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Covariate:
    """A column known before randomization. `levels` only for a categorical one; the first level is the reference."""

    column: str
    kind: Literal["numeric", "categorical"]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    """A random-intercept mixed model and its tables.

    Outcome ~ baseline + covariates + time + arm (+ arm x time) + a random intercept per `subject`; data have one row per
    subject and visit, with an empty outcome where it is missing. Without `arm` the model has no arm and there are no contrasts.
    `missing_baseline`: "indicator" puts the mean of all subjects and adds a column that says so; "refuse" stops.
    `weights` of the adjusted means: "observed" averages over the analyzed subjects, "equal" gives each level of a factor the
    same weight and numeric covariates their mean over the analyzed rows (as emmeans does). `better` gives the standardized
    effect its sign: + favors the experimental arm. `baseline_visit`: where the baseline is itself an outcome, the visit whose
    standard deviation standardizes. `unit`: a column of units (teams) that subjects belong to, for a second random intercept.
    """

    outcome: str
    subject: str
    time: Time
    arm: Arm | None = None
    interaction: bool = False
    baseline: str | None = None
    baseline_visit: str | None = None
    missing_baseline: Literal["indicator", "refuse"] = "indicator"
    covariates: tuple[Covariate, ...] = ()
    method: Method = "reml"
    weights: Weights = "observed"
    better: Better = "higher"
    confidence: float = 0.95
    primary_visit: str | None = None
    unit: str | None = None

    def as_data(self) -> dict[str, Any]:
        """The specification as plain data; `read_spec` of it gives an equal specification."""
        return cast(dict[str, Any], _plain(asdict(self)))


def _plain(value: Any) -> Any:
    """Tuples as lists, so that the data equal what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


class _Reader:
    """Takes keys out of one table of a specification and collects what is wrong, each with its place."""

    def __init__(self, table: Any, place: str, problems: list[Problem]) -> None:
        self.place, self.problems = place, problems
        self.table: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
        self.seen: set[str] = set()
        if not isinstance(table, Mapping):
            problems.append(error("spec_not_a_table", place=place))

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def text(self, key: str, default: str | None = None, required: bool = True) -> str:
        self.seen.add(key)
        value = self.table.get(key, default)
        if isinstance(value, str) and value.strip() and "`" not in value:
            return value
        if value is not None or required:
            self.problems.append(error("spec_text_wanted", place=self.at(key), got=str(value)))
        return ""

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value and value not in allowed:
            self.problems.append(error("spec_choice", place=self.at(key), got=value, allowed=tuple(allowed)))
        return value

    def flag(self, key: str, default: bool) -> bool:
        self.seen.add(key)
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            self.problems.append(error("spec_choice", place=self.at(key), got=str(value), allowed=("true", "false")))
        return bool(value)

    def levels(self, key: str, required: bool) -> tuple[str, ...]:
        self.seen.add(key)
        value = self.table.get(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list | tuple) or len(value) < (2 if required else 0):
            self.problems.append(error("spec_levels", place=self.at(key)))
            return ()
        levels = tuple(level_text(item) for item in value)
        if len(set(levels)) != len(levels):
            self.problems.append(error("spec_levels_twice", place=self.at(key)))
        return levels

    def finish(self) -> None:
        for key in sorted(set(self.table) - self.seen):
            self.problems.append(error("spec_unknown_key", place=self.at(str(key))))


def level_text(value: object) -> str:
    """A level as the text that stands in the data: 2 and 2.0 are "2"."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_spec(data: Mapping[str, Any]) -> Spec:
    """A specification from plain data. Raises Refused with every error, each naming its key and what is allowed."""
    problems: list[Problem] = []
    top = _Reader(data, "", problems)
    outcome, subject = top.text("outcome"), top.text("subject")
    top.seen |= {"time", "arm", "covariates", "confidence"}
    time = _read_time(data.get("time"), problems)
    arm = _read_arm(data["arm"], problems) if data.get("arm") is not None else None
    covariates = tuple(
        _read_covariate(table, f"covariates[{n}]", problems) for n, table in enumerate(data.get("covariates") or ())
    )
    confidence = data.get("confidence", 0.95)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0.5 <= confidence < 1:
        problems.append(error("spec_confidence", place="confidence", got=str(confidence)))
        confidence = 0.95
    spec = Spec(
        outcome=outcome,
        subject=subject,
        time=time,
        arm=arm,
        interaction=top.flag("interaction", False),
        baseline=top.text("baseline", required=False) or None,
        baseline_visit=top.text("baseline_visit", required=False) or None,
        missing_baseline=cast(Any, top.choice("missing_baseline", ("indicator", "refuse"), "indicator")),
        covariates=covariates,
        method=cast(Method, top.choice("method", ("reml", "ml"), "reml")),
        weights=cast(Weights, top.choice("weights", ("observed", "equal"), "observed")),
        better=cast(Better, top.choice("better", ("higher", "lower"), "higher")),
        confidence=float(confidence),
        primary_visit=top.text("primary_visit", required=False) or None,
        unit=top.text("unit", required=False) or None,
    )
    top.finish()
    problems += _cross_checks(spec)
    if problems:
        raise Refused(problems)
    return spec


def _read_time(table: Any, problems: list[Problem]) -> Time:
    reader = _Reader(table, "time", problems)
    column, form = reader.text("column"), reader.choice("form", ("linear", "categorical"))
    levels = reader.levels("levels", required=True)
    reader.finish()
    for level in levels if form == "linear" else ():
        try:
            float(level)
        except ValueError:
            problems.append(error("spec_level_not_a_number", place="time.levels", got=level))
    return Time(column, cast(Any, form), levels)


def _read_arm(table: Any, problems: list[Problem]) -> Arm:
    reader = _Reader(table, "arm", problems)
    arm = Arm(
        reader.text("column"),
        reader.text("reference"),
        reader.text("experimental"),
        reader.levels("others", required=False),
    )
    reader.finish()
    twice = [level for level in dict.fromkeys(arm.levels) if level and arm.levels.count(level) > 1]
    problems += [error("spec_same_arm", place="arm", got=level) for level in twice]
    return arm


def _read_covariate(table: Any, place: str, problems: list[Problem]) -> Covariate:
    reader = _Reader(table, place, problems)
    column, kind = reader.text("column"), reader.choice("kind", ("numeric", "categorical"))
    levels = reader.levels("levels", required=kind == "categorical")
    reader.finish()
    return Covariate(column, cast(Any, kind), levels)


def _cross_checks(spec: Spec) -> list[Problem]:
    """What single keys cannot show: a column named twice, an interaction without arm, a primary visit that is none."""
    found: list[Problem] = []
    columns = [spec.outcome, spec.subject, spec.time.column, *(c.column for c in spec.covariates)]
    columns += [spec.baseline] if spec.baseline else []
    columns += [spec.arm.column] if spec.arm else []
    columns += [spec.unit] if spec.unit else []
    found += [error("spec_column_twice", column=c) for c in sorted({c for c in columns if c and columns.count(c) > 1})]
    if spec.interaction and spec.arm is None:
        found.append(error("spec_interaction_without_arm", place="interaction"))
    for place, visit in (("primary_visit", spec.primary_visit), ("baseline_visit", spec.baseline_visit)):
        if visit and visit not in spec.time.levels:
            found.append(error("spec_choice", place=place, got=visit, allowed=tuple(spec.time.levels)))
    if spec.baseline and spec.baseline_visit:
        found.append(error("spec_two_baselines", place="baseline_visit"))
    return found
