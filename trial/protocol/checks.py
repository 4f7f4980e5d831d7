"""What must hold between the parts of a protocol: references, uniqueness, the blind, score ranges. Pure.

Each check takes the protocol and notes problems at the file and key where the mistake can be repaired; a reference that
leads nowhere also names the file in which its target should stand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from trial.protocol.definition import (
    DEFAULT_BLINDNESS,
    SETTABLE_BLINDNESS,
    Analysis,
    FidelityScale,
    Instrument,
    Item,
    Protocol,
    Scale,
    Visit,
)
from trial.protocol.flows import check_flows
from trial.protocol.reader import Problems, similar

DAYS_A_MONTH = 30.4375


def check(protocol: Protocol) -> Problems:
    """Every problem between the parts of this protocol."""
    problems = Problems()
    for one in (_trial, _blindness, _sites, _visits, _instruments, _eligibility, _consent, _analysis, _sessions):
        one(protocol, problems)
    check_flows(protocol, problems)
    return problems


def instrument_file(code: str) -> str:
    """The file in which the instrument with this code stands."""
    return f"instruments/{code}.toml"


def _trial(protocol: Protocol, problems: Problems) -> None:
    file = "trial.toml"
    _unique(problems, file, "arms", "arm", [a.code for a in protocol.arms])
    if len(protocol.arms) != 2:
        problems.add(file, "arms", "too_few", found=str(len(protocol.arms)), allowed="2 arms")
    if sum(arm.experimental for arm in protocol.arms) != 1:
        allowed = "experimental = true on one arm, false on the other"
        problems.add(file, "arms", "conflict", detail="effects need one arm to be signed towards", allowed=allowed)
    _unique(
        problems, file, "registrations", "registration", [f"{r.registry} {r.number}" for r in protocol.registrations]
    )


def _blindness(protocol: Protocol, problems: Problems) -> None:
    for setting in protocol.blindness:
        key, default = f"blindness.{setting.role}", DEFAULT_BLINDNESS[setting.role]
        if setting.blind == default or setting.role in SETTABLE_BLINDNESS:
            continue
        allowed = "true or false for " + ", ".join(sorted(SETTABLE_BLINDNESS)) + "; the default for every other role"
        if default:
            problems.add("trial.toml", key, "not_blind", found=f"the role {setting.role}", allowed=allowed)
        else:
            detail = f"the role {setting.role} knows arms by its work and cannot be blind"
            problems.add("trial.toml", key, "conflict", detail=detail, allowed=allowed)


def _sites(protocol: Protocol, problems: Problems) -> None:
    file, codes = "sites.toml", [site.code for site in protocol.sites]
    _unique(problems, file, "sites", "site", codes)
    _unique(problems, file, "teams", "team", [team.code for team in protocol.teams])
    for number, team in enumerate(protocol.teams, start=1):
        _known(problems, file, f"teams[{number}].site", [team.site], codes, "sites", file)
    for number, site in enumerate(protocol.sites, start=1):
        if not protocol.teams_of(site.code):
            detail = f"the site {site.code} has no team, so nobody can be registered there"
            problems.add(file, f"sites[{number}]", "conflict", detail=detail, allowed="one team or more a site")


def _days(visit: Visit) -> float:
    return visit.offset * (DAYS_A_MONTH if visit.unit == "months" else 1)


def _visits(protocol: Protocol, problems: Problems) -> None:
    file, codes = "visits.toml", [visit.code for visit in protocol.visits]
    _unique(problems, file, "visits", "visit", codes)
    flags = [visit.is_baseline for visit in protocol.visits]
    if flags.count(True) != 1 or not flags[0]:
        allowed = "baseline = true on the first visit and on no other"
        problems.add(
            file, "visits", "conflict", detail="there must be one baseline, before randomization", allowed=allowed
        )
    previous = 0.0
    for number, visit in enumerate(protocol.visits, start=1):
        if visit.is_baseline:
            if visit.offset:
                detail = "the baseline comes before randomization and has no offset"
                problems.add(file, f"visits[{number}].offset", "conflict", detail=detail, allowed="0")
            continue
        if _days(visit) <= previous:
            allowed = "visits in the order of time, each later than the one before and than randomization"
            problems.add(file, f"visits[{number}].offset", "out_of_range", found=str(visit.offset), allowed=allowed)
        if visit.before >= _days(visit):
            allowed = "fewer days than lie between randomization and the visit"
            problems.add(
                file, f"visits[{number}].days_before", "out_of_range", found=str(visit.before), allowed=allowed
            )
        previous = _days(visit)
    for name, reasons in (
        ("missed_visit", protocol.reasons.missed_visit),
        ("missing_item", protocol.reasons.missing_item),
    ):
        _unique(problems, file, f"{name}_reasons", "reason", [reason.code for reason in reasons])
    if protocol.records:
        _known(problems, file, "records.before_visit", [protocol.records.before_visit], codes, "visits", file)
        _known(problems, file, "records.after_visit", [protocol.records.after_visit], codes, "visits", file)


def _instruments(protocol: Protocol, problems: Problems) -> None:
    visits = [visit.code for visit in protocol.visits]
    taken: dict[str, str] = {}
    for instrument in protocol.instruments:
        file = instrument_file(instrument.code)
        _known(problems, file, "visits", instrument.visits, visits, "visits", "visits.toml")
        _rater(protocol, instrument, problems)
        names = [("items", item.code) for item in instrument.items] + [("scales", s.code) for s in instrument.scales]
        for key, code in names:
            if code in taken:
                what = f"item and scale of the trial (it is also in {taken[code]})"
                problems.add(file, key, "duplicate", found=code, what=what)
            taken.setdefault(code, file)
        if len({item.code for item in instrument.items}) == len(instrument.items):
            for number, scale in enumerate(instrument.scales, start=1):
                _scale(instrument, scale, f"scales[{number}]", problems)
            _form_checks(instrument, problems)
    for number, visit in enumerate(protocol.visits, start=1):
        if not protocol.instruments_at(visit.code):
            detail = f"no file in instruments/ names the visit {visit.code}"
            problems.add(
                "visits.toml", f"visits[{number}]", "conflict", detail=detail, allowed="one form or more a visit"
            )
    _primary(protocol, problems)


def _primary(protocol: Protocol, problems: Problems) -> None:
    """Exactly one scale is primary; none and several are reported where analysis.toml's outcome and the several stand."""
    scales = [(instrument_file(i.code), s) for i in protocol.instruments for s in i.scales]
    primary = [(file, scale) for file, scale in scales if scale.is_primary]
    if len(primary) == 1:
        return
    allowed = 'role = "primary" on one scale of the trial'
    if primary:
        places, detail = primary, f"{len(primary)} scales are primary ({', '.join(file for file, _ in primary)})"
    else:
        places = [(file, scale) for file, scale in scales if scale.code == protocol.analysis.outcome]
        detail = f"no scale is primary in {', '.join(instrument_file(i.code) for i in protocol.instruments)}"
    for file, scale in places:
        problems.add(file, f"scales.{scale.code}.role", "conflict", detail=detail, allowed=allowed)
    if not places:
        problems.add("analysis.toml", "outcome", "conflict", detail=detail, allowed=allowed)


