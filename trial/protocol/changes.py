"""What a new version of the protocol would orphan: data that would refer to something no longer defined. Pure.

Rewording is always allowed (names, texts, topics, labels), and so is adding. What data already use stays: a code in use
may not disappear, an item with answers keeps its kind and at least its range, and after the first randomization arms,
ratio and strata stand.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trial.protocol.checks import instrument_file
from trial.protocol.definition import Instrument, Item, Protocol, Reason
from trial.protocol.problems import Problem
from trial.protocol.reader import similar


@dataclass(frozen=True)
class Used:
    """What the data of the trial refer to, in codes.

    `answers`: (instrument, visit, item) of every stored answer. `visits`: visits with anything recorded, missed ones
    too. `reasons`: (list, code) with list exclusion, decline, missed_visit, missing_item or withdrawal. `locked`: the database lock.
    `coordinated`: sites where somebody holds the role of a coordinator, of either side, or waits for it.
    """

    randomized: bool = False
    locked: bool = False
    sites: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    visits: frozenset[str] = frozenset()
    answers: frozenset[tuple[str, str, str]] = frozenset()
    criteria: frozenset[str] = frozenset()
    reasons: frozenset[tuple[str, str]] = frozenset()
    consent_versions: frozenset[str] = frozenset()
    consent_parts: frozenset[str] = frozenset()
    coordinated: frozenset[str] = frozenset()


def compare(old: Protocol, new: Protocol, used: Used) -> tuple[Problem, ...]:
    """Why `new` may not follow `old` while these data exist; nothing if it may. `new` must be a loaded protocol."""
    if used.locked:
        advice = "load nothing more; the version in force is part of what was locked"
        return (_orphan("trial.toml", "", "the database is locked", advice),)
    return (
        *_gone("sites.toml", "sites", "site", used.sites, new.sites),
        *_gone("sites.toml", "teams", "team", used.teams, new.teams),
        *_moved_teams(old, new),
        *_seen_elsewhere(old, new, used),
        *_design(old, new, used),
        *_visits(old, new, used),
        *_instruments(old, new, used),
        *_conduct(new, used),
    )


def _orphan(file: str, key: str, detail: str, advice: str) -> Problem:
    return Problem(file, key, "orphan", {"detail": detail, "advice": advice})


def _gone(file: str, key: str, what: str, used: Iterable[str], left: Iterable[object]) -> list[Problem]:
    codes = [str(getattr(one, "code", "")) for one in left]
    problems = []
    for code in sorted(set(used) - set(codes)):
        close = similar(code, codes)
        advice = f"keep the code {code}" + (
            f" (was it renamed to {close}? A name may change, a code not)" if close else ""
        )
        problems.append(_orphan(file, key, f"the {what} {code} has data but is no longer there", advice))
    return problems


def _moved_teams(old: Protocol, new: Protocol) -> list[Problem]:
    """A team is of one site for ever, used or not: its code is a key that other tables hold together with the site."""
    before, after = ({team.code: team.site for team in one.teams} for one in (old, new))
    return [
        _orphan(
            "sites.toml",
            "teams",
            f"the team {code} is of the site {before[code]} and would move to {after[code]}",
            "add a new team at the other site and transfer people to it",
        )
        for code in sorted(set(before) & set(after))
        if before[code] != after[code]
    ]


def _seen_elsewhere(old: Protocol, new: Protocol, used: Used) -> list[Problem]:
    """Whether the coordinator sees allocations decides on which side that person works: nobody is left on the wrong one."""
    before, after = ({site.code: site.coordinator_sees_allocation for site in one.sites} for one in (old, new))
    return [
        _orphan(
            "sites.toml",
            f"sites[{place}].coordinator_sees_allocation",
            f"somebody coordinates the site {code}, and would be on the wrong side of the wall",
            "end that role first, then load the protocol and give the other one",
        )
        for place, code in enumerate(after, start=1)
        if code in used.coordinated and before.get(code, False) != after[code]
    ]


def _design(old: Protocol, new: Protocol, used: Used) -> list[Problem]:
    if not used.randomized:
        return []
    problems = []
    arms_before, arms_after = ({a.code: (a.ratio, a.experimental) for a in one.arms} for one in (old, new))
    if arms_before != arms_after:
        shown = ", ".join(f"{code} ratio {ratio}" for code, (ratio, _) in arms_before.items())
        detail = "people have been randomized, so arms, their ratio and which is experimental stand"
        problems.append(_orphan("trial.toml", "arms", detail, f"keep {shown}"))
    if old.strata_rule != new.strata_rule:
        detail = "people have been randomized within strata"
        problems.append(_orphan("trial.toml", "strata", detail, f'keep strata = "{old.strata_rule}"'))
    return problems


def _visits(old: Protocol, new: Protocol, used: Used) -> list[Problem]:
    in_use = used.visits | {visit for _, visit, _ in used.answers}
    problems = _gone("visits.toml", "visits", "visit", in_use, new.visits)
    before, after = ({v.code: v.is_baseline for v in one.visits} for one in (old, new))
    for code in sorted(in_use & set(before) & set(after)):
        if before[code] != after[code]:
            advice = f"keep baseline = {str(before[code]).lower()}"
            problems.append(_orphan("visits.toml", "visits", f"the visit {code} has data", advice))
    return problems


def _instruments(old: Protocol, new: Protocol, used: Used) -> list[Problem]:
    problems = []
    before, after = ({i.code: i for i in one.instruments} for one in (old, new))
    for code in sorted({instrument for instrument, _, _ in used.answers}):
        file = instrument_file(code)
        if code not in after:
            problems += _gone(file, "code", "form", [code], new.instruments)
            continue
        visits = {visit for instrument, visit, _ in used.answers if instrument == code}
        for visit in sorted(visits - set(after[code].visits)):
            detail = f"this form has answers at the visit {visit}"
            problems.append(_orphan(file, "visits", detail, f"keep {visit} among its visits"))
        items = {item for instrument, _, item in used.answers if instrument == code}
        if code in before:
            problems += _form(file, before[code], after[code], items)
        else:
            problems += _gone(file, "items", "item", items, after[code].items)
    return problems


def _form(file: str, old: Instrument, new: Instrument, answered: set[str]) -> list[Problem]:
    problems = []
    for key in ("rater", "rater_blind"):
        was, is_now = getattr(old, key), getattr(new, key)
        if was != is_now:
            shown = str(was).lower() if isinstance(was, bool) else f'"{was}"'
            detail = "this form has answers, and every score carries its rater"
            problems.append(_orphan(file, key, detail, f"keep {key} = {shown}"))
    problems += _gone(file, "items", "item", answered, new.items)
    before, after = ({item.code: item for item in one.items} for one in (old, new))
    for code in sorted(answered & set(before) & set(after)):
        problems += _item(file, before[code], after[code])
    scales = {scale.code: scale for scale in new.scales}
    for scale in old.scales:
        if not answered & set(scale.all_items):
            continue
        if scale.code not in scales:
            detail = f"the scale {scale.code} has scores but is no longer there"
            problems.append(_orphan(file, "scales", detail, f"keep the scale {scale.code}"))
        elif scales[scale.code].min > scale.min or scales[scale.code].max < scale.max:
            detail = f"the scale {scale.code} has scores, and its range would shrink"
            problems.append(_orphan(file, f"scales.{scale.code}", detail, f"keep at least {scale.min} to {scale.max}"))
    return problems


def _item(file: str, old: Item, new: Item) -> list[Problem]:
    key, detail = f"items.{old.code}", f"the item {old.code} has answers"
    if old.kind != new.kind:
        return [_orphan(file, f"{key}.kind", detail, f'keep kind = "{old.kind}"')]
    if old.unit != new.unit:
        return [_orphan(file, f"{key}.unit", detail, f'keep unit = "{old.unit}"')]
    lost = sorted({value for value, _ in old.levels} - {value for value, _ in new.levels})
    if lost:
        return [_orphan(file, f"{key}.anchors", detail, f"keep the choice {', '.join(map(str, lost))}")]
    if old.min is not None and new.min is not None and new.min > old.min:
        return [_orphan(file, f"{key}.min", detail, f"keep a min of {old.min} or less")]
    if old.max is not None and new.max is not None and new.max < old.max:
        return [_orphan(file, f"{key}.max", detail, f"keep a max of {old.max} or more")]
    return []


def _conduct(new: Protocol, used: Used) -> list[Problem]:
    lists: tuple[tuple[str, str, tuple[Reason, ...]], ...] = (
        ("exclusion", "eligibility.toml", new.reasons.exclusion),
        ("decline", "eligibility.toml", new.reasons.decline),
        ("missed_visit", "visits.toml", new.reasons.missed_visit),
        ("missing_item", "visits.toml", new.reasons.missing_item),
        ("withdrawal", "consent.toml", new.reasons.withdrawal),
    )
    problems = _gone("eligibility.toml", "criteria", "criterion", used.criteria, new.criteria)
    for name, file, reasons in lists:
        codes = {code for of, code in used.reasons if of == name}
        problems += _gone(file, f"{name}_reasons", "reason", codes, reasons)
    problems += _gone("consent.toml", "versions", "version", used.consent_versions, new.consent_versions)
    return problems + _gone("consent.toml", "parts", "part", used.consent_parts, new.consent_parts)
