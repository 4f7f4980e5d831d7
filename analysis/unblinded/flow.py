"""The flow of participants by arm, counted: pure functions of what ``assembly`` joined."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from trial.protocol.definition import Protocol


@dataclass(frozen=True)
class Standing:
    """What became of one visit; ``reason`` is the code of a missed one."""

    state: Literal["done", "missed", "pending"]
    reason: str = ""


@dataclass(frozen=True)
class Course:
    """One randomized person. ``attended`` None: the sessions are not known. ``analyzed``: has a value of the primary outcome."""

    arm: str
    visits: Mapping[str, Standing]
    analyzed: bool
    attended: int | None = None
    completed: bool | None = None


@dataclass(frozen=True)
class VisitFlow:
    """One follow-up visit of one arm; ``missed`` has every reason of the protocol, in its order."""

    code: str
    name: str
    done: int
    missed: tuple[tuple[str, int], ...]
    pending: int

    @property
    def missed_in_all(self) -> int:
        """Missed, for whatever reason."""
        return sum(n for _reason, n in self.missed)


@dataclass(frozen=True)
class ArmFlow:
    """One arm from allocation to analysis. ``sessions``: never started, started, completed; None where sessions are not known."""

    code: str
    name: str
    allocated: int
    sessions: tuple[int, int, int] | None
    visits: tuple[VisitFlow, ...]
    analyzed: int


def flow_of(courses: Iterable[Course], protocol: Protocol) -> tuple[ArmFlow, ...]:
    """The flow of each arm, in the protocol's order. Every allocated person is counted once at each visit."""
    everybody = list(courses)
    offered = set(protocol.sessions.arms) if protocol.sessions else set()
    found = []
    for arm in protocol.arms:
        mine = [course for course in everybody if course.arm == arm.code]
        found.append(
            ArmFlow(
                code=arm.code,
                name=arm.name,
                allocated=len(mine),
                sessions=_sessions(mine) if arm.code in offered else None,
                visits=tuple(_visit(mine, visit.code, visit.name, protocol) for visit in protocol.follow_ups),
                analyzed=sum(course.analyzed for course in mine),
            )
        )
    return tuple(found)


def _sessions(mine: list[Course]) -> tuple[int, int, int] | None:
    known = [course for course in mine if course.attended is not None]
    if not known:
        return None
    started = [course for course in known if course.attended]
    return len(known) - len(started), len(started), sum(bool(course.completed) for course in started)


def _visit(mine: list[Course], code: str, name: str, protocol: Protocol) -> VisitFlow:
    states = Counter(course.visits[code].state for course in mine)
    reasons = Counter(course.visits[code].reason for course in mine if course.visits[code].state == "missed")
    missed = tuple((reason.text, reasons[reason.code]) for reason in protocol.reasons.missed_visit)
    return VisitFlow(code, name, states["done"], missed, states["pending"])