def _rater(protocol: Protocol, instrument: Instrument, problems: Problems) -> None:
    file, key = instrument_file(instrument.code), "rater_blind"
    if instrument.rater == "interviewer" and not instrument.rater_blind:
        problems.add(file, key, "not_blind", found="the interviewer", allowed='true, or another "rater"')
    if instrument.rater == "clinician" and instrument.rater_blind and not protocol.is_blind("rater"):
        detail = "trial.toml says that clinician-raters are not blind"
        problems.add(file, key, "conflict", detail=detail, allowed="false, or blindness.rater = true in trial.toml")


def _scale(instrument: Instrument, scale: Scale, path: str, problems: Problems) -> None:
    file = instrument_file(instrument.code)
    for code in (*scale.all_items, *scale.reversed_items):
        if not instrument.item(code).is_numeric:
            found = f"{code}, a {instrument.item(code).kind} item,"
            problems.add(
                file, f"{path}.items", "not_allowed", found=found, allowed="integer, decimal, choice, yesno items"
            )
            return
    fractions = [code for code in scale.items if instrument.item(code).kind == "decimal"]
    if scale.method == "present_mean" and fractions:
        found = f"{fractions[0]}, a decimal item,"
        problems.add(file, f"{path}.items", "not_allowed", found=found, allowed="items with whole answers")
    both = set(scale.items) & set(scale.negative_items)
    if both:
        problems.add(file, f"{path}.negative_items", "duplicate", found=", ".join(sorted(both)), what="entry")
    outside = sorted(set(scale.reversed_items) - set(scale.all_items))
    if outside:
        allowed = ", ".join(scale.all_items)
        problems.add(file, f"{path}.reversed_items", "not_allowed", found=", ".join(outside), allowed=allowed)
    low, high = score_range(scale, [instrument.item(code) for code in scale.all_items])
    for key, said, is_so in (("min", scale.min, low), ("max", scale.max, high)):
        if abs(said - is_so) > 1e-9:
            allowed = f"{is_so:.10g}, which follows from the items"
            problems.add(file, f"{path}.{key}", "out_of_range", found=str(said), allowed=allowed)


