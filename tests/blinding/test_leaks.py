"""The proof is itself proven: each channel has its watch, and each planted leak is caught by the comparison that should catch it."""

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.pooled.models import PooledRun
from analysis.reports.models import Report
from analysis.snapshots.models import Snapshot
from tests import world
from tests.blinding.leaks import data, messages, pages
from tests.blinding.leaks.planting import Leak
from tests.blinding.worlds import Pair, pair
from trial.config.leakcheck.channels import CHANNELS
from trial.config.leakcheck.comparison import LATER, answers_that_differ
from trial.config.leakcheck.crawl import ask_once, crawl
from trial.config.leakcheck.data import look
from trial.config.leakcheck.script import Script
from trial.core.access.roles import BY_CODE
from trial.participants.models import Participant
from trial.protocol.models import Site

pytestmark = pytest.mark.proof  # each plays two worlds and crawls them: minutes, not seconds

LEAKS = (*data.LEAKS, *pages.LEAKS, *messages.LEAKS)
OF_DATA = [leak for leak in LEAKS if leak.is_of_data]
OF_ANSWERS = [leak for leak in LEAKS if not leak.is_of_data]
ROOT = Path(__file__).resolve().parents[2]
AT_LEAST = 25


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


@pytest.fixture(scope="module")
def worlds() -> Iterator[Pair]:
    """Two running trials that differ behind the wall, played once."""
    with pair(Script(people=12, seed=3, closes=False, reports=True)) as made:
        assert made.of_other_arm(), "nobody's arm differs: nothing would be tested"
        yield made


def test_each_channel_of_the_list_has_its_watch() -> None:
    assert [one.number for one in CHANNELS] == list(range(1, 61))
    named = {name for one in CHANNELS if one.watch == "mutant" for name in one.by}
    planted = [leak.name for leak in LEAKS]
    assert len(planted) == len(set(planted))
    assert named <= set(planted), "a channel names a leak that nobody planted"
    assert len([one for one in CHANNELS if one.watch == "mutant"]) >= AT_LEAST
    for one in CHANNELS:
        assert one.by, one.number
        if one.watch == "tested":
            assert all(_exists(test) for test in one.by), one


def _exists(test: str) -> bool:
    path, _colons, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def _caught_in_data(worlds: Pair, leak: Leak) -> bool:
    seen = []
    for _name, _played in worlds.each():
        with leak.plant():
            seen.append(look())
    return leak.place in seen[0].differences(seen[1])


def _caught_at_its_place(worlds: Pair, leak: Leak) -> bool:
    """Ask for the one address that leaks."""
    answers = []
    for _name, played in worlds.each():
        with leak.plant():
            asked = _place(worlds, leak)
            answers.append(ask_once(played.ended_at + LATER, BY_CODE[leak.role], leak.method, asked))
    return any(one.channel == leak.channel for one in answers_that_differ("", *answers))


def _place(worlds: Pair, leak: Leak) -> str:
    with world.at_work(world.SETUP):
        site = Site.objects.order_by("code").values_list("code", flat=True)[0]
        differ = Participant.objects.filter(site=site, number__in=worlds.of_other_arm())
        own = differ.order_by("number").values_list("number", flat=True)[0]
        return leak.place.format(
            number=worlds.of_other_arm()[0],
            own=own,
            snapshot=Snapshot.objects.order_by("pk").values_list("pk", flat=True)[0],
            report=Report.objects.order_by("pk").values_list("pk", flat=True)[0],
            run=PooledRun.objects.order_by("pk").values_list("pk", flat=True)[0],
        )


def _caught_by_the_crawl(worlds: Pair, leak: Leak) -> bool:
    """Crawl as the role that reads it; the leak must be found where it is, through its channel."""
    answers = []
    for _name, played in worlds.each():
        with leak.plant():
            place = _place(worlds, leak)
            roles = (BY_CODE[leak.role],)
            answers.append(
                crawl(
                    played.ended_at + LATER,
                    alike=3,
                    writes=False,
                    roles=roles,
                    refused=False,
                    first=worlds.of_other_arm(),
                )
            )
    found = answers_that_differ("", *answers)
    pattern = re.compile(re.sub(r"\d{8}", r"\\d{8}", re.escape(f"{leak.method} {place}")))
    return any(one.channel == leak.channel and pattern.search(one.place) for one in found)


@pytest.mark.parametrize("leak", [one for one in LEAKS if one.is_quick], ids=lambda leak: leak.name)
def test_a_planted_leak_is_caught(worlds: Pair, leak: Leak) -> None:
    assert (_caught_in_data if leak.is_of_data else _caught_at_its_place)(worlds, leak)


def test_without_a_leak_nothing_is_caught(worlds: Pair) -> None:
    seen, answers = [], []
    for _name, played in worlds.each():
        seen.append(look())
        place = f"/participants/{worlds.of_other_arm()[0]}/"
        answers.append(ask_once(played.ended_at + dt.timedelta(days=1), BY_CODE["monitor"], "GET", place))
    assert seen[0].differences(seen[1]) == {}
    assert answers_that_differ("", *answers) == []
    assert next(iter(answers[0].values())).status == 200


@pytest.mark.proof
def test_every_planted_leak_is_caught(worlds: Pair) -> None:
    """All of them, pages by a crawl. The share is printed; less than all of them is a failure."""
    missed = [leak.name for leak in OF_DATA if not _caught_in_data(worlds, leak)]
    missed += [leak.name for leak in OF_ANSWERS if not _caught_by_the_crawl(worlds, leak)]
    caught = len(LEAKS) - len(missed)
    print(f"\nplanted leaks caught: {caught} of {len(LEAKS)} ({caught / len(LEAKS):.0%})")  # noqa: T201
    assert missed == []
