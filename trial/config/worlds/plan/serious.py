"""Serious events of the demo. None of these was counted in print: all made up."""

import datetime as dt
from collections.abc import Iterator

from trial.config.worlds.plan.calendar import RUNNING, at_work
from trial.config.worlds.plan.events import Event, NarrativeWritten, SeriousEventReported, SeriousEventSettled
from trial.config.worlds.plan.order import spread
from trial.config.worlds.plan.people import randomized

EVENTS, WAITING = 8, 2
"""So many by RUNNING, of which the last ones still have no narrative then."""
KINDS = ("admission", "admission", "other", "admission", "life_threatening", "admission", "disability", "admission")
OUTCOMES = ("recovered", "recovered", "sequelae", "recovered", "ongoing")
STORIES = (
    "Admitted for eleven days after some weeks with little sleep. Discharged to the own team.",
    "Admitted at night by the crisis service, left after four days at own request.",
    "Broke a hip in a fall at home; operated on, back at home after three weeks.",
    "Voices had become louder since a change of medication; admitted for two weeks, medication changed back.",
)
JUDGED = (("unlikely", "expected"), ("not_related", "expected"), ("possible", "unexpected"))


def events() -> Iterator[Event]:
    """Reported by the coordinator, some by the treatment coordinator; told behind the wall a week later; then what became of it."""
    long_here = [one for one in randomized() if one.since < RUNNING - dt.timedelta(days=150)]
    for number, person in enumerate(spread(long_here, EVENTS), start=1):
        is_late = number > EVENTS - WAITING
        began = (
            RUNNING - dt.timedelta(days=5 * (EVENTS + 2 - number))
            if is_late
            else person.since + dt.timedelta(days=30 + 9 * number)
        )
        at = at_work(began + dt.timedelta(days=2, hours=1))
        who = person.number
        yield SeriousEventReported(
            at=at, person=who, number=number, kind=KINDS[number - 1], day=began.date(), is_behind=number % 4 == 1
        )
        told = at_work((RUNNING if is_late else at) + dt.timedelta(days=6 + number, hours=2))
        relatedness, expectedness = JUDGED[number % len(JUDGED)]
        yield NarrativeWritten(
            at=told,
            person=who,
            number=number,
            words=STORIES[number % len(STORIES)],
            relatedness=relatedness,
            expectedness=expectedness,
        )
        settled = at_work(told + dt.timedelta(days=21))
        yield SeriousEventSettled(at=settled, person=who, number=number, outcome=OUTCOMES[number % len(OUTCOMES)])
