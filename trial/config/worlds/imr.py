"""The running demo world: about month 24 of a synthetic IMR trial, people at every point of the way, work waiting for each role."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits import actions as visits
from assessments.visits.schedule import window_of
from trial.config.worlds import closing, stage
from trial.config.worlds.generator import Synthetic
from trial.core import clock, side
from trial.core.models import User
from trial.participants import actions as way_in
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Participant, ScreeningEntry
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Instrument, Protocol
from trial.protocol.models import Team
from trial.unblinded.randomization import actions as allocator

END = dt.datetime(2026, 11, 2, 8, 30, tzinfo=dt.UTC)
"""The demo's clock goes on from here."""
BEGIN = dt.datetime(2024, 10, 28, 8, 0, tzinfo=dt.UTC)
SEED = 20_120_827
SEQUENCE_SEED = b"the sequence of the demo"
"""Published with the demo, so of no use in a trial."""
MONTH = 30.44
BLOCK_SIZES = (5, 10)
SLOTS = 60
INTERVIEWS = ("participant", "interviewer")


@dataclass(frozen=True)
class Life:
    """What happens to one made-up person. ``months_ago``: when the person was (or would be) randomized, before END.

    ``until``: screening, eligible, registered, half (baseline half entered), ready, randomized. ``visits``: what became of follow-up
    visits by code: ``done``; ``half`` entered; the code of the reason for missing it; ``reopened`` (declined, then willing, still to be
    made); ``back`` (the same, and made since). Nothing said: still to be made.
    """

    months_ago: float
    until: str = "randomized"
    visits: dict[str, str] = field(default_factory=dict)


def lives() -> list[Life]:
    """Everybody who gets as far as the screening log and is not turned away."""
    done = {"T2": "done", "T3": "done"}
    longest = [Life(m, visits=done) for m in (22.5, 21.9, 21.4, 20.8, 20.1, 19.6)]
    longest += [
        Life(21.0, visits={"T2": "declined", "T3": "done"}),
        Life(20.4, visits={"T2": "back", "T3": "done"}),
        Life(19.9, visits={"T2": "done", "T3": "not_located"}),
    ]
    late = [Life(m, visits={"T2": "done"}) for m in (19.2, 18.4, 18.1, 17.6)]
    middle = [Life(m, visits={"T2": "done"}) for m in (14.8, 14.1, 13.9, 13.6)] + [
        Life(13.8, visits={"T2": "psychiatric"})
    ]
    due = [Life(m) for m in (13.2, 12.4, 12.1, 11.8, 11.4)]
    due += [Life(13.0, visits={"T2": "reopened"}), Life(12.7, visits={"T2": "half"}), Life(14.5)]
    fresh = [Life(m) for m in (9.7, 8.3, 7.1, 5.5, 4.2, 2.9, 1.4, 0.3)]
    ready = [Life(0.02, "ready"), Life(0.01, "ready"), Life(0.03, "ready")]
    before = [
        Life(-0.2, "half"),
        Life(-0.2, "half"),
        Life(-0.4, "registered"),
        Life(-0.4, "eligible"),
        Life(-0.6, "screening"),
        Life(-0.6, "screening"),
    ]
    return longest + late + middle + due + fresh + ready + before