def _form_checks(instrument: Instrument, problems: Problems) -> None:
    file, items = instrument_file(instrument.code), {item.code: item for item in instrument.items}
    _unique(problems, file, "checks", "check", [one.code for one in instrument.checks])
    for number, one in enumerate(instrument.checks, start=1):
        _known(problems, file, f"checks[{number}]", one.items, items, "items", file)
        for code in dict.fromkeys(code for code in one.items if code in items and not items[code].is_numeric):
            found = f"{code}, a {items[code].kind} item,"
            allowed = "integer, decimal, choice, yesno items"
            problems.add(file, f"checks[{number}]", "not_allowed", found=found, allowed=allowed)


def score_range(scale: Scale, items: Sequence[Item]) -> tuple[float, float]:
    """Lowest and highest score that this scale can have; `items` are those of `scale.all_items`, in that order."""
    limits = [item.limits for item in items]
    if scale.method == "present_count":
        return 0, len(items)
    if scale.method == "present_mean":
        return min(low for low, _high in limits) + 1, max(high for _low, high in limits)
    if scale.method == "weighted":
        parts = [sorted((w * low, w * high)) for w, (low, high) in zip(scale.weights, limits, strict=True)]
    elif scale.method == "difference":
        positive = len(scale.items)
        parts = [[low, high] for low, high in limits[:positive]] + [[-high, -low] for low, high in limits[positive:]]
    else:
        parts = [[low, high] for low, high in limits]
    low, high = sum(part[0] for part in parts), sum(part[1] for part in parts)
    return (low / len(parts), high / len(parts)) if scale.method == "mean" else (low, high)


def _eligibility(protocol: Protocol, problems: Problems) -> None:
    file = "eligibility.toml"
    _unique(problems, file, "criteria", "criterion", [c.code for c in protocol.criteria])
    if not any(c.kind == "inclusion" for c in protocol.criteria):
        detail = "there is no inclusion criterion"
        problems.add(file, "criteria", "conflict", detail=detail, allowed='one or more of kind = "inclusion"')
    _unique(problems, file, "exclusion_reasons", "reason", [r.code for r in protocol.reasons.exclusion])
    _unique(problems, file, "decline_reasons", "reason", [r.code for r in protocol.reasons.decline])


