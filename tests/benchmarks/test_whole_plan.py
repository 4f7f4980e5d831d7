"""How long the whole plan of the example takes: twelve scales, sensitivity analyses, 4,999 lots; alone and with a second worker. Printed.

187 people in 14 teams, on fake arms. A worker is a process that computes parts, as those of the queue do; the broker and the rows are left out.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import pytest

from analysis.methods.canonical import digest, encode
from analysis.runs import compute, parts, rehearsal
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.test_parts import frozen

pytestmark = pytest.mark.bench
PEOPLE, TEAMS, SEED = 187, 14, 7


@cache
def inputs() -> parts.Inputs:
    plan, content = frozen(outcomes=20), table(PEOPLE, teams=TEAMS)
    numbers = compute.numbers_of(content)
    joined = rehearsal.fake_join(numbers, SEED, plan)
    return parts.Inputs(content, joined, plan, rehearsal.fake_lot(numbers, SEED, rehearsal.ratio_of(plan)))


def one(name: str) -> tuple[str, object, float]:
    began = time.process_time()
    return name, parts.part_of(inputs(), name), time.process_time() - began


def whole(workers: int) -> tuple[float, str, dict[str, float]]:
    names = parts.names_of(inputs().frozen)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        list(pool.map(one, names[1:3]))  # each worker is awake
        began = time.perf_counter()
        done = [future.result() for future in [pool.submit(one, name) for name in names]]
        took = time.perf_counter() - began
    found = {name: result for name, result, _seconds in done}
    made = digest(encode(parts.whole_of(inputs().frozen, found)))
    seconds: dict[str, float] = {}
    for name, _result, spent in done:
        kind = name.partition(" ")[0]
        seconds[kind] = seconds.get(kind, 0.0) + spent
    return took, made, seconds


def test_the_whole_plan_with_one_worker_and_with_two() -> None:
    alone, first, seconds = whole(1)
    both, second, _seconds = whole(2)
    assert first == second
    inside = ", ".join(f"{kind} {spent:.1f}" for kind, spent in seconds.items())
    total = sum(seconds.values())
    print(f"\nthe whole plan, {PEOPLE} people, 4,999 lots: {alone:.1f} s with one worker", end="")  # noqa: T201
    print(f"\n  {total:.1f} s of processor time: {inside}", end="")  # noqa: T201
    print(f"\n  {both:.1f} s with two: {alone / both:.2f} times as fast", end="")  # noqa: T201
