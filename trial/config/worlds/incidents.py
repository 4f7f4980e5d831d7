"""What else happens as it is played: contact attempts, withdrawals, a death, serious events with their narratives, and queries."""

import datetime as dt

from assessments.cleaning import actions as cleaning
from assessments.cleaning.models import DataQuery
from assessments.entry.models import Form
from trial.config.worlds import stage
from trial.config.worlds.cast import Cast
from trial.config.worlds.plan import events
from trial.core import clock, side
from trial.participants.contact.actions import record_attempt
from trial.participants.course import actions as course
from trial.participants.events import actions as serious
from trial.participants.events.models import SeriousEvent
from trial.participants.models import ContactAttempt
from trial.protocol.definition import Instrument, Protocol
from trial.unblinded.events.actions import write_narrative
from trial.unblinded.events.queries import line_or_none

TRY_AGAIN = dt.timedelta(days=8)
"""The next step after an attempt that failed; the plan tries every eight days."""
Outcome = ContactAttempt.Outcome


class Incidents(Cast):
    """Handlers of what does not go as planned."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self.queries: dict[int, DataQuery] = {}
        self.serious: dict[int, SeriousEvent] = {}

    def _try_contact(self, event: events.ContactTried) -> None:
        by, today = self._by("interviewer", event.person), clock.today()
        with stage.working(by):
            record_attempt(
                participant=self.people[event.person],
                visit=event.visit,
                day=today,
                way=event.way,
                outcome=Outcome.REACHED if event.reached else Outcome.NO_ANSWER,
                next_on=None if event.reached else today + TRY_AGAIN,
                by=by,
            )

    def _withdraw_consent(self, event: events.ConsentWithdrawn) -> None:
        by = self._by("coordinator", event.person)
        with stage.working(by):
            course.withdraw(participant=self.people[event.person], part=event.part, day=clock.today(), by=by)

    def _report_death(self, event: events.DeathReported) -> None:
        by = self._by("interviewer", event.person)
        with stage.working(by):
            course.report_death(participant=self.people[event.person], day=event.day, by=by)

    def _confirm_death(self, event: events.DeathConfirmed) -> None:
        by = self._by("coordinator", event.person)
        with stage.working(by):
            course.decide_death(participant=self.people[event.person], confirmed=True, by=by)

    # --- serious events

    def _report_serious(self, event: events.SeriousEventReported) -> None:
        by = self._by("treatment" if event.is_behind else "coordinator", event.person)
        with stage.working(by, side.UNBLINDED if event.is_behind else side.OPEN):
            self.serious[event.number] = serious.report_event(
                participant=self.people[event.person], kind=event.kind, began_on=event.day, by=by
            )

    def _tell_serious(self, event: events.NarrativeWritten) -> None:
        by = self._by("treatment", event.person)
        with stage.working(by, side.UNBLINDED):
            line = line_or_none(self.serious[event.number].key)
            assert line is not None  # noqa: S101 - events of the plan are of people who were randomized
            write_narrative(
                line=line, words=event.words, relatedness=event.relatedness, expectedness=event.expectedness, by=by
            )

    def _settle_serious(self, event: events.SeriousEventSettled) -> None:
        one, by = self.serious[event.number], self._by("coordinator", event.person)
        with stage.working(by):
            serious.correct_event(event=one, kind=one.kind, began_on=one.began_on, outcome=event.outcome, by=by)

    # --- queries

    def _raise_query(self, event: events.QueryRaised) -> None:
        participant, by = self.people[event.person], stage.stand_in("datamanager")
        instrument = self._asked_about(event)
        with stage.working(by):
            form = Form.objects.get(participant=participant, visit=event.visit, instrument=instrument.code)
            self.queries[event.number] = cleaning.raise_query(
                participant=participant,
                visit=event.visit,
                kind=DataQuery.Kind.SOURCE,
                text=event.words,
                form=form,
                item=instrument.items[event.item % len(instrument.items)].code,
                by=by,
            )

    def _asked_about(self, event: events.QueryRaised) -> Instrument:
        """The instrument of the plan; in a protocol that has been thinned out another of the visit."""
        forms = self.protocol.instruments_at(event.visit)
        return next((one for one in forms if one.code == event.instrument), forms[0])

    def _answer_query(self, event: events.QueryAnswered) -> None:
        by = self._by("interviewer", event.person)
        with stage.working(by):
            cleaning.answer_query(query=self.queries[event.number], answer=event.answer, by=by)

    def _close_query(self, event: events.QueryClosed) -> None:
        by = stage.stand_in("datamanager")
        with stage.working(by):
            cleaning.close_query(query=self.queries[event.number], by=by)
