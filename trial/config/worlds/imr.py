"""The IMR trial of the demo, played through the actions until a date: about month 24, the first look of the
teaching plan, or the end (WORLDS).

The script is data (``trial.config.worlds.plan``); here each kind of event has one handler, which calls the actions as the people do whose
work it is. A station that comes later adds its kinds to the plan and its handlers to ``Play.handlers``.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits import actions as visits
from trial.config.worlds import closing, looks, planning, stage
from trial.config.worlds.generator import Generator
from trial.config.worlds.incidents import Incidents
from trial.config.worlds.plan import allocation, calendar, events
from trial.config.worlds.plan.people import people
from trial.config.worlds.plan.script import of_sites
from trial.config.worlds.treatment import Treatment
from trial.core import clock, side
from trial.participants import actions as way_in
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Instrument, Protocol
from trial.unblinded.randomization import actions as allocator
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Allocation, Sequence
from trial.unblinded.records import actions as records
from trial.unblinded.records.queries import record_lines

SEED = 20_120_827
CONTINGENCY = 20
"""Slots of each site's list for the days on which the allocator cannot be reached."""
ENTERED_BY = {
    "participant": "interviewer",
    "interviewer": "interviewer",
    "clinician": "coordinator",
    "record": "coordinator",
}
"""Which demo account of the site enters a form, by its rater."""

Milestone = tuple[dt.datetime, Callable[[], Any]]


@dataclass(frozen=True)
class World:
    """A world of this trial: until when it is played, the folder of its plan, and whether that has looks, which are then held."""

    until: dt.datetime
    plan: str = "imr"
    has_looks: bool = False


WORLDS = {
    "imr": World(calendar.RUNNING),
    "imr-end": World(calendar.OVER),
    "imr-interim": World(calendar.FIRST_LOOK, "imr-interim", has_looks=True),
    "imr-interim-end": World(calendar.OVER, "imr-interim", has_looks=True),
}


def milestones(world: World) -> list[Milestone]:
    """What people without a site do, by instant: before each, everything at the sites has happened."""
    lock = calendar.LOCK
    everything: list[Milestone] = [
        (calendar.REHEARSAL, closing.rehearse),
        (calendar.RUNNING, closing.fix_completions),
        (calendar.RUNNING, closing.report),
        (lock - dt.timedelta(days=2), closing.fix_completions),
        (lock - dt.timedelta(days=2), closing.rehearse),
        (lock, closing.lock),
        (lock + dt.timedelta(days=7), closing.unblind),
        (lock + dt.timedelta(days=14), closing.analyze),
        (lock + dt.timedelta(days=28), closing.release),
        (lock + dt.timedelta(days=35), closing.report_final),
    ]
    everything += looks.milestones() if world.has_looks else []
    return sorted(((at, act) for at, act in everything if at <= world.until), key=lambda one: one[0])


def prepare(protocol: Protocol, plan: Path) -> None:
    """Before the first person comes: the protocol, the accounts, the plan of its folder, the list. Needs a clock that stands at the beginning."""
    with stage.working(stage.PLAYER):
        load_version(protocol=protocol, used=Used(), by=stage.PLAYER)
    stage.make_accounts([site.code for site in protocol.sites])
    planning.plan(plan)
    stage.contribute_shares()
    blocks = schemes.PermutedBlocks(allocator.arms_of(protocol), (allocation.BLOCK,))
    with stage.working(allocator.ALLOCATOR, side.ALLOCATOR):
        if Sequence.objects.exists():
            return
        # the teams are as unequal as they are: what the list says about that is known
        allocator.import_sequence(
            text=allocation.as_csv(), origin=allocation.ORIGIN, declared=blocks, accepted=True, by=allocator.ALLOCATOR
        )
        for site in protocol.sites:
            allocator.seal_sequence(scheme=blocks, length=CONTINGENCY, for_site=site.code, by=allocator.ALLOCATOR)


