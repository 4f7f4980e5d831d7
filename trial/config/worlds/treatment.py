"""The program as it is played, behind the wall: telling people, groups, sessions with attendance, stopping, and fidelity."""

import uuid
from dataclasses import dataclass, field

from trial.config.worlds import stage
from trial.config.worlds.cast import Cast
from trial.config.worlds.plan import events
from trial.config.worlds.plan.people import SITES
from trial.core import clock, side
from trial.protocol.definition import FidelityScale, Protocol, SessionsPlan
from trial.unblinded.sessions import actions as sessions
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import AbsenceReason, Attendance, TherapyGroup, WithdrawalReason

Mark = Attendance.Mark


@dataclass
class Group:
    """A group of the plan as it exists: its two trainers, of whom the first writes, and who is in it now."""

    group: TherapyGroup
    trainers: tuple[stage.StandIn, ...]
    members: set[int] = field(default_factory=set)


class Treatment(Cast):
    """Handlers of what the plan says about the program. Each is one unit of work on the unblinded side."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self.groups: dict[int, Group] = {}

    @property
    def _plan(self) -> SessionsPlan:
        assert self.protocol.sessions is not None  # noqa: S101 - the IMR protocol plans sessions
        return self.protocol.sessions

    @property
    def _scale(self) -> FidelityScale:
        return self.protocol.fidelity[0]

    # --- people

    def _tell(self, event: events.Told) -> None:
        by = self._by("treatment", event.person)
        with stage.working(by, side.UNBLINDED):
            sessions.record_told(allocation=self.allocations[event.person], told_on=clock.today(), by=by)

    def _join(self, event: events.Joined) -> None:
        one, by = self.groups[event.group], self._by("treatment", event.person)
        with stage.working(by, side.UNBLINDED):
            sessions.place(group=one.group, allocation=self.allocations[event.person], entered_on=clock.today(), by=by)
        one.members.add(event.person)

    def _stop_treatment(self, event: events.TreatmentWithdrawn) -> None:
        by = self._by("treatment", event.person)
        # by person alone: whoever stops gives a reason that tells nothing about the group
        reason = WithdrawalReason.values[event.person % len(WithdrawalReason.values)]
        with stage.working(by, side.UNBLINDED):
            sessions.withdraw(allocation=self.allocations[event.person], reason_code=reason, day=clock.today(), by=by)
        self.groups[event.group].members.discard(event.person)

    # --- groups

    def _open_group(self, event: events.GroupOpened) -> None:
        by, trainers = self._at("treatment", event.site), self._trainers(event)
        with stage.working(by, side.UNBLINDED):
            group = sessions.open_group(
                site=event.site,
                code=f"G{event.group + 1:02d}",
                name=event.name,
                trainers=[uuid.UUID(one.actor_id) for one in trainers],
                opened_on=clock.today(),
                by=by,
            )
        self.groups[event.group] = Group(group, trainers)

    def _trainers(self, event: events.GroupOpened) -> tuple[stage.StandIn, ...]:
        """The therapists of the site take groups in turn; groups are numbered over both sites."""
        there = stage.therapists(SITES.index(event.site))
        first = event.group // 2 * self._plan.trainers
        return tuple(stage.stand_in(there[(first + n) % len(there)]) for n in range(self._plan.trainers))

    def _hold_session(self, event: events.SessionHeld) -> None:
        one = self.groups[event.group]
        by = one.trainers[0]
        content = Content(
            modules=(event.module,),
            minutes=self._plan.minutes,
            led_by=tuple(uuid.UUID(trainer.actor_id) for trainer in one.trainers),
        )
        marks = {self.allocations[person].pk: _mark(event, person) for person in sorted(one.members)}
        with stage.working(by, side.UNBLINDED):
            sessions.record_session(group=one.group, day=clock.today(), content=content, marks=marks, by=by)

    def _close_group(self, event: events.GroupClosed) -> None:
        one = self.groups[event.group]
        by = self._at("treatment", one.group.site)
        with stage.working(by, side.UNBLINDED):
            sessions.close_group(group=one.group, closed_on=clock.today(), by=by)
        one.members.clear()

    # --- fidelity

    def _rate(self, event: events.FidelityRated) -> None:
        group, by = self.groups[event.group].group, stage.stand_in(f"fidelity{event.rater}")
        with stage.working(by, side.UNBLINDED):
            rating = sessions.save_rating(
                group=group, scale=self._scale.code, scores=self._scores(event.items), visited_on=clock.today(), by=by
            )
            sessions.sign_rating(rating=rating, by=by)

    def _agree(self, event: events.FidelityAgreed) -> None:
        group, by = self.groups[event.group].group, stage.stand_in("fidelity1")
        with stage.working(by, side.UNBLINDED):
            sessions.reach_consensus(group=group, scale=self._scale.code, decided=self._scores(event.items), by=by)

    def _scores(self, items: tuple[int, ...]) -> dict[str, int]:
        return {item.code: value for item, value in zip(self._scale.items, items, strict=True)}


def _mark(event: events.SessionHeld, person: int) -> Marked:
    if person in event.attended:
        return Marked(Mark.ATTENDED.value)
    if person in event.offered:
        return Marked(Mark.ABSENT.value, AbsenceReason.values[(person + event.number) % len(AbsenceReason.values)])
    return Marked(Mark.NOT_OFFERED.value)
