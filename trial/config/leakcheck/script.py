"""A trial played through the actions. What happens on the open side follows from the script alone, what happens behind the wall from the arms.

Played twice with different sequences it gives two worlds that are equal in everything but allocation and unblinded events.
"""

import datetime as dt
import random
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.papers import actions as open_reports
from analysis.pooled.papers import tasks as open_report_tasks
from analysis.snapshots.actions import make_snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded import tasks as comparative_tasks
from analysis.unblinded.papers import actions as closed_reports
from analysis.unblinded.papers import tasks as closed_report_tasks
from assessments.cleaning import actions as cleaning
from assessments.cleaning.queries import unsettled
from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits import actions as visits
from trial.config.leakcheck import behind, gates, world
from trial.core import clock, db, ids, side
from trial.core.history.tasks import seal_concealed, seal_open, seal_unblinded
from trial.participants import actions as way_in
from trial.participants.contact import actions as contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.course import actions as course
from trial.participants.models import Participant
from trial.participants.queries import names_of
from trial.participants.randomization.actions import record_error
from trial.participants.randomization.models import RandomizationError
from trial.protocol.definition import Instrument, Protocol
from trial.protocol.loader import load
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import confirm_planned_unblinding, log_reading
from trial.unblinded.disclosure.handover.tasks import sweep as handovers
from trial.unblinded.randomization.actions import (
    ALLOCATOR,
    answer_orders,
    ask_contingency,
    order_verification,
    release_contingency,
)
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import WAIT, of_the_living
from trial.unblinded.records.tasks import sweep as records_sweep

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
NIGHTS = 4
"""So many nights of the year before the follow-up are played."""


@cache
def example() -> Protocol:
    """The protocol that is played where no other is given."""
    return load(settings.BASE_DIR / "protocols" / "imr")


@dataclass(frozen=True)
class Script:
    """What happens on the open side.

    How many people come, the stream of open decisions, the sites whose coordinator sees allocations, whether the trial is closed at the
    end, the protocol (the example when not given), and whether reports are made: an open one, and behind the wall a closed one.
    """

    people: int
    seed: int
    seen_at: tuple[str, ...] = ()
    closes: bool = True
    protocol: Protocol | None = None
    reports: bool = False


@dataclass(frozen=True)
class Played:
    """What came of it, for the eyes of whoever compares: the arm by study number, and the instant at which the play ended."""

    arms: dict[str, str]
    ended_at: dt.datetime


def play(script: Script, allocation_seed: bytes) -> Played:
    """Play one world in an empty scratch database."""
    rng = random.Random(script.seed)  # noqa: S311 - a played world, never a real trial
    protocol = world.seeing(script.protocol or example(), *script.seen_at)
    with clock.frozen(START), ids.seeded(script.seed):
        sites = tuple(one.code for one in protocol.sites)
        world.open_trial(protocol, seed=allocation_seed, length=40, contingency=sites)
        staff = _staff(script.seen_at)
        world.sign_plan(staff["statistician"], staff["gates"].investigator)
        with world.at_work(world.SETUP):
            teams = list(Team.objects.order_by("code"))
        for day in range(script.people):
            clock.move_to(START + dt.timedelta(days=3 * (day + 1)))
            _one_person(rng, rng.choice(teams), staff)
        _visits_come_near()
        _follow_up(rng, staff)
        behind.treatment_ends()
        behind.serious_events(staff)
        _deaths(rng, staff)
        if script.reports:
            _reports(staff)
        if script.closes:
            _records_end()
            _close(staff)
        with side.unblinded(), db.unit_of_work(by=world.SETUP):
            return Played(dict(Allocation.objects.values_list("participant__number", "arm")), world.now())


def asked() -> tuple[str, Instrument]:
    """The first follow-up visit, and its shortest form of numbers alone: what is filled in there."""
    protocol = current()
    visit = protocol.follow_ups[0].code
    fit = [one for one in protocol.instruments_at(visit) if not one.checks and all(i.is_numeric for i in one.items)]
    return visit, min(fit, key=lambda one: len(one.items))


def _answers(instrument: Instrument, rng: random.Random) -> dict[str, str]:
    """An answer to each item, never the highest: that is left for the correction."""
    spans = {item.code: item.limits for item in instrument.items}
    return {code: str(rng.randrange(int(low), int(high))) for code, (low, high) in spans.items()}