class Play:
    """Plays the world from an empty database. ``say`` gets a line now and then."""

    def __init__(self, protocol: Protocol, say: Callable[[str], None]) -> None:
        self.protocol = protocol
        self.say = say
        self.rng = random.Random(SEED)  # noqa: S311 - synthetic data
        self.teams: list[Team] = []
        self.entries: dict[int, ScreeningEntry] = {}
        self.people: dict[int, Participant] = {}

    def run(self) -> None:
        """Everything up to END, in the order of days."""
        with stage.played(BEGIN, SEED):
            self._prepare()
            events = self._events()
            for n, (at, _order, event) in enumerate(events):
                if at > (clock.frozen_at() or at):
                    clock.move_to(at)
                event()
                if n % 40 == 39:
                    self.say(f"played until {at:%d %b %Y}")
            clock.move_to(END)
            closing.snapshot()

    def _prepare(self) -> None:
        with stage.working(stage.PLAYER):
            load_version(protocol=self.protocol, used=Used(), by=stage.PLAYER)
            self.teams = list(Team.objects.order_by("code"))
        stage.make_accounts([site.code for site in self.protocol.sites])
        with stage.working(allocator.ALLOCATOR, side.ALLOCATOR):
            allocator.seal_sequence(seed=SEQUENCE_SEED, sizes=BLOCK_SIZES, length=SLOTS, by=allocator.ALLOCATOR)

    def _events(self) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        events: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        for n, life in enumerate(lives()):
            team = self.teams[
                n * 5 % len(self.teams)
            ]  # 5 and 14 have no common factor: every team in turn, both sites mixed
            day = END - dt.timedelta(days=round(life.months_ago * MONTH), hours=-2, minutes=-n)
            if life.until != "randomized":
                day = END - dt.timedelta(days=life.months_ago * MONTH)
            events += self._way_in(n, life, team, day)
            for occasion, visit in enumerate(self.protocol.follow_ups, start=1):
                fate = life.visits.get(visit.code)
                if fate is not None:
                    at = dt.datetime.combine(window_of(visit, day.date()).target, dt.time(13, n % 60), dt.UTC)
                    at += dt.timedelta(days=self.rng.randrange(-6, 15))
                    events += self._fate(n, visit.code, occasion, fate, at)
        events += self._turned_away()
        # two weeks ago the statistician rehearsed; the snapshot made at the end has not been looked at yet
        events.append((END - dt.timedelta(days=14), 900, closing.rehearse))
        return sorted((e for e in events if e[0] <= END), key=lambda event: event[:2])

    def _fate(
        self, n: int, visit: str, occasion: int, fate: str, at: dt.datetime
    ) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        """What becomes of one follow-up visit; whoever declined it and comes back does so three weeks later."""
        if fate not in ("reopened", "back"):
            return [(at, n, partial(self._follow_up, n, visit, occasion, fate))]
        back = at + dt.timedelta(days=21)
        events: list[tuple[dt.datetime, int, Callable[[], None]]] = [
            (at, n, partial(self._follow_up, n, visit, occasion, "declined")),
            (back, n, partial(self._reopen, n, visit)),
        ]
        if fate == "back":
            events.append((back + dt.timedelta(days=4), n, partial(self._follow_up, n, visit, occasion, "done")))
        return events

    def _way_in(
        self, n: int, life: Life, team: Team, day: dt.datetime
    ) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        """Screening 12 days before randomization, registration 9, baseline 2; for those who are not so far, up to END."""
        steps = ["screening", "eligible", "registered", "half", "ready", "randomized"]
        reached = steps.index(life.until)
        first = min(day - dt.timedelta(days=12), END - dt.timedelta(days=3))
        second = min(day - dt.timedelta(days=9), END - dt.timedelta(days=2))
        third = min(day - dt.timedelta(days=2), END - dt.timedelta(days=1))
        events: list[tuple[dt.datetime, int, Callable[[], None]]] = [
            (first, n, partial(self._screen, n, team, reached >= 1))
        ]
        if reached >= 2:
            events.append((second, n, partial(self._register, n)))
        if reached >= 3:
            events.append((third, n, partial(self._baseline, n, reached >= 4)))
        if reached >= 5:
            events.append((day, n, partial(self._randomize, n)))
        return events

    def _turned_away(self) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        """Three excluded and four who declined, one of them screened again later (and declined again)."""
        events: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        for k, days in enumerate((690, 540, 400, 330, 260, 120, 15)):
            events.append((END - dt.timedelta(days=days), 500 + k, partial(self._turn_away, 500 + k, k % 2 == 1)))
        events.append((END - dt.timedelta(days=60), 520, partial(self._screen_again, 501)))
        return events

    # --- what each event does, as the people who do it

    def _by(self, role: str, team_or_site: str) -> stage.StandIn:
        first = self.protocol.sites[0].code
        site = (
            self.protocol.team(team_or_site).site
            if team_or_site in {t.code for t in self.protocol.teams}
            else team_or_site
        )
        return stage.stand_in(role if site == first else f"{role}2")

    def _open(self, n: int, team: Team, previous: ScreeningEntry | None = None) -> ScreeningEntry:
        by = self._by("coordinator", team.code)
        age, sex = self.rng.choice(("18-29", "30-39", "40-49", "50-59", "60-65")), self.rng.choice(("female", "male"))
        month = clock.today().replace(day=1)
        self.entries[n] = way_in.open_screening(team=team, month=month, age_band=age, sex=sex, previous=previous, by=by)
        return self.entries[n]

    def _screen(self, n: int, team: Team, eligible: bool) -> None:
        by = self._by("coordinator", team.code)
        with stage.working(by):
            opened = self._open(n, team)
            if eligible:
                given = dict.fromkeys(self.protocol.consent_version.parts, True)
                way_in.record_consent(entry=opened, given=given, signed_on=clock.today(), by=by)
                criteria = {c.code: c.kind == "inclusion" for c in self.protocol.criteria}
                self.entries[n] = way_in.assess_eligibility(entry=opened, criteria=criteria, by=by)

    def _turn_away(self, n: int, declined: bool) -> None:
        team = self.teams[n % len(self.teams)]
        by = self._by("coordinator", team.code)
        reasons = self.protocol.reasons.decline if declined else self.protocol.reasons.exclusion
        with stage.working(by):
            code = reasons[n % len(reasons)].code
            self.entries[n] = way_in.close_screening(
                entry=self._open(n, team), declined=declined, reason_code=code, by=by
            )

    def _screen_again(self, n: int) -> None:
        before = self.entries[n]
        with stage.working(self._by("coordinator", before.team_id)):
            self._open(n + 1000, before.team, previous=before)

    def _register(self, n: int) -> None:
        opened = self.entries[n]
        by = self._by("coordinator", opened.team_id)
        with stage.working(by):
            self.people[n] = way_in.register(entry=opened, by=by)
            record_contact(participant=self.people[n], details=synthetic(self.people[n].number), by=by)
            name = "interviewer" if opened.site_id == self.protocol.sites[0].code else "interviewer2"
            visits.assign_interviewer(participant=self.people[n], interviewer=User.objects.get(username=name), by=by)

    def _baseline(self, n: int, whole: bool) -> None:
        code = self.protocol.baseline.code
        with stage.working(self._by("interviewer", self.people[n].site_id)):
            for k, instrument in enumerate(self.protocol.instruments_at(code)):
                if whole or k < 3:
                    self._fill(n, code, instrument, 0, sign=whole or k < 2)

    def _fill(self, n: int, visit: str, instrument: Instrument, occasion: int, *, sign: bool = True) -> Form:
        """One form, inside the unit of work of its visit."""
        participant = self.people[n]
        by = self._by(
            "interviewer" if instrument.rater in INTERVIEWS else "coordinator",
            participant.site_id,
        )
        reason = self.protocol.reasons.missing_item[0].code
        answers, missing = Synthetic(SEED + n).answers(instrument, occasion, clock.today(), reason)
        if not sign:
            answers = dict(list(answers.items())[: len(answers) // 2])
            missing = {}
        form = entry.open_form(participant=participant, visit=visit, instrument=instrument.code, by=by)
        form = entry.save_answers(form=form, answers=answers, missing=missing, revision=form.revision, by=by)
        return entry.sign_form(form=form, revision=form.revision, held_on=clock.today(), by=by) if sign else form

    def _randomize(self, n: int) -> None:
        participant = self.people[n]
        by = self._by("coordinator", participant.site_id)
        with stage.working(by):
            way_in.request_randomization(participant=participant, by=by)
        stage.later()
        stage.answer_request(participant)
        with stage.working(by):
            participant.refresh_from_db()

    def _follow_up(self, n: int, visit: str, occasion: int, fate: str) -> None:
        participant = self.people[n]
        by = self._by("interviewer", participant.site_id)
        if fate not in ("done", "half"):
            with stage.working(by):
                visits.record_missed(participant=participant, visit=visit, reason_code=fate, by=by)
            return
        forms = self.protocol.instruments_at(visit)
        if fate == "half":
            forms = forms[: len(forms) // 2]
        with stage.working(by):
            for k, instrument in enumerate(forms, start=1):
                self._fill(n, visit, instrument, occasion, sign=fate == "done" or k < len(forms))
            if fate == "done":
                visits.close_visit(participant=participant, visit=visit, by=by)

    def _reopen(self, n: int, visit: str) -> None:
        participant = self.people[n]
        by = self._by("interviewer", participant.site_id)
        with stage.working(by):
            visits.reopen_visit(participant=participant, visit=visit, by=by)
