"""A run that several workers share, part by part, on whatever side it belongs to. Any of them may be killed at any moment.

Whoever claims the run lays out its parts, sends a message for each to the queue of the side, and takes parts itself until none waits: so a run
goes on without a broker, and a second worker takes what is left. Who finishes the last part puts the whole together, in one commit. A killed
worker loses the part it was at; the sweep lets it wait again. A run that goes on from an earlier one finds the parts of that one.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from analysis.methods.progress import Watch
from analysis.runs import actions, executor
from analysis.runs.executor import EXECUTOR
from analysis.runs.models import Part, Run
from analysis.runs.parts import Inputs, completed, cost_of, names_of, part_of, within
from trial.core import db
from trial.core.tasks import Queue, enqueue

Kind = TypeVar("Kind", bound=Run)


@dataclass(frozen=True)
class Fan(Generic[Kind]):
    """A kind of run with its parts and its queue: ``task`` computes one part (run, name), ``inputs`` reads what all parts are computed from.

    ``compute``: a run that is not divided.
    """

    model: type[Kind]
    parts: type[Part]
    queue: Queue
    task: str
    inputs: Callable[[Kind], Inputs]
    compute: Callable[[Kind, Watch], Mapping[str, Any]]


def execute(fan: Fan[Kind], key: uuid.UUID) -> None:
    """Run ``key`` if it waits: share it out and help, or compute it whole where it is not divided."""
    with db.unit_of_work(by=EXECUTOR):
        run = actions.claim(model=fan.model, key=key, by=EXECUTOR)
    if run is None:
        return
    names = names_of(run.spec)
    if not names:
        executor.attend(run, fan.compute)
        return
    with db.unit_of_work(by=EXECUTOR):
        done = names_done(fan, run)
        left = {name: n for n, name in enumerate(names) if name not in done}
        for name in actions.share_out(run=run, model=fan.parts, names=left, by=EXECUTOR):
            enqueue(fan.queue, fan.task, str(run.pk), name)
    _help(fan, run)


def take(fan: Fan[Kind], key: uuid.UUID, name: str) -> None:
    """Compute one part, if it still waits and its run is at work."""
    with db.unit_of_work(by=EXECUTOR):
        run = fan.model._default_manager.filter(pk=key, state=fan.model.State.RUNNING).first()
    if run is not None:
        _help(fan, run, name)


def finished(fan: Fan[Kind], run: Kind) -> dict[str, Any]:
    """The results of the parts that are done, those of the runs that this one goes on from included."""
    found: dict[str, Any] = {}
    for key in _line(fan, run):
        done = _succeeded(fan).filter(run=key)
        found = {name: result["value"] for name, result in done.values_list("name", "result")} | found
    return found


def names_done(fan: Fan[Kind], run: Kind) -> set[str]:
    """The names of the parts that ``finished`` gives, without reading what they hold."""
    return set(_succeeded(fan).filter(run__in=_line(fan, run)).values_list("name", flat=True))


def _succeeded(fan: Fan[Kind]) -> Any:
    return fan.parts._default_manager.filter(state=Part.State.SUCCEEDED)


def _line(fan: Fan[Kind], run: Kind) -> list[uuid.UUID]:
    """The run, the one that it goes on from, and so on."""
    keys, before = [run.pk], run.resumes_id
    while before is not None:
        keys.append(before)
        before = fan.model._default_manager.values_list("resumes_id", flat=True).get(pk=before)
    return keys


def _help(fan: Fan[Kind], run: Kind, name: str = "") -> None:
    """Take parts until none waits, or the one of this name; then put the whole together if it was the last."""
    read: list[tuple[Inputs, int | None]] = []

    def inputs() -> tuple[Inputs, int | None]:
        if not read:
            read.append(fan.inputs(run).of_people())
        return read[0]

    while True:
        with db.unit_of_work(by=EXECUTOR):
            part = actions.claim_part(run=run, model=fan.parts, name=name, by=EXECUTOR)
        if part is None:
            break
        if not _one(fan, run, part, lambda: inputs()[0]):
            return
        if name:
            break
    _gather(fan, run, inputs)


def _one(fan: Fan[Kind], run: Kind, part: Part, inputs: Callable[[], Inputs]) -> bool:
    """Compute one part. False where that failed, or nobody wants it any more."""
    with db.unit_of_work(by=EXECUTOR):
        done = sum(map(cost_of, names_done(fan, run)))
    total = sum(map(cost_of, names_of(run.spec)))

    def tell(stage: str, share: float) -> bool:
        told: bool = actions.report_part(run=run, part=part, stage=stage, share=share, by=EXECUTOR)
        return told

    watch = within(executor.watching(tell), part.name, done / total, cost_of(part.name) / total)

    def compute() -> Any:
        watch.step("reading", 0.0)
        return part_of(inputs(), part.name, watch)

    end = executor.outcome(run, compute)
    with db.unit_of_work(by=EXECUTOR):
        if end["state"] == Part.State.SUCCEEDED:
            actions.finish_part(part=part, result=end["result"], by=EXECUTOR)
            return True
        actions.leave_part(run=run, part=part, failure=end.get("failure"), by=EXECUTOR)
    return False


def _gather(fan: Fan[Kind], run: Kind, inputs: Callable[[], tuple[Inputs, int | None]]) -> None:
    """The result, if every part is done and nobody has put it together yet."""
    with db.unit_of_work(by=EXECUTOR):
        is_at_work = fan.model._default_manager.filter(pk=run.pk, state=fan.model.State.RUNNING).exists()
        is_complete = is_at_work and names_done(fan, run) >= set(names_of(run.spec))
        found = finished(fan, run) if is_complete else {}
    if is_complete:

        def compute(_run: Kind, _watch: Watch) -> dict[str, Any]:
            mine, outside = inputs()
            return completed(mine.frozen, found, outside)

        executor.attend(run, compute)
