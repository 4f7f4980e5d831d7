"""Two worlds, observed in the same way, and where they differ."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from trial.config.leakcheck import broker, databases
from trial.config.leakcheck.answers import Answer, shown
from trial.config.leakcheck.crawl import crawl
from trial.config.leakcheck.data import Seen, look
from trial.config.leakcheck.listening import listening
from trial.config.leakcheck.script import Played, Script, play
from trial.core.access.roles import OPEN_SIDE, Role
from trial.core.database.setup import Plan

ONE, OTHER = b"one world", b"another world"
"""The seeds of the two sequences: the only thing that is not the same."""
TRIES = 20
LATER = dt.timedelta(days=1)


@dataclass(frozen=True)
class Difference:
    """One thing that a blinded person could read: when, through which channel, where (role and address, or table), and how it differs."""

    moment: str
    channel: str
    place: str
    diff: str


@dataclass
class Observed:
    """Everything that was read of one world."""

    arms: dict[str, str] = field(default_factory=dict)
    data: dict[str, Seen] = field(default_factory=dict)
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    while_played: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    at_rest: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How much was read, by channel."""
        found: Counter[str] = Counter()
        for seen in self.data.values():
            found["tables, views, sequences and functions"] += len(seen.tables)
            found["rows"] += sum(map(len, seen.tables.values()))
        for keys in self.at_rest.values():
            found["keys of the broker, and questions without a key"] += len(keys)
        for answers in self.answers.values():
            found["answers"] += len(answers)
            for answer in answers.values():
                found[f"answers with status {answer.status}"] += 1
                found["statements"] += len(answer.queries)
                found["records of the log"] += len(answer.log)
                found["e-mails"] += len(answer.mail)
                found["messages on open queues"] += len(answer.broker)
        return dict(sorted(found.items()))


def differences(one: Observed, other: Observed) -> list[Difference]:
    """Everything in which two worlds differ to the blinded, in the order in which it was read."""
    found = []
    for moment, seen in one.data.items():
        for place, (ours, theirs) in seen.differences(other.data[moment]).items():
            found.append(Difference(moment, "data", place, shown(ours, theirs)))
    for moment, keys in one.at_rest.items():
        for key in sorted({*keys, *other.at_rest[moment]}):
            ours, theirs = keys.get(key, []), other.at_rest[moment].get(key, [])
            if ours != theirs:
                found.append(Difference(moment, "broker at rest", key, shown(ours, theirs)))
    for moment, played in one.while_played.items():
        for channel, noticed in played.items():
            if noticed != other.while_played[moment][channel]:
                found.append(
                    Difference(moment, channel, "while played", shown(noticed, other.while_played[moment][channel]))
                )
    for moment, answers in one.answers.items():
        found += answers_that_differ(moment, answers, other.answers[moment])
    return found


def answers_that_differ(moment: str, ours: dict[str, Answer], theirs: dict[str, Answer]) -> list[Difference]:
    """The same of the answers alone. What was asked in one world only had been led to there only."""
    found = []
    for place in dict.fromkeys([*ours, *theirs]):
        if place not in ours or place not in theirs:
            found.append(Difference(moment, "existence", place, f"only in world {'one' if place in ours else 'two'}"))
        elif ours[place] != theirs[place]:
            found += [
                Difference(moment, channel, place, diff)
                for channel, diff in ours[place].differences(theirs[place]).items()
            ]
    return found


def played(script: Script, seed: bytes, observed: Observed, moment: str) -> Played:
    """Play in the database of this process. What the play itself sends to open queues, logs and mails is observed as well."""
    with listening() as listener:
        result = play(script, seed)
        noticed = listener.taken()
    observed.while_played[moment] = {channel: noticed[channel] for channel in ("log", "mail", "broker")}
    observed.arms = result.arms
    return result


@dataclass(frozen=True)
class Size:
    """How much is read: addresses of a kind, at which moments of a trial, as which roles, and what everybody is refused."""

    alike: int
    moments: tuple[str, ...] = ("running", "closed")
    refused: bool = True
    roles: Sequence[type[Role]] = OPEN_SIDE


@dataclass(frozen=True)
class Other:
    """The seed of the other world's allocation sequence, and the study numbers whose arm differs there."""

    seed: bytes
    differ: tuple[str, ...]


def other_world(plan: Plan, script: Script, ours: dict[str, str], template: str = databases.PREPARED) -> Other:
    """A world beside the one in which people have these arms: sizes differ as well, since a count by arm would be the same otherwise."""
    for n in range(TRIES):
        seed = OTHER + str(n).encode() * bool(n)
        theirs = arms_of(plan, script, seed, template)
        if Counter(theirs.values()) != Counter(ours.values()):
            return Other(seed, tuple(sorted(number for number, arm in ours.items() if theirs[number] != arm)))
    raise RuntimeError("No other world has arms of other sizes: let more people come.")


def arms_of(plan: Plan, script: Script, seed: bytes, template: str = databases.PREPARED) -> dict[str, str]:
    """Who is in which arm, once the running trial has been played."""
    databases.begin(plan, template)
    return played(replace(script, closes=False), seed, Observed(), "").arms


def observe(
    plan: Plan,
    script: Script,
    seed: bytes,
    size: Size,
    say: Callable[[str], None],
    template: str = databases.PREPARED,
    first: Sequence[str] = (),
) -> Observed:
    """Everything of one world: of the running trial, with all forms sent, and of the closed one. Needs a prepared database.

    ``first``: whose pages are opened before others, as in `crawl`.
    """
    observed = Observed()
    for moment in size.moments:
        closes = moment == "closed"
        databases.begin(plan, template)
        say(f"playing the {moment} trial")
        with broker.scratch() as rest:
            result = played(replace(script, closes=closes), seed, observed, moment)
            observed.at_rest[moment] = rest.read()
            observed.data[moment] = look()
            say(f"reading it as {len(size.roles)} roles")
            observed.answers[moment] = crawl(
                result.ended_at + LATER,
                alike=size.alike,
                writes=not closes,
                roles=size.roles,
                refused=size.refused,
                first=first,
            )
            observed.at_rest[f"{moment}, after the crawl"] = rest.read()
        observed.data[f"{moment}, after the crawl"] = look(after_sign_in=True)
    return observed
