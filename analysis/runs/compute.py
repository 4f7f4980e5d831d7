"""What a run computes, from a table, what is joined to it, and its frozen specification. No database in here."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.methods.descriptives import summarize
from analysis.methods.design import read_table
from analysis.methods.nonrandomized import Comparison, Selection, select
from analysis.methods.problems import Refused, error
from analysis.methods.progress import SILENT, Watch
from analysis.methods.results import Analysis
from analysis.methods.spec import Arm, Spec
from analysis.methods.study import analyze, analyze_pooled, baseline_of
from analysis.runs.blinded import blinded
from analysis.runs.joined import Joined, arms_of
from analysis.runs.looks import look_result, rehearsed_result
from analysis.runs.parts import Inputs, undivided
from analysis.runs.scales import admissions_of, attempt, scale_of, spec_in, with_holm
from analysis.runs.sensitivity import Lot
from analysis.runs.specs import BY_PLAN, LOOK, PRIMARY, PUBLISHED, SCALES, specs_of
from analysis.runs.tables import at_visits, with_arms

GROUP_COLUMN = "compared group"
STAGE_LENGTH = 30


def comparative(
    content: bytes, arms: Mapping[str, str], frozen: dict[str, Any], watch: Watch = SILENT
) -> dict[str, Any]:
    """Fit every specification on the table with its arm column. ``arms``: arm by participant; who has none is refused by the methods."""
    table = with_arms(content, arms)
    specs = specs_of(frozen)
    found: dict[str, Any] = {}
    for n, (name, spec) in enumerate(specs.items()):
        found[name] = analyze(at_visits(table, spec), spec, _part(watch, n, len(specs)))
    return {"analyses": found}


def pooled(content: bytes, frozen: dict[str, Any], watch: Watch = SILENT) -> dict[str, Any]:
    """Descriptives of all arms together, at every visit of the plan."""
    name = frozen["reported"]
    spec = specs_of(frozen)[name]
    table = read_table(content)
    found: dict[str, Any] = {"analyses": {name: analyze_pooled(at_visits(table, spec), spec, watch)}}
    return found | ({"blinded": _blinded(table, frozen["blinded"])} if "blinded" in frozen else {})


def _blinded(table: pd.DataFrame, frozen: dict[str, Any]) -> dict[str, Any]:
    """Information and sample size without any arm, or the problems that refused them: the pooled figures go on."""
    try:
        return dataclasses.asdict(blinded(table, frozen)) | {"problems": []}
    except Refused as refusal:
        return {"problems": list(refusal.problems)}


def computed(
    content: bytes,
    joined: Mapping[str, Joined],
    frozen: dict[str, Any],
    watch: Watch = SILENT,
    lot: Lot | None = None,
) -> dict[str, Any]:
    """What the frozen specification asks for, of whichever kind, in its set of people; a set that leaves some out says how many.

    ``lot``: how the arms were drawn, where the lot is to be drawn again.
    """
    given, kind = Inputs(content, joined, frozen, lot), frozen.get("kind", PRIMARY)
    if kind == BY_PLAN:
        return undivided(given, watch)
    mine, outside = given.of_people()
    compute = {PRIMARY: primary, SCALES: scales, PUBLISHED: published, LOOK: look}[kind]
    found = compute(mine.content, mine.joined, dict(mine.frozen), watch)
    return found if outside is None else {**found, "left_out": outside}


def primary(
    content: bytes, joined: Mapping[str, Joined], frozen: dict[str, Any], watch: Watch = SILENT
) -> dict[str, Any]:
    """The primary outcome by each way of estimation."""
    return comparative(content, arms_of(joined), frozen, watch)


def look(content: bytes, joined: Mapping[str, Joined], frozen: dict[str, Any], watch: Watch = SILENT) -> dict[str, Any]:
    """The planned model alone, and what it means before the end; in a rehearsal every look of the plan, one after the other."""
    compute = rehearsed_result if "rehearsed" in frozen else look_result
    return compute(with_arms(content, arms_of(joined)), joined, frozen, watch)


def scales(
    content: bytes, joined: Mapping[str, Joined], frozen: dict[str, Any], watch: Watch = SILENT
) -> dict[str, Any]:
    """Every outcome by the plan's model, one after the other, and admissions.

    An outcome that cannot be analyzed has no analysis, and its problems say why; the others go on. Refused where that is true of all.
    """
    table, codes = with_arms(content, arms_of(joined)), [outcome["code"] for outcome in frozen["outcomes"]]
    found = [scale_of(table, frozen, code, _part(watch, n, len(codes), code)) for n, code in enumerate(codes)]
    return {"outcomes": with_holm(frozen, found), "admissions": admissions_of(joined, frozen)}


def published(
    content: bytes, joined: Mapping[str, Joined], frozen: dict[str, Any], watch: Watch = SILENT
) -> dict[str, Any]:
    """Groups that were formed after randomization against all controls, by the same models. Refused where nobody's sessions are known."""
    if not any(person.attended is not None for person in joined.values()):
        raise Refused([error("no_exposure")])
    table = with_arms(content, arms_of(joined))
    total = len(frozen["comparisons"])
    found = [
        _comparison(table, joined, one, frozen, _part(watch, n, total)) for n, one in enumerate(frozen["comparisons"])
    ]
    return {"comparisons": found}


