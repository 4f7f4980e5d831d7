"""The one state machine of data queries. Pure; a trigger holds the database to the same steps."""

from enum import StrEnum


class State(StrEnum):
    """Where a query stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"
    ACCEPTED = "accepted"


STEPS: dict[State, dict[str, State]] = {
    State.OPEN: {"answered": State.ANSWERED, "accepted": State.ACCEPTED},
    State.ANSWERED: {"closed": State.CLOSED, "accepted": State.ACCEPTED, "reopened": State.OPEN},
    State.CLOSED: {"reopened": State.OPEN},
    State.ACCEPTED: {"reopened": State.OPEN},
}
"""From each state the events that can follow, and where they lead."""

OVER = (State.CLOSED, State.ACCEPTED)
"""Nothing stands between such a query and the database lock."""


def after(state: State, event: str) -> State | None:
    """The state after ``event``; None if it cannot happen in ``state``."""
    return STEPS[state].get(event)