def _consent(protocol: Protocol, problems: Problems) -> None:
    file, parts = "consent.toml", [part.code for part in protocol.consent_parts]
    _unique(problems, file, "parts", "part", parts)
    _unique(problems, file, "versions", "version", [version.code for version in protocol.consent_versions])
    _unique(problems, file, "withdrawal_reasons", "reason", [r.code for r in protocol.reasons.withdrawal])
    required = [part.code for part in protocol.consent_parts if part.required]
    if not required:
        detail = "no part is required, so a participant could consent to nothing"
        problems.add(file, "parts", "conflict", detail=detail, allowed="required = true on one part or more")
    for number, version in enumerate(protocol.consent_versions, start=1):
        key = f"versions[{number}].parts"
        _known(problems, file, key, version.parts, parts, "parts", file)
        for code in [code for code in required if code not in version.parts]:
            detail = f"the required part {code} is left out"
            problems.add(file, key, "conflict", detail=detail, allowed="every required part in every version")


def _analysis(protocol: Protocol, problems: Problems) -> None:
    file, plan = "analysis.toml", protocol.analysis
    scales = [scale.code for i in protocol.instruments for scale in i.scales]
    visits = [visit.code for visit in protocol.visits]
    known = plan.outcome in scales
    if not known:
        primary = [(s.code, instrument_file(i.code)) for i in protocol.instruments for s in i.scales if s.is_primary]
        allowed = ", ".join(f"{code}, which is primary in {home}" for code, home in primary) or "the primary scale"
        close = similar(plan.outcome, scales)
        where = "instruments/"
        problems.add(
            file, "outcome", "unknown_reference",
            found=plan.outcome, what="scales", where=where, similar=close, allowed=allowed,
        )  # fmt: skip
    known &= _known(problems, file, "visits", plan.visits, visits, "visits", "visits.toml")
    _unique(problems, file, "estimation", "entry", list(plan.estimation))
    _unique(problems, file, "covariates", "covariate", [covariate.code for covariate in plan.covariates])
    _covariates(protocol, problems)
    if len(protocol.teams) == 1 and plan.team != "none":
        detail = "sites.toml has a single team"
        problems.add(file, "team", "conflict", detail=detail, allowed="none")
    if plan.fidelity_sessions and not protocol.fidelity:
        detail = "no fidelity scale is defined in sessions.toml"
        problems.add(file, "fidelity_sessions", "conflict", detail=detail, allowed="0")
    if known and len({*visits}) == len(visits) and sum(v.is_baseline for v in protocol.visits) == 1:
        _analyzed_visits(protocol, plan, problems)


def _analyzed_visits(protocol: Protocol, plan: Analysis, problems: Problems) -> None:
    file, instrument = "analysis.toml", protocol.instrument_of(plan.outcome)
    follow_ups = [visit.code for visit in protocol.follow_ups if visit.code in instrument.visits]
    home = f"(the visits of {instrument_file(instrument.code)} and visits.toml)"
    allowed = follow_ups if plan.baseline == "covariate" else [protocol.baseline.code, *follow_ups]
    if not protocol.scale(plan.outcome).is_primary:
        detail = f"{plan.outcome} is not the primary scale in {instrument_file(instrument.code)}"
        problems.add(file, "outcome", "conflict", detail=detail, allowed="the primary scale")
    if protocol.baseline.code not in instrument.visits:
        detail = f"the outcome is not measured at the baseline visit {protocol.baseline.code}"
        problems.add(instrument_file(instrument.code), "visits", "conflict", detail=detail, allowed="the baseline too")
    if [code for code in allowed if code in plan.visits] != list(plan.visits):
        found = ", ".join(plan.visits)
        problems.add(file, "visits", "not_allowed", found=found, allowed=f"in this order {', '.join(allowed)} {home}")
    elif plan.baseline == "outcome" and protocol.baseline.code not in plan.visits:
        detail = "the baseline is an outcome of this model but is not among its visits"
        problems.add(file, "visits", "conflict", detail=detail, allowed=f"{protocol.baseline.code} among them")
    later = [code for code in plan.visits if code in follow_ups]
    if plan.primary_visit not in later:
        found = plan.primary_visit
        close = similar(found, later)
        problems.add(file, "primary_visit", "not_allowed", found=found, similar=close, allowed=", ".join(later))