def _staff(seen_at: tuple[str, ...]) -> dict[str, Any]:
    with world.at_work(world.SETUP):
        sites = sorted(set(Team.objects.values_list("site_id", flat=True)))
    # accounts are made before anything happens behind the wall: the identifiers of that side's stream depend on what happened there
    kinds = {site: "coordinator_unblinded" if site in seen_at else "coordinator" for site in sites}
    staff: dict[str, Any] = {
        site: world.person(world.make_user(f"coordinator_{site}", kinds[site], site)) for site in sites
    }
    for site in sites:
        for place in ("one", "two"):
            world.make_user(f"therapist_{site}_{place}", "therapist", site)
        staff[f"treatment_{site}"] = world.person(world.make_user(f"treatment_{site}", "treatment", site))
    for rater in ("fidelity_one", "fidelity_two"):
        world.make_user(rater, "fidelity")
    staff["gates"] = gates.staff(sites)
    return staff | {
        role: world.person(world.make_user(role, role))
        for role in ("datamanager", "sponsor", "independent", "statistician", "dmc")
    }


def _one_person(rng: random.Random, team: Team, staff: dict[str, Any]) -> None:
    by = staff[team.site_id]
    fate = rng.random()
    with world.at_work(by):
        if fate < 0.2:
            entry = way_in.open_screening(team=team, month=clock.today(), age_band="40-49", sex="male", by=by)
            for reason in current().reasons.decline[:1] if fate < 0.1 else ():
                way_in.close_screening(entry=entry, declined=True, reason_code=reason.code, by=by)
            return
        participant = world.register(by, team)
    with world.at_work(world.SETUP) as others:  # the interviewer
        contact.record_contact(participant=participant, details=synthetic(participant.number), by=others)
        if fate < 0.35:
            return
        way_in.record_baseline(participant=participant, by=others)
        way_in.report_unblinding(
            participant_id=participant.pk, visit=asked()[0], source="participant", words="told me", by=others
        )
    gates.assign(participant, staff["gates"])
    with world.at_work(by):
        request = way_in.request_randomization(participant=participant, by=by)
    if fate > 0.9:
        _downtime(participant, staff)
    # each side has its own stream of instants: the allocator answers a minute later
    clock.move_to(world.now() + dt.timedelta(minutes=1))
    world.randomize(request)
    behind.events(participant, staff)
    if fate > 0.7:
        gates.tell(participant, behind.arm_of(participant), asked()[0], staff["gates"])
    _night()


def _downtime(participant: Participant, staff: dict[str, Any]) -> None:
    """The allocator does not answer: behind the wall two people let a contingency slot go, which it finds when it is back."""
    clock.move_to(world.now() + WAIT + dt.timedelta(minutes=1))
    treatment, independent = staff[f"treatment_{participant.site_id}"], staff["independent"]
    with world.at_work(treatment):
        asked_for = ask_contingency(participant=participant, reason_code="allocator", by=treatment)
    with world.at_work(independent):
        release_contingency(request=asked_for, password=world.PASSWORD, by=independent)


def _night() -> None:
    """The sweep says whether records are complete, and the histories are sealed. It has its own instant, as at night."""
    clock.move_to(world.now() + dt.timedelta(hours=3))
    records_sweep()
    for seal in (seal_open, seal_unblinded, seal_concealed):
        seal()


def _records_end() -> None:
    """More than a year after the follow-up the rest of the records is looked up; in the nights around that the open side is told."""
    clock.move_to(world.now() + dt.timedelta(days=400))
    _night()
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        for allocation in of_the_living().order_by("participant__number"):
            behind.look_up(allocation, "after")
    _night()


