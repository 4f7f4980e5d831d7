"""The kinds of events. Each is a fact with an instant; a new station brings its own kinds, and the player a handler for each."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens at an instant."""

    at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class PersonEvent(Event):
    """Something that happens to one person of the plan."""

    person: int


# --- the way in


@dataclass(frozen=True, kw_only=True)
class ScreenedBefore(PersonEvent):
    """The person is considered and excluded, and comes back later: a person has one place in the flow, that of the latest entry."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Opened(PersonEvent):
    """The person comes into the screening log."""


@dataclass(frozen=True, kw_only=True)
class Assessed(PersonEvent):
    """The person consents and is found eligible. ``refused``: optional parts of the consent that are not given."""

    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TurnedAway(PersonEvent):
    """The person declines, or is excluded; ``reason`` as the protocol codes it."""

    declined: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Registered(PersonEvent):
    """The person gets a study number and an interviewer."""


@dataclass(frozen=True, kw_only=True)
class Randomized(PersonEvent):
    """*Randomize* is pressed, and the allocator answers."""


# --- visits


class Part(StrEnum):
    """How much of a visit a sitting does. FIRST leaves one form half filled in."""

    WHOLE = "whole"
    FIRST = "first"
    REST = "rest"


@dataclass(frozen=True, kw_only=True)
class Sitting(PersonEvent):
    """An interview, or part of one, with what the clinician rates; ``occasion`` 0 is the baseline."""

    visit: str
    occasion: int
    part: Part = Part.WHOLE


@dataclass(frozen=True, kw_only=True)
class Missed(PersonEvent):
    """The visit is given up, with the reason that is coded."""

    visit: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reopened(PersonEvent):
    """The person can be interviewed after all."""

    visit: str


@dataclass(frozen=True, kw_only=True)
class ContactTried(PersonEvent):
    """Somebody tries to reach the person. ``way``: phone, letter, visit; ``reached``: whether it worked."""

    visit: str
    way: str
    reached: bool


@dataclass(frozen=True, kw_only=True)
class UnblindingReported(PersonEvent):
    """The interviewer was told the arm, and says so into the drop box."""

    visit: str
    source: str
    believed_arm: str
    certainty: int
    words: str


# --- what stops


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(PersonEvent):
    """One part of the consent is withdrawn."""

    part: str


@dataclass(frozen=True, kw_only=True)
class TreatmentWithdrawn(PersonEvent):
    """The person stops with the group. Behind the wall."""

    group: int


@dataclass(frozen=True, kw_only=True)
class DeathReported(PersonEvent):
    """Somebody of the site reports that the person died on ``day``."""

    day: dt.date


@dataclass(frozen=True, kw_only=True)
class DeathConfirmed(PersonEvent):
    """A second person confirms it."""


# --- serious events. ``number`` ties what follows to the report.


@dataclass(frozen=True, kw_only=True)
class SeriousEventReported(PersonEvent):
    """A serious event that began on ``day`` is reported: on the open side, or from behind the wall."""

    number: int
    kind: str
    day: dt.date
    is_behind: bool


@dataclass(frozen=True, kw_only=True)
class NarrativeWritten(PersonEvent):
    """The treatment coordinator tells what happened. Behind the wall."""

    number: int
    words: str
    relatedness: str
    expectedness: str


@dataclass(frozen=True, kw_only=True)
class SeriousEventSettled(PersonEvent):
    """The coordinator records what became of it."""

    number: int
    outcome: str


# --- cleaning


@dataclass(frozen=True, kw_only=True)
class QueryRaised(PersonEvent):
    """The data manager asks about one item of a signed form. ``number`` ties answer and closing to it."""

    number: int
    visit: str
    instrument: str
    item: int
    words: str


@dataclass(frozen=True, kw_only=True)
class QueryAnswered(PersonEvent):
    """The interviewer answers, in a code."""

    number: int
    answer: str


@dataclass(frozen=True, kw_only=True)
class QueryClosed(PersonEvent):
    """The data manager is content."""

    number: int


# --- records


@dataclass(frozen=True)
class Stay:
    """An admission: the first day and the number of nights."""

    first: dt.date
    nights: int


@dataclass(frozen=True, kw_only=True)
class RecordsRead(PersonEvent):
    """The abstractor has read the file for ``period`` (before: the year before T1; after: the year after T2). Behind the wall."""

    period: str
    stays: tuple[Stay, ...]


# --- the program, behind the wall


@dataclass(frozen=True, kw_only=True)
class Told(PersonEvent):
    """The person and the care team hear what chance decided."""


@dataclass(frozen=True, kw_only=True)
class GroupEvent(Event):
    """Something that happens in one group of the plan."""

    group: int


@dataclass(frozen=True, kw_only=True)
class GroupOpened(GroupEvent):
    """A group begins at a site."""

    site: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Joined(GroupEvent):
    """A person enters the group; people enter at any time."""

    person: int


@dataclass(frozen=True, kw_only=True)
class SessionHeld(GroupEvent):
    """A session: to whom it was offered, and who of these came."""

    number: int
    module: str
    offered: tuple[int, ...]
    attended: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class FidelityRated(GroupEvent):
    """One rater's scores of the 13 items of the IMR Fidelity Scale."""

    rater: int
    items: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class FidelityAgreed(GroupEvent):
    """The consensus of both raters."""

    items: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class GroupClosed(GroupEvent):
    """The last session is over, and the group with it."""