def _comparison(
    table: pd.DataFrame, joined: Mapping[str, Joined], plan: dict[str, Any], frozen: dict[str, Any], watch: Watch
) -> dict[str, Any]:
    """One comparison: who was selected, and every outcome. Classes of which there is nobody are not compared."""
    wanted = Comparison(plan["code"], tuple(c["code"] for c in plan["classes"]), plan["minimum_sessions"])
    people = {number: person.as_exposure() for number, person in joined.items()}
    control = frozen["outcomes"][0]["spec"]["arm"]["reference"]
    selection = select(people, wanted, frozen["experimental"], control)
    classes = [name for name in wanted.classes if name in selection.groups.values()]
    outcomes = []
    for n, outcome in enumerate(frozen["outcomes"]):
        part = _part(watch, n, len(frozen["outcomes"]), outcome["code"])
        made = _selected(table, selection, classes, spec_in(outcome), part)
        outcomes.append({"code": outcome["code"], **made})
    baseline = _baselines(table, selection, [*classes, control], spec_in(frozen["outcomes"][0]))
    return {
        "code": plan["code"],
        "classes": classes,
        "selection": selection.lines,
        "baseline": baseline,
        "outcomes": outcomes,
    }


def _selected(
    table: pd.DataFrame, selection: Selection, classes: list[str], spec: Spec, watch: Watch
) -> dict[str, Any]:
    """One outcome among the selected; standardized by the baseline of everybody randomized."""
    if not classes or spec.arm is None:
        return {"analysis": None, "problems": [error("nobody_selected")]}
    arm = Arm(GROUP_COLUMN, spec.arm.reference, classes[0], tuple(classes[1:]))
    mine = table[table["participant"].isin(list(selection.groups))].copy()
    mine[GROUP_COLUMN] = [selection.groups[number] for number in mine["participant"]]
    grouped = dataclasses.replace(spec, arm=arm)

    def run() -> Analysis:
        everybody = baseline_of(at_visits(table, spec), spec)
        return analyze(at_visits(mine, spec), grouped, watch, everybody)

    return attempt(run)


def _baselines(table: pd.DataFrame, selection: Selection, groups: list[str], spec: Spec) -> list[dict[str, Any]]:
    """The primary outcome at baseline, of each group that is compared and of the experimental arm's others."""
    first = table.drop_duplicates("participant")
    column = spec.baseline or f"{spec.outcome}_baseline"
    if column not in first.columns:
        return []
    values = pd.to_numeric(first[column].replace("", None))
    of = first["participant"].map(lambda number: selection.groups.get(number, "others"))
    return [
        {"group": group, "summary": summarize(values[of == group], int((of == group).sum()))}
        for group in [*groups, "others"]
    ]


def _part(watch: Watch, number: int, of: int, name: str = "") -> Watch:
    """The watch of one part of several. With ``name`` the stage says which part it is: "3/12 bsi"."""
    stage = f"{number + 1}/{of} {name}"[:STAGE_LENGTH] if name else ""
    return Watch(
        report=lambda step, share: watch.report(stage or step, (number + share) / of), cancelled=watch.cancelled
    )


def numbers_of(content: bytes) -> list[str]:
    """The study numbers in a table, each once, in order."""
    return sorted({str(number) for number in read_table(content)["participant"]})