def _visits_come_near() -> None:
    """Nights of the year before the follow-up, in which assessors are handed over."""
    for _night_of in range(NIGHTS):
        clock.move_to(world.now() + dt.timedelta(days=400 // NIGHTS))
        handovers()


def _follow_up(rng: random.Random, staff: dict[str, Any]) -> None:
    """Thirteen months later: some were interviewed, some missed the visit; then guesses, a snapshot and pooled figures."""
    with world.at_work(world.SETUP):
        visit, form_of = asked()
        people = list(Participant.objects.filter(randomized_at__isnull=False).order_by("number"))
        for participant in people:
            if rng.random() < 0.5:
                form = entry.open_form(participant=participant, visit=visit, instrument=form_of.code, by=world.SETUP)
                items = _answers(form_of, rng)
                form = entry.save_answers(form=form, answers=items, revision=form.revision, by=world.SETUP)
                form = entry.sign_form(form=form, revision=form.revision, held_on=clock.today(), by=world.SETUP)
                _clean(rng, form)
            else:
                contact.record_attempt(
                    participant=participant,
                    visit=visit,
                    day=clock.today(),
                    way="phone",
                    outcome="no_answer",
                    by=world.SETUP,
                )
                for reason in current().reasons.missed_visit[:1]:
                    visits.record_missed(participant=participant, visit=visit, reason_code=reason.code, by=world.SETUP)
        for participant in people[:1]:
            record_error(
                participant=participant,
                kind=RandomizationError.Kind.TOO_EARLY,
                day=clock.today(),
                reason_code=RandomizationError.Reason.TYPING,
                by=world.SETUP,
            )
    for participant in people:
        gates.guess(participant, behind.arm_of(participant), visit, staff["gates"])
    with world.at_work(world.SETUP):
        snapshot = make_snapshot(by=world.SETUP)
        run = pooled.start_run(snapshot=snapshot, kind="pooled", by=world.SETUP)
    pooled_tasks.execute(str(run.pk))
    behind.look(staff)


def _reports(staff: dict[str, Any]) -> None:
    """The trial statistician reports on all arms together, the independent statistician by arm, to the committee."""
    statistician, independent = staff["statistician"], staff["independent"]
    with world.at_work(statistician):
        report = open_reports.start_report(by=statistician)
    open_report_tasks.make(str(report.pk))
    with world.at_work(independent):
        closed = closed_reports.start_closed(labels="real", by=independent)
    with side.unblinded():
        closed_report_tasks.make(str(closed.pk))


def _deaths(rng: random.Random, staff: dict[str, Any]) -> None:
    """Treatment coordinators read names, as often as the arm makes them, and report deaths; the coordinator of the site decides."""
    with world.at_work(world.SETUP):
        people = list(Participant.objects.filter(randomized_at__isnull=False).order_by("number"))
    for participant in people:
        at = world.now()
        by = staff[f"treatment_{participant.site_id}"]
        with world.at_work(by):
            arm = Allocation.objects.get(participant=participant).arm
            for _time in range(4 if world.is_offered(arm) else 1):
                log_reading(participants=names_of([participant.pk]), page="person", by=by)
        clock.move_to(at + dt.timedelta(hours=1))
        coordinator = staff[participant.site_id]
        if rng.random() < 0.4:
            with world.at_work(by):
                course.report_death(participant=participant, by=by)
            with world.at_work(coordinator):
                course.decide_death(participant=participant, confirmed=rng.random() < 0.5, by=coordinator)
        else:
            with world.at_work(world.SETUP) as others:
                course.withdraw(participant=participant, part="interviews", day=clock.today(), by=others)


def _clean(rng: random.Random, form: Form) -> None:
    """A query about the form: left open, confirmed, or answered by an amendment."""
    by, item = world.SETUP, asked()[1].items[0]
    about: dict[str, Any] = {"participant": form.participant, "visit": form.visit, "form": form, "item": item.code}
    query = cleaning.raise_query(kind="implausible", text="Is it so?", by=by, **about)
    match rng.randrange(3):
        case 1:
            cleaning.answer_query(query=query, answer="confirmed", by=by)
        case 2:
            cleaning.correct_query(
                query=query, answers={item.code: str(int(item.limits[1]))}, reason_code="typed_wrong", by=by
            )
            cleaning.close_query(query=query, by=by)


def _close(staff: dict[str, Any]) -> None:
    """Lock, planned unblinding, a comparative run and the verified allocation, of which nobody on the open side may notice anything."""
    manager, sponsor, independent = (staff[role] for role in ("datamanager", "sponsor", "independent"))
    with world.at_work(manager):
        cleaning.accept_queries(queries_=list(unsettled()), reason_code="no_effect", by=manager)
        way_in.lock_database(password=world.PASSWORD, by=manager)
        snapshot = make_snapshot(by=manager)
    with world.at_work(sponsor):
        way_in.request_unblinding(password=world.PASSWORD, by=sponsor)
    with world.at_work(independent):
        confirm_planned_unblinding(password=world.PASSWORD, by=independent)
        run = comparative.start_run(snapshot=snapshot, by=independent)
        order_verification(by=independent)
    with side.unblinded():
        comparative_tasks.execute(str(run.pk))
    with side.allocator(), db.unit_of_work(by=ALLOCATOR):
        answer_orders(by=ALLOCATOR)