class Play(Treatment, Incidents):
    """Plays what happens at some of the sites. ``say`` gets a line now and then."""

    def __init__(self, protocol: Protocol, sites: tuple[str, ...], say: Callable[[str], None]) -> None:
        super().__init__(protocol)
        self.say = say
        self.generator = Generator(protocol)
        self._left: Iterator[events.Event] = iter(of_sites(sites))
        self._next = next(self._left, None)
        self.handlers: Mapping[type[events.Event], Callable[[Any], None]] = {
            events.ScreenedBefore: self._screen_before,
            events.Opened: self._open,
            events.Assessed: self._assess,
            events.TurnedAway: self._turn_away,
            events.Registered: self._register,
            events.Randomized: self._randomize,
            events.Sitting: self._sit,
            events.Missed: self._miss,
            events.Reopened: self._reopen,
            events.UnblindingReported: self._report_unblinding,
            events.RecordsRead: self._read_records,
            events.ContactTried: self._try_contact,
            events.ConsentWithdrawn: self._withdraw_consent,
            events.DeathReported: self._report_death,
            events.DeathConfirmed: self._confirm_death,
            events.SeriousEventReported: self._report_serious,
            events.NarrativeWritten: self._tell_serious,
            events.SeriousEventSettled: self._settle_serious,
            events.QueryRaised: self._raise_query,
            events.QueryAnswered: self._answer_query,
            events.QueryClosed: self._close_query,
            events.Told: self._tell,
            events.GroupOpened: self._open_group,
            events.Joined: self._join,
            events.SessionHeld: self._hold_session,
            events.TreatmentWithdrawn: self._stop_treatment,
            events.FidelityRated: self._rate,
            events.FidelityAgreed: self._agree,
            events.GroupClosed: self._close_group,
        }

    def until(self, at: dt.datetime) -> None:
        """Let everything happen that does so by ``at``."""
        month = None
        while self._next is not None and self._next.at <= at:
            event = self._next
            if event.at > (clock.frozen_at() or event.at):
                clock.move_to(event.at)
            if month not in (None, event.at.month) and event.at.month % 3 == 0:
                self.say(f"played until {event.at:%b %Y}")
            month = event.at.month
            self.handlers[type(event)](event)
            self._next = next(self._left, None)

    # --- the way in

    def _screen_before(self, event: events.ScreenedBefore) -> None:
        self._open(event)
        by = self._by("coordinator", event.person)
        with stage.working(by):
            self.entries[event.person] = way_in.close_screening(
                entry=self.entries[event.person], declined=False, reason_code=event.reason, by=by
            )

    def _open(self, event: events.PersonEvent) -> None:
        """A new entry; of somebody who was screened before it is linked to the earlier one."""
        who, by = people()[event.person], self._by("coordinator", event.person)
        with stage.working(by):
            self.entries[event.person] = way_in.open_screening(
                team=self._team(who.team),
                month=clock.today().replace(day=1),
                age_band=who.age_band,
                sex=who.sex,
                previous=self.entries.get(event.person),
                by=by,
            )

    def _assess(self, event: events.Assessed) -> None:
        opened, by = self.entries[event.person], self._by("coordinator", event.person)
        given = {part: part not in event.refused for part in self.protocol.consent_version.parts}
        criteria = {c.code: c.kind == "inclusion" for c in self.protocol.criteria}
        with stage.working(by):
            way_in.record_consent(entry=opened, given=given, signed_on=clock.today(), by=by)
            self.entries[event.person] = way_in.assess_eligibility(entry=opened, criteria=criteria, by=by)

    def _turn_away(self, event: events.TurnedAway) -> None:
        by = self._by("coordinator", event.person)
        with stage.working(by):
            way_in.close_screening(
                entry=self.entries[event.person], declined=event.declined, reason_code=event.reason, by=by
            )

    def _register(self, event: events.Registered) -> None:
        by, interviewer = self._by("coordinator", event.person), self._by("interviewer", event.person)
        with stage.working(by):
            participant = way_in.register(entry=self.entries[event.person], by=by)
            record_contact(participant=participant, details=synthetic(participant.number), by=by)
            visits.assign_interviewer(participant=participant, interviewer=self._user(interviewer), by=by)
        self.people[event.person] = participant

    def _randomize(self, event: events.Randomized) -> None:
        """Request and answer, with every other allocator kept out meanwhile. Refuses an answer that is not the planned one."""
        participant, by = self.people[event.person], self._by("coordinator", event.person)
        with stage.alone():
            with stage.working(by):
                way_in.request_randomization(participant=participant, by=by)
            stage.later()
            stage.answer_request(participant)
        with stage.working(allocator.ALLOCATOR, side.ALLOCATOR):
            allocation = Allocation.objects.get(participant_id=participant.pk)
        if allocation.arm != people()[event.person].arm:
            raise CommandError("The allocation is not the one of the plan: somebody else allocates in this database.")
        self.allocations[event.person] = allocation
        with stage.working(by):
            participant.refresh_from_db()

    # --- visits

    def _sit(self, event: events.Sitting) -> None:
        participant, by = self.people[event.person], self._by("interviewer", event.person)
        forms = self.protocol.instruments_at(event.visit)
        half = len(forms) // 2
        with stage.working(by):
            if event.part == events.Part.FIRST:
                self._begin_form(event, forms[half])
                forms = forms[:half]
            elif event.part == events.Part.REST:
                self._finish_form(event, forms[half])
                forms = forms[half + 1 :]
            for instrument in forms:
                self._fill_form(event, instrument)
            if event.part != events.Part.FIRST and not self.protocol.visit(event.visit).is_baseline:
                visits.close_visit(participant=participant, visit=event.visit, by=by)

    def _answers(self, event: events.Sitting, instrument: Instrument) -> tuple[dict[str, str], dict[str, str]]:
        reason = self.protocol.reasons.missing_item[0].code
        return self.generator.answers(event.person, event.visit, instrument, clock.today(), reason)

    def _rater(self, event: events.Sitting, instrument: Instrument) -> stage.StandIn:
        return self._by(ENTERED_BY[instrument.rater], event.person)

    def _begin_form(self, event: events.Sitting, instrument: Instrument) -> None:
        """The first half of a form, left open."""
        answers, _missing = self._answers(event, instrument)
        self._save(event, instrument, dict(list(answers.items())[: len(answers) // 2]))

    def _finish_form(self, event: events.Sitting, instrument: Instrument) -> None:
        """The form that was begun in the first sitting."""
        form = self._save(event, instrument, *self._answers(event, instrument))
        by = self._rater(event, instrument)
        entry.sign_form(form=form, revision=form.revision, held_on=clock.today(), by=by)

    def _save(
        self,
        event: events.Sitting,
        instrument: Instrument,
        answers: Mapping[str, str],
        missing: Mapping[str, str] | None = None,
    ) -> Form:
        participant, by = self.people[event.person], self._rater(event, instrument)
        form = entry.open_form(participant=participant, visit=event.visit, instrument=instrument.code, by=by)
        saved: Form = entry.save_answers(form=form, answers=answers, missing=missing, revision=form.revision, by=by)
        return saved

    def _fill_form(self, event: events.Sitting, instrument: Instrument) -> None:
        answers, missing = self._answers(event, instrument)
        entry.record_form(
            participant=self.people[event.person],
            visit=event.visit,
            instrument=instrument.code,
            answers=answers,
            missing=missing,
            held_on=clock.today(),
            by=self._rater(event, instrument),
        )

    def _miss(self, event: events.Missed) -> None:
        participant, by = self.people[event.person], self._by("interviewer", event.person)
        with stage.working(by):
            visits.record_missed(participant=participant, visit=event.visit, reason_code=event.reason, by=by)

    def _reopen(self, event: events.Reopened) -> None:
        participant, by = self.people[event.person], self._by("interviewer", event.person)
        with stage.working(by):
            visits.reopen_visit(participant=participant, visit=event.visit, by=by)

    def _report_unblinding(self, event: events.UnblindingReported) -> None:
        participant, by = self.people[event.person], self._by("interviewer", event.person)
        with stage.working(by):
            way_in.report_unblinding(
                participant_id=participant.pk,
                visit=event.visit,
                source=event.source,
                believed_arm=event.believed_arm,
                certainty=event.certainty,
                words=event.words,
                by=by,
            )

    # --- records

    def _read_records(self, event: events.RecordsRead) -> None:
        """The abstractor signs a window off, unless the person does not consent. So many nights are as many days that are counted."""
        by, key = stage.stand_in("abstractor"), self.people[event.person].pk
        found = [
            records.Found(stay.first, stay.first + dt.timedelta(days=stay.nights - 1), "open", "file")
            for stay in event.stays
        ]
        with stage.working(by, side.UNBLINDED):
            allocation = Allocation.objects.select_related("participant").get(participant_id=key)
            if not any(line.stopped for line in record_lines([allocation])):
                records.look_up(allocation=allocation, window=event.period, admissions=found, by=by)
