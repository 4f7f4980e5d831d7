"""The parts of a run that several workers share: their names, what each computes, and the whole in a fixed order. Pure.

A part depends on nothing but the inputs of the run and its own name, and its result is written at 12 significant digits before anybody goes on
with it: however the parts are shared out, stopped and resumed, the whole has the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from analysis.methods.blocks import split
from analysis.methods.canonical import plain
from analysis.methods.progress import SILENT, Watch
from analysis.runs import imputed, resampled, sensitivity
from analysis.runs.joined import Joined, arms_of
from analysis.runs.looks import final_result
from analysis.runs.people import EVERYBODY, left_out, people_of, without
from analysis.runs.planned import fit_all
from analysis.runs.scales import ADMISSIONS, admissions_of, scale_of, with_holm
from analysis.runs.specs import BY_PLAN, SCALES
from analysis.runs.subgroups import subgroup
from analysis.runs.tables import with_arms

BLOCK = 500
"""So many replicates are a part."""
MODELS, OUTCOME, IMPUTATION, TIPPING, REPLICATES = "models", "outcome", "imputation", "tipping", "replicates"
SUBGROUP, BOOTSTRAP, JOINT = "subgroup", "bootstrap", "joint"
COSTS = {MODELS: 25, OUTCOME: 1, IMPUTATION: 10, TIPPING: 18, REPLICATES: 15, ADMISSIONS: 1}
COSTS |= {SUBGROUP: 1, BOOTSTRAP: 12, JOINT: 15}
"""How long a part takes, roughly, in units of one outcome: progress and remaining time count with it."""


@dataclass(frozen=True)
class Inputs:
    """Everything that a run is computed from: the snapshot's bytes, what is joined, the frozen specification, how the arms were drawn."""

    content: bytes
    joined: Mapping[str, Joined]
    frozen: Mapping[str, Any]
    lot: sensitivity.Lot | None = None

    @property
    def seed(self) -> str:
        """The seed of whatever is drawn again; of inputs that say nothing of a lot, that of none."""
        return self.lot.seed if self.lot else ""

    def of_people(self) -> "tuple[Inputs, int | None]":
        """The inputs of the set of people that is asked for, and how many that leaves out; None where everybody takes part."""
        if people_of(self.frozen) == EVERYBODY:
            return self, None
        outside = left_out(self.content, self.joined, self.frozen)
        inside = {number: one for number, one in self.joined.items() if number not in set(outside)}
        frozen = {**self.frozen, "people": EVERYBODY}
        return replace(self, content=without(self.content, outside), joined=inside, frozen=frozen), len(outside)

    def table(self) -> pd.DataFrame:
        """The table with its arms."""
        return with_arms(self.content, arms_of(self.joined))


def names_of(frozen: Mapping[str, Any]) -> list[str]:
    """The parts of a run in their order; none of a kind that is not divided."""
    kind = frozen.get("kind")
    if kind == SCALES:
        return [*(f"{OUTCOME} {one['code']}" for one in frozen["outcomes"]), ADMISSIONS]
    if kind != BY_PLAN:
        return []
    names = [MODELS, *(f"{OUTCOME} {one['code']}" for one in frozen.get("outcomes", ()))]
    names += [f"{SUBGROUP} {one['code']}" for one in frozen.get("subgroups", ())]
    names += [f"{IMPUTATION} {one['kind']}" for one in frozen.get("imputations", ())]
    names += [TIPPING] if frozen.get("tipping") else []
    names += _blocks(BOOTSTRAP, frozen.get("bootstrap"))
    names += [
        name for code in resampled.joint_codes(frozen) for name in _blocks(f"{JOINT} {code}", frozen["rerandomization"])
    ]
    return names + _blocks(REPLICATES, frozen.get("rerandomization"))


def _blocks(kind: str, planned: Mapping[str, Any] | None) -> list[str]:
    """A part for each block of replicates; none where none are planned."""
    return [f"{kind} {start}" for start, _stop in split(planned["replicates"], BLOCK)] if planned else []


def cost_of(name: str) -> int:
    """What the part weighs in the progress of its run."""
    return COSTS[name.partition(" ")[0]]


