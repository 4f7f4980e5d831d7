"""Whether a plan fits its protocol and itself. Pure; every problem with its place, and what is allowed there."""

from collections.abc import Iterable

from analysis.plans.definition import Looks, Plan, Subgroup
from analysis.plans.variables import SITE, TOO_FINE, Variable, known_at_baseline, measured_later
from trial.protocol.definition import Protocol
from trial.protocol.reader import Problems, similar

KEYED = ("jump_to_reference", "copy_increments", "copy_reference", "retrieved_dropout", "tipping_point")
"""Kinds of sensitivity analysis that impute from the visit of an intercurrent event on."""
SMALLEST_SHARE = 0.2
"""No planned look at less of the information: so early a look says little and costs alpha."""


def check(plan: Plan, protocol: Protocol, file: str) -> Problems:
    """Every reference to the protocol, and what cannot be meant."""
    problems = Problems()
    _estimand(plan, protocol, file, problems)
    _model(plan, protocol, file, problems)
    _outcomes(plan, protocol, file, problems)
    _sensitivity(plan, protocol, file, problems)
    _subgroups(plan, protocol, file, problems)
    if plan.looks is not None:
        _looks(plan.looks, plan, file, problems)
    return problems


def _known(problems: Problems, file: str, key: str, code: str, allowed: Iterable[str], what: str, where: str) -> bool:
    choices = list(allowed)
    if code in choices:
        return True
    problems.add(
        file, key, "unknown_reference",
        found=code, what=what, where=where, similar=similar(code, choices), allowed=", ".join(choices),
    )  # fmt: skip
    return False


def _scales(protocol: Protocol) -> list[str]:
    return [scale.code for instrument in protocol.instruments for scale in instrument.scales]


def _estimand(plan: Plan, protocol: Protocol, file: str, problems: Problems) -> None:
    primary, follow_ups = protocol.analysis.outcome, [visit.code for visit in protocol.follow_ups]
    if plan.estimand.outcome != primary:
        detail = f"the primary scale of the protocol is {primary}"
        problems.add(file, "estimand.outcome", "conflict", detail=detail, allowed=primary)
    _known(problems, file, "estimand.visit", plan.estimand.visit, follow_ups, "follow-up visits", "visits.toml")
    _unique(problems, file, "estimand.events", "event", [one.code for one in plan.estimand.events])


def _model(plan: Plan, protocol: Protocol, file: str, problems: Problems) -> None:
    model, codes = plan.model, [visit.code for visit in protocol.visits]
    known = all(_known(problems, file, "model.visits", one, codes, "visits", "visits.toml") for one in model.visits)
    if known and [code for code in codes if code in model.visits] != list(model.visits):
        problems.add(
            file, "model.visits", "not_allowed", found=", ".join(model.visits), allowed="the visits in their order"
        )
    with_baseline = protocol.baseline.code in model.visits
    if model.method in ("clda", "lmm") and not with_baseline:
        detail = f"{model.method} takes the baseline as an outcome"
        problems.add(file, "model.visits", "conflict", detail=detail, allowed=f"{protocol.baseline.code} among them")
    if model.method == "mmrm" and with_baseline:
        detail = "mmrm takes the baseline as a covariate"
        problems.add(
            file,
            "model.visits",
            "conflict",
            detail=detail,
            allowed=f"follow-up visits, without {protocol.baseline.code}",
        )
    if known and plan.estimand.visit not in model.visits:
        detail = f"the estimand's visit {plan.estimand.visit} is not analyzed"
        problems.add(file, "model.visits", "conflict", detail=detail, allowed=f"{plan.estimand.visit} among them")
    if model.method == "lmm" and (model.fallback or model.df == "between_within"):
        detail = "lmm has random intercepts: no covariance structure to fall back from, and no between-within df"
        problems.add(file, "model", "conflict", detail=detail, allowed="no fallback; df satterthwaite or kenward_roger")
    if model.covariance in model.fallback or len(set(model.fallback)) < len(model.fallback):
        detail = "a structure stands twice in the chain"
        problems.add(file, "model.fallback", "conflict", detail=detail, allowed="each structure once")
    if len(protocol.teams) == 1 and model.team != "none":
        problems.add(file, "model.team", "conflict", detail="sites.toml has a single team", allowed="none")


def _outcomes(plan: Plan, protocol: Protocol, file: str, problems: Problems) -> None:
    scales = _scales(protocol)
    listed = [*plan.outcomes.secondary, *plan.outcomes.exploratory]
    for place, names in (("secondary", plan.outcomes.secondary), ("exploratory", plan.outcomes.exploratory)):
        for n, code in enumerate(names, start=1):
            _known(problems, file, f"outcomes.{place}[{n}]", code, scales, "scales", "instruments/")
    _unique(problems, file, "outcomes", "outcome", [plan.estimand.outcome, *listed])
    if plan.outcomes.multiplicity == "max_t":
        _max_t(plan, file, problems)


