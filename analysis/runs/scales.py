"""Every outcome by the protocol's model, each by itself, and admissions. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from analysis.methods.admissions import Admissions, analyze_admissions
from analysis.methods.canonical import plain
from analysis.methods.multiplicity import holm
from analysis.methods.problems import Problem, Refused
from analysis.methods.progress import Watch
from analysis.methods.results import Analysis
from analysis.methods.spec import Spec, read_spec
from analysis.methods.study import analyze
from analysis.runs.joined import Joined
from analysis.runs.tables import at_visits

ADMISSIONS = "admissions"


def spec_in(outcome: Mapping[str, Any]) -> Spec:
    """The model of one outcome of a frozen specification."""
    return read_spec({k: v for k, v in outcome["spec"].items() if v is not None})


def attempt(run: Callable[[], Analysis]) -> dict[str, Any]:
    """An analysis, or the problems that refused it."""
    try:
        made: Analysis | None = run()
        problems: tuple[Problem, ...] = ()
    except Refused as refusal:
        made, problems = None, refusal.problems
    return {"analysis": made, "problems": problems}


def scale_of(table: pd.DataFrame, frozen: Mapping[str, Any], code: str, watch: Watch) -> dict[str, Any]:
    """One outcome. One that cannot be analyzed has no analysis, and its problems say why."""
    spec = spec_in(next(one for one in frozen["outcomes"] if one["code"] == code))
    return {"code": code, **attempt(lambda: analyze(at_visits(table, spec), spec, watch))}


def with_holm(frozen: Mapping[str, Any], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outcomes with p adjusted by Holm, but for the primary one, which is the first. Refused where none could be analyzed."""
    if not any(one["analysis"] for one in found):
        problems = found[0]["problems"]
        raise Refused([one if isinstance(one, Problem) else Problem(**one) for one in problems])
    adjusted = [None, *holm([_primary_p(one["analysis"]) for one in found[1:]])]
    return [{**one, "holm": p} for one, p in zip(found, adjusted, strict=True)]


def _primary_p(analysis: Any) -> float | None:
    """p of the difference at the primary visit, at the digits that are stored."""
    if analysis is None:
        return None
    stored = plain(analysis)
    visit = stored["spec"]["primary_visit"]
    return next((one["value"]["p"] for one in stored["differences"] if one["visit"] == visit), None)


def admissions_of(joined: Mapping[str, Joined], frozen: Mapping[str, Any]) -> Admissions | None:
    """Admissions where the protocol plans records."""
    plan = frozen["records"]
    if plan is None:
        return None
    stays = [person.as_stay(frozen["experimental"]) for _number, person in sorted(joined.items())]
    return analyze_admissions(stays, plan["continuity"], plan["confidence"])