def part_of(inputs: Inputs, name: str, watch: Watch = SILENT) -> Any:
    """What one part computes, as plain data. ``inputs``: already of the people who take part. Raises Refused, or Cancelled."""
    kind, _space, what = name.partition(" ")
    table, joined, frozen = inputs.table(), inputs.joined, inputs.frozen
    if frozen["kind"] == SCALES:
        return plain(admissions_of(joined, frozen) if kind == ADMISSIONS else scale_of(table, frozen, what, watch))
    compute: dict[str, Callable[[], Any]] = {
        MODELS: lambda: fit_all(table, joined, frozen, watch),
        OUTCOME: lambda: sensitivity.outcome(table, frozen, what),
        SUBGROUP: lambda: subgroup(table, frozen, what),
        IMPUTATION: lambda: imputed.imputation(table, joined, frozen, what, watch),
        TIPPING: lambda: imputed.tipping(table, joined, frozen, watch),
        REPLICATES: lambda: sensitivity.replicates(table, frozen, inputs.lot, *_block(frozen, what), watch),
        BOOTSTRAP: lambda: resampled.samples(table, frozen, inputs.seed, *_block(frozen, what, "bootstrap"), watch),
        JOINT: lambda: sensitivity.replicates(table, frozen, inputs.lot, *_block(frozen, what), watch, what.split()[0]),
    }
    return plain(compute[kind]())


def _block(frozen: Mapping[str, Any], what: str, of: str = "rerandomization") -> tuple[int, int]:
    start = int(what.split()[-1])
    return start, min(start + BLOCK, frozen[of]["replicates"])


def whole_of(frozen: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The result from its parts by name. Raises Refused where nothing at all could be analyzed."""
    named = {kind: [found[name] for name in names_of(frozen) if name.partition(" ")[0] == kind] for kind in COSTS}
    if frozen["kind"] == SCALES:
        return {"outcomes": with_holm(frozen, named[OUTCOME]), "admissions": found[ADMISSIONS]}
    whole = dict(found[MODELS])
    whole["fits"] = whole["fits"] + [
        {**one, **part} for one, part in zip(frozen.get("imputations", ()), named[IMPUTATION], strict=True)
    ]
    if frozen.get("subgroups"):
        whole["subgroups"] = named[SUBGROUP]
    if frozen.get("tipping"):
        whole["tipping"] = found[TIPPING]
    if frozen.get("rerandomization"):
        whole["rerandomization"] = sensitivity.rerandomization(frozen, named[REPLICATES])
    if frozen.get("bootstrap"):
        whole["bootstrap"] = resampled.bootstrap(frozen, named[BOOTSTRAP])
        whole["fits"].append(resampled.as_fit(frozen, whole["bootstrap"], whole["fits"][0]))
    joint = None
    if named[JOINT]:
        joint, whole["joint"] = resampled.jointly(frozen, named[JOINT])
    if frozen.get("outcomes"):
        whole["outcomes"] = sensitivity.with_adjusted(frozen, named[OUTCOME], joint)
    return final_result(whole, frozen) if frozen.get("final") else whole


def undivided(inputs: Inputs, watch: Watch = SILENT) -> dict[str, Any]:
    """All parts, one after the other: the same bytes as when several workers share them."""
    mine, outside = inputs.of_people()
    names, found, done = names_of(mine.frozen), {}, 0
    total = sum(map(cost_of, names))
    for name in names:
        found[name] = part_of(mine, name, within(watch, name, done / total, cost_of(name) / total))
        done += cost_of(name)
    return completed(mine.frozen, found, outside)


def completed(frozen: Mapping[str, Any], found: Mapping[str, Any], outside: int | None) -> dict[str, Any]:
    """The whole, with how many people were left out where some were."""
    whole = whole_of(frozen, found)
    return whole if outside is None else {**whole, "left_out": outside}


def within(watch: Watch, name: str, done: float, share: float) -> Watch:
    """The watch of one part: the stage is its name, its progress is its share of the whole."""
    stage = name[:30]
    return Watch(report=lambda _step, of: watch.report(stage, done + of * share), cancelled=watch.cancelled)
