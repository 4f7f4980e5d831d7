"""The plan as people read it: sections of facts and tables, what changed, and who signed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from analysis.plans import queries
from analysis.plans.actions import SIGNERS
from analysis.plans.calendar import planned_day
from analysis.plans.definition import Looks, Plan, Subgroup
from analysis.plans.models import PlanSignature, PlanVersion
from analysis.plans.variables import Variable, known_at_baseline
from trial.core.access import Person
from trial.core.ui.tables import Column, Link, State, Table, shown
from trial.core.ui.text import Text
from trial.core.ui.work import WorkItem, WorkList
from trial.protocol.definition import Protocol

WORDS: dict[str, Text] = {
    "treatment_policy": _lazy("Treatment policy: the value counts, whatever happened"),
    "hypothetical": _lazy("Hypothetical: as if it had not happened"),
    "composite": _lazy("Composite: it is itself a bad outcome"),
    "while_on_treatment": _lazy("While alive or on treatment: values up to it count"),
    "principal_stratum": _lazy("Principal stratum: only people to whom it would not happen"),
    "clda": _lazy("Constrained longitudinal data analysis (baseline as outcome, one mean for both arms)"),
    "mmrm": _lazy("Mixed model for repeated measures (baseline as covariate)"),
    "lmm": _lazy("Linear mixed model with random intercepts"),
    "us": _lazy("unstructured"),
    "toeph": _lazy("heterogeneous Toeplitz"),
    "adh": _lazy("heterogeneous ante-dependence"),
    "csh": _lazy("heterogeneous compound symmetry"),
    "cs": _lazy("compound symmetry"),
    "satterthwaite": _lazy("Satterthwaite"),
    "kenward_roger": _lazy("Kenward and Roger"),
    "between_within": _lazy("between and within"),
    "jackknife": _lazy("normal, by jackknife"),
    "percentile": _lazy("percentiles, by bootstrap"),
    "fixed_or_random": _lazy(
        "Fixed factor if each team has at least five analyzed and both arms, otherwise random intercept"
    ),
    "fixed": _lazy("Fixed factor"),
    "random": _lazy("Random intercept"),
    "none": _lazy("None"),
    "holm": _lazy("Holm, over the secondary outcomes"),
    "max_t": _lazy("By the largest statistic under other allocations, step-down, over the secondary outcomes"),
    "fixed_sequence": _lazy("In the order given, until one is not significant"),
    "obf": _lazy("O'Brien and Fleming (Lan and DeMets)"),
    "pocock": _lazy("Pocock (Lan and DeMets)"),
    "hsd": _lazy("Hwang, Shih and DeCani"),
    "kd": _lazy("Kim and DeMets"),
    "information": _lazy("by information"),
    "calendar": _lazy("by calendar"),
    "random_intercepts": _lazy("Random intercepts"),
    "as_randomized_correctly": _lazy("Without errors of randomization"),
    "jump_to_reference": _lazy("Jump to reference"),
    "copy_increments": _lazy("Copy increments in reference"),
    "copy_reference": _lazy("Copy reference"),
    "retrieved_dropout": _lazy("Retrieved dropout"),
    "tipping_point": _lazy("Tipping point"),
    "rerandomization": _lazy("Re-randomization test"),
    "bootstrap": _lazy("Bootstrap"),
    "partially_nested": _lazy("Groups in one arm"),
    "complier_effect": _lazy("Complier average causal effect"),
    "reml": _lazy("restricted maximum likelihood"),
    "ml": _lazy("maximum likelihood"),
}
CAPACITIES: dict[str, Text] = {
    "statistician": _lazy("Trial statistician"),
    "investigator": _lazy("Principal investigator"),
}


def work_for(person: Person) -> list[WorkList]:
    """The plan in force, for whoever has to sign it still."""
    mine = [capacity for capacity, role in SIGNERS.items() if person.holds(role)]
    version = queries.version_or_none() if mine else None
    if version is None:
        return []
    waiting = set(queries.unsigned(version)) & set(mine)
    words = _("Sign version %(n)d of the analysis plan") % {"n": version.number}
    items = [WorkItem(words, reverse("plan"), _("Until then no comparative analysis starts"), "due")] if waiting else []
    return [
        WorkList(_("Analysis plan"), items, empty=_("The analysis plan in force is signed by you."), after_lock=True)
    ]


@dataclass(frozen=True)
class Section:
    """A part of the page: facts, a table, or both."""

    title: str
    facts: Sequence[tuple[str, Any]] = ()
    table: Table | None = None
    note: str = ""
    tables: Sequence[Table] = field(default_factory=tuple)


def sections_of(plan: Plan, protocol: Protocol, first: dt.date | None = None) -> list[Section]:
    """The whole plan in its order. ``first``: the day of the first participant, from which looks by the calendar are planned."""
    found = [_estimand(plan, protocol), _model(plan), _outcomes(plan, protocol), _looks(plan, first)]
    if plan.subgroups:
        found.append(_subgroups(plan, protocol))
    if plan.sensitivity:
        rows = [[WORDS[one.kind], one.assumption] for one in plan.sensitivity]
        found.append(
            Section(
                _("Sensitivity analyses"),
                table=Table([Column(_("Analysis")), Column(_("What it assumes instead"))], rows),
            )
        )
    if plan.published:
        columns = [Column(_("Topic")), Column(_("As planned")), Column(_("As published")), Column(_("Source"))]
        rows = [[one.topic, one.planned, one.published, one.source] for one in plan.published]
        found.append(Section(_("Planned and published"), table=Table(columns, rows)))
    return found


def _estimand(plan: Plan, protocol: Protocol) -> Section:
    one = plan.estimand
    facts = [
        (_("Population"), one.population), (_("Treatments"), one.treatments), (_("Variable"), _scale(protocol, one.outcome)),
        (_("Primary visit"), _visit(protocol, one.visit)), (_("Summary"), one.summary),
    ]  # fmt: skip
    columns = [Column(_("Intercurrent event")), Column(_("Strategy")), Column(_("From when on"))]
    rows = [[event.name, WORDS[event.strategy], event.visit_rule] for event in one.events]
    return Section(_("Estimand"), facts, Table(columns, rows) if rows else None)


def _scale(protocol: Protocol, code: str) -> str:
    try:
        return protocol.scale(code).name
    except KeyError:
        return code


def _visit(protocol: Protocol, code: str) -> str:
    return next((visit.name for visit in protocol.visits if visit.code == code), code)


def _model(plan: Plan) -> Section:
    model = plan.model
    chain = ", ".join(str(WORDS[one]) for one in model.fallback)
    slopes = _("a slope at each visit") if model.baseline_by_visit else _("one slope for all visits")
    facts = [
        (_("Model"), WORDS[model.method]),
        *([(_("Baseline"), slopes)] if model.method == "mmrm" else []),
        (_("Visits"), ", ".join(model.visits)), (_("Covariance"), WORDS[model.covariance]),
        (_("Where it does not converge"), chain or "–"), (_("Degrees of freedom"), WORDS[model.df]), (_("Team"), WORDS[model.team]),
        (_("Estimation"), WORDS[model.estimation]), (_("Why this model"), model.why),
    ]  # fmt: skip
    return Section(_("Primary model"), facts)


def _outcomes(plan: Plan, protocol: Protocol) -> Section:
    outcomes = plan.outcomes
    rows = [[_scale(protocol, plan.estimand.outcome), _("primary")]]
    rows += [[_scale(protocol, code), _("secondary")] for code in outcomes.secondary]
    rows += [[_scale(protocol, code), _("exploratory")] for code in outcomes.exploratory]
    sides = _("two-sided") if plan.sides == 2 else _("one-sided")
    facts = [
        (_("Alpha"), f"{plan.alpha:g} ({sides})"),
        (_("Correction for several outcomes"), WORDS[outcomes.multiplicity]),
    ]
    return Section(_("Outcomes"), facts, Table([Column(_("Outcome")), Column(_("Role"))], rows))


def _subgroups(plan: Plan, protocol: Protocol) -> Section:
    known = known_at_baseline(protocol)
    columns = [Column(_("Subgroup")), Column(_("Divided by")), Column(_("Levels")), Column(_("Why"))]
    rows = []
    for one in plan.subgroups:
        variable = known.get(one.by)
        levels = "; ".join(label for _value, label in variable.levels) if variable else ""
        rows.append([one.name, _divided_by(one, variable), levels or cut_words(one), one.why])
    note = _(
        "Each is tested by its interaction with the arm at the primary visit, in the primary model; no p is given within a level, and none is"
        " corrected for their number."
    )
    return Section(_("Subgroups"), table=Table(columns, rows), note=note)


def _divided_by(one: Subgroup, variable: Variable | None) -> str:
    if variable is None:
        return one.by
    name = variable.name or _("Institution")
    return _("%(scale)s at baseline") % {"scale": name} if variable.column.endswith("_baseline") else name


def cut_words(one: Subgroup) -> str:
    """Where a number is divided."""
    if one.cut == "median":
        return _("up to the median of everybody randomized, and above")
    return _("up to %(cut)s, and above") % {"cut": f"{one.cut:g}"} if one.cut is not None else ""


def _looks(plan: Plan, first: dt.date | None) -> Section:
    price = (_("Price of an unplanned look"), f"{plan.unplanned_price:g}")
    if plan.looks is None:
        return Section(
            _("Looks before the end"),
            [price],
            note=_("This plan has no look before the end: nothing is compared until then."),
        )
    looks = plan.looks
    name, unit = (
        (_("Share of the information"), "")
        if looks.timing == "information"
        else (_("Months since the first participant"), "")
    )
    columns = [Column(_("Look")), Column(name, number=True, decimals=2, unit=unit)]
    rows: list[list[Any]] = [[one.code.replace("_", " "), one.at] for one in looks.looks]
    if looks.timing == "calendar" and first is not None:
        columns.append(Column(_("Planned for")))
        rows = [[*row, planned_day(first, one.at)] for row, one in zip(rows, looks.looks, strict=True)]
    return Section(_("Looks before the end"), [*_spending(looks), price], Table(columns, rows))


def _spending(looks: Looks) -> list[tuple[str, Any]]:
    spending = str(WORDS[looks.spending]) + (f" ({looks.parameter:g})" if looks.parameter is not None else "")
    found: list[tuple[str, Any]] = [
        (_("Timed"), WORDS[looks.timing]), (_("Spending of alpha"), spending), (_("Difference to be found"), f"{looks.delta:g}"),
        (_("Power"), f"{looks.power:g}"), (_("Information is inflated by"), f"{looks.inflation:g}"),
    ]  # fmt: skip
    if looks.futility:
        words = _("below a conditional power of %(share)g under the design; advice, never binding")
        found.append((_("Futility"), words % {"share": looks.futility}))
    return found


def signature_table(
    version: PlanVersion, signatures: Mapping[str, PlanSignature], looks: Any = None, *, has_looks: bool = False
) -> Table:
    """Who has to sign, and who did. ``looks``: the independent statistician's signature, shown behind the wall alone."""
    columns = [
        Column(_("Signs as")),
        Column(_("Name")),
        Column(_("When")),
        Column(_("SHA-256 of what was signed"), code=True),
    ]
    rows = [_signed(CAPACITIES[capacity], signatures.get(capacity)) for capacity in PlanSignature.Capacity.values]
    if has_looks:
        rows.append(_signed(_("Independent statistician, for the looks"), looks))
    return Table(columns, rows, caption=_("Signatures of version %(n)d") % {"n": version.number})


