"""Counting the flow of participants through the follow-up visits: pure, over lines of visits, whoever's they are.

The open side gives the lines of everybody; behind the wall the same function counts those of one arm.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from assessments.visits.queries import VisitLine
from assessments.visits.schedule import State
from trial.protocol.definition import Protocol, Visit


@dataclass
class VisitFlow:
    """What became of one follow-up visit of the randomized. ``missed`` by code of the reason; ``open``: due or late, nothing recorded."""

    visit: Visit
    done: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    died: int = 0
    open: int = 0
    upcoming: int = 0

    @property
    def total(self) -> int:
        """Everybody who was randomized."""
        return self.done + self.missed.total() + self.withdrawn + self.died + self.open + self.upcoming


def visit_flow(lines: Iterable[VisitLine], protocol: Protocol) -> list[VisitFlow]:
    """One count for each follow-up visit, in the protocol's order. ``lines`` are those of everybody, who died included."""
    flows = {visit.code: VisitFlow(visit) for visit in protocol.follow_ups}
    for line in lines:
        flow = flows.get(line.visit.code)
        if flow is None:
            continue
        match line.state:
            case State.DONE:
                flow.done += 1
            case State.MISSED:
                flow.missed[line.outcome.reason if line.outcome else ""] += 1
            case State.WITHDRAWN:
                flow.withdrawn += 1
            case State.DIED:
                flow.died += 1
            case State.UPCOMING:
                flow.upcoming += 1
            case _:
                flow.open += 1
    return list(flows.values())