def _max_t(plan: Plan, file: str, problems: Problems) -> None:
    """The largest statistic is held against that of other lots: they have to be planned."""
    key = "outcomes.multiplicity"
    if all(one.kind != "rerandomization" for one in plan.sensitivity):
        detail = "max_t draws the lot again, and no re-randomization is planned"
        problems.add(
            file, key, "conflict", detail=detail, allowed="holm, or a sensitivity analysis of kind rerandomization"
        )
    if plan.sides == 1:
        detail = "max_t is two-sided"
        problems.add(file, key, "conflict", detail=detail, allowed="holm, or sides = 2")
    if not plan.outcomes.secondary:
        detail = "no outcome is secondary: there is nothing to adjust"
        problems.add(file, key, "conflict", detail=detail, allowed="none")


def _sensitivity(plan: Plan, protocol: Protocol, file: str, problems: Problems) -> None:
    _unique(problems, file, "sensitivity", "analysis", [one.code for one in plan.sensitivity])
    for n, one in enumerate(plan.sensitivity, start=1):
        key = f"sensitivity[{n}].kind"
        if one.kind in ("partially_nested", "complier_effect") and protocol.sessions is None:
            detail = "the protocol has no program in sessions"
            problems.add(file, key, "conflict", detail=detail, allowed="another kind")
        keyed = one.kind in KEYED
        if keyed and not plan.estimand.events:
            detail = "imputation is keyed to an intercurrent event, and none is named"
            problems.add(file, key, "conflict", detail=detail, allowed="an event under [[estimand.events]]")


def _subgroups(plan: Plan, protocol: Protocol, file: str, problems: Problems) -> None:
    _unique(problems, file, "subgroups", "subgroup", [one.code for one in plan.subgroups])
    known, later = known_at_baseline(protocol), measured_later(protocol) if plan.subgroups else set()
    for n, one in enumerate(plan.subgroups, start=1):
        key = f"subgroups[{n}].by"
        if one.by in later:
            detail = f"{one.by} is measured after randomization: it may differ because the arms do"
            problems.add(file, key, "conflict", detail=detail, allowed=", ".join(known))
        elif one.by in TOO_FINE:
            detail = f"a {one.by} is too small for a comparison of its own"
            problems.add(file, key, "conflict", detail=detail, allowed=SITE)
        elif _known(problems, file, key, one.by, known, "variables known at baseline", "this trial"):
            _cut(one, known[one.by], file, f"subgroups[{n}].cut", problems)


def _cut(one: Subgroup, variable: Variable, file: str, key: str, problems: Problems) -> None:
    """Whether the variable can be divided like this."""
    if variable.levels and one.cut is not None:
        detail = f"{one.by} has levels of its own"
        problems.add(file, key, "conflict", detail=detail, allowed="no cut")
    elif variable.levels and len(variable.levels) < 2:
        detail = f"the trial has a single {one.by}"
        problems.add(file, key.replace(".cut", ".by"), "conflict", detail=detail, allowed="another variable")
    elif not variable.levels and one.cut is None:
        problems.add(file, key, "missing", allowed='"median" or a number')
    elif (
        variable.limits and isinstance(one.cut, int | float) and not variable.limits[0] <= one.cut < variable.limits[1]
    ):
        allowed = "{:g} up to less than {:g}".format(*variable.limits)
        problems.add(file, key, "out_of_range", found=f"{one.cut:g}", allowed=allowed)


def _looks(looks: Looks, plan: Plan, file: str, problems: Problems) -> None:
    _unique(problems, file, "looks.look", "look", [one.code for one in looks.looks])
    times = [one.at for one in looks.looks]
    if times != sorted(set(times)):
        problems.add(
            file,
            "looks.look",
            "conflict",
            detail="looks are not in their order",
            allowed="each later than the one before",
        )
    if looks.timing == "information":
        for n, at in enumerate(times, start=1):
            if not SMALLEST_SHARE <= at < 1:
                allowed = f"{SMALLEST_SHARE} up to less than 1; the final analysis is no look"
                problems.add(file, f"looks.look[{n}].at", "out_of_range", found=str(at), allowed=allowed)
    needs = looks.spending in ("hsd", "kd")
    if needs != (looks.parameter is not None):
        detail = f"spending {looks.spending} {'needs' if needs else 'takes no'} parameter"
        problems.add(file, "looks.parameter", "conflict", detail=detail, allowed="a number for hsd and kd, none else")
    if plan.unplanned_price >= plan.alpha:
        detail = "an unplanned look would cost all of alpha"
        problems.add(file, "unplanned_price", "conflict", detail=detail, allowed=f"less than {plan.alpha}")


def _unique(problems: Problems, file: str, key: str, what: str, codes: list[str]) -> None:
    for code in dict.fromkeys(code for code in codes if codes.count(code) > 1):
        problems.add(file, key, "duplicate", found=code, what=what)