def _signed(who: Text, one: Any) -> list[Any]:
    if one is None:
        return [who, State("waiting", _("not signed yet")), None, None]
    return [who, one.signature["name"], one.signed_at, one.signature["sha256"][:16]]


def version_table(versions: Sequence[PlanVersion], address: Any) -> Table:
    """All versions, newest first."""
    columns = [Column(_("Version")), Column(_("Loaded")), Column(_("Why")), Column(_("SHA-256"), code=True)]
    rows = [
        [
            Link(str(one.number), address(one.number)),
            shown(one.loaded_at),
            one.document.get("change") or "–",
            one.sha256[:16],
        ]
        for one in versions
    ]
    return Table(columns, rows, caption=_("Versions"))


def change_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Table:
    """Each setting that differs, with both values."""
    one, other = dict(_flat(before)), dict(_flat(after))
    paths = [path for path in dict.fromkeys([*one, *other]) if one.get(path) != other.get(path) and path not in SILENT]
    columns = [Column(_("Setting"), code=True), Column(_("Before")), Column(_("After"))]
    rows = [[path, one.get(path), other.get(path)] for path in paths]
    return Table(
        columns, rows, caption=_("Changes from the version before"), empty=_("Nothing but the reason differs.")
    )


SILENT = ("change", "protocol_sha256")
"""Shown elsewhere on the page."""


def _flat(thing: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every single value with its path; what has a code is named by it, so that an entry that moved is no change."""
    if isinstance(thing, Mapping):
        return [pair for key, value in thing.items() for pair in _flat(value, f"{path}.{key}" if path else key)]
    if isinstance(thing, list) and any(isinstance(one, Mapping) for one in thing):
        named = [(one.get("code") or one.get("topic") or n, one) for n, one in enumerate(thing, start=1)]
        return [pair for name, one in named for pair in _flat(one, f"{path}[{name}]")]
    return [(path, ", ".join(map(str, thing)) if isinstance(thing, list) else thing)]