def _covariates(protocol: Protocol, problems: Problems) -> None:
    file = "analysis.toml"
    instruments = {i.code: i for i in protocol.instruments}
    for number, covariate in enumerate(protocol.analysis.covariates, start=1):
        path = f"covariates[{number}]"
        if not _known(
            problems, file, f"{path}.instrument", [covariate.instrument], instruments, "files", "instruments/"
        ):
            continue
        instrument = instruments[covariate.instrument]
        home, items = instrument_file(instrument.code), {item.code: item for item in instrument.items}
        if protocol.visits[0].code not in instrument.visits:
            detail = f"{home} is not filled in at the baseline visit"
            problems.add(file, f"{path}.instrument", "conflict", detail=detail, allowed="a form of the baseline visit")
        if _known(problems, file, f"{path}.item", [covariate.item], items, "items", home):
            item = items[covariate.item]
            values = [value for value, _ in item.levels]
            allowed = ", ".join(map(str, values)) or "no reference, since the item has no levels"
            allowed += f" (a {item.kind} item of {home})"
            if not item.is_numeric:
                problems.add(
                    file,
                    f"{path}.item",
                    "not_allowed",
                    found=item.code,
                    allowed=f"a numeric item, not {item.kind} ({home})",
                )
            elif (covariate.reference is None) != (not values) or (values and covariate.reference not in values):
                found = "none" if covariate.reference is None else str(covariate.reference)
                problems.add(file, f"{path}.reference", "not_allowed", found=found, allowed=allowed)


def _sessions(protocol: Protocol, problems: Problems) -> None:
    file, plan = "sessions.toml", protocol.sessions
    if plan:
        _known(problems, file, "arms", plan.arms, [arm.code for arm in protocol.arms], "arms", "trial.toml")
        _unique(problems, file, "modules", "module", [module.code for module in plan.modules])
    _unique(problems, file, "fidelity", "scale", [scale.code for scale in protocol.fidelity])
    for number, scale in enumerate(protocol.fidelity, start=1):
        _fidelity(scale, f"fidelity[{number}]", problems)


def _fidelity(scale: FidelityScale, path: str, problems: Problems) -> None:
    file = "sessions.toml"
    _unique(problems, file, f"{path}.items", "item", [item.code for item in scale.items])
    _unique(problems, file, f"{path}.bands", "band", [band.code for band in scale.bands])
    if scale.min >= scale.max:
        allowed = f"more than min = {scale.min}"
        problems.add(file, f"{path}.max", "out_of_range", found=str(scale.max), allowed=allowed)
    starts = [band.minimum for band in scale.bands]
    if starts[0] != scale.min or starts != sorted(set(starts)) or starts[-1] > scale.max:
        allowed = f"rising minimums that begin with {scale.min} and end at {scale.max} or below"
        problems.add(file, f"{path}.bands", "not_allowed", found=", ".join(map(str, starts)), allowed=allowed)


def _unique(problems: Problems, file: str, key: str, what: str, codes: Sequence[str]) -> None:
    for code, times in Counter(codes).items():
        if times > 1:
            problems.add(file, key, "duplicate", found=code, what=what)


def _known(
    problems: Problems, file: str, key: str, found: Iterable[str], allowed: Iterable[str], what: str, where: str
) -> bool:
    allowed = list(allowed)
    unknown = [code for code in found if code not in allowed]
    shown = ", ".join(allowed[:40]) + (", ..." if len(allowed) > 40 else "")
    for code in unknown:
        close = similar(code, allowed)
        problems.add(file, key, "unknown_reference", found=code, what=what, where=where, similar=close, allowed=shown)
    return not unknown
