"""What happens behind the wall of a played trial. All of it depends on the arm: whether, how often, and in which words.

Nothing here may be noticed on the open side; the comparison of two worlds looks for what is.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from analysis.unblinded.looks import actions as looks
from analysis.unblinded.tasks import execute
from trial.config.leakcheck import gates, world
from trial.core import clock, db, side
from trial.core.access import Person
from trial.core.models import User
from trial.participants.events.actions import report_event
from trial.participants.models import Participant
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.events.actions import write_narrative
from trial.unblinded.events.queries import line_or_none
from trial.unblinded.randomization.actions import record_wrong_treatment, void_wrong_treatment
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.records import actions as records
from trial.unblinded.records.actions import Found
from trial.unblinded.records.queries import in_force, record_lines
from trial.unblinded.sessions import actions as treatment
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import TherapyGroup
from trial.unblinded.sessions.queries import members_on, therapists_at


def arm_of(participant: Participant) -> str:
    """For what depends on the arm, as it should, and for nothing else."""
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        return str(Allocation.objects.get(participant=participant).arm)


def events(participant: Participant, staff: Mapping[str, Any]) -> None:
    """Entries of the ledger, treatment, records of the year before, a wrong treatment, and codes that are broken."""
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        allocation = Allocation.objects.get(participant=participant)
        for _time in range(3 if world.is_offered(allocation.arm) else 1):
            note(what="told the care team", subject=allocation.arm, by=world.SETUP)
        _treat(allocation)
        look_up(allocation, "before")
    _deviate(allocation, staff[f"treatment_{allocation.site}"])
    gates.break_codes(participant, allocation.arm, staff["gates"])


def look(staff: Mapping[str, Any]) -> None:
    """The committee asks for a comparison before the end, and it is run: only if an odd number of people are in the arm that is offered more."""
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        if Allocation.objects.filter(arm=current().experimental_arm.code).count() % 2 == 0:
            return
    with world.at_work(staff["dmc"]) as by:
        asked = looks.ask_for_look(asked_for="committee", blind_timing=False, words="Is anybody harmed?", by=by)
    with world.at_work(staff["independent"]) as by:
        run = looks.begin_requested(request=asked, by=by)
    with side.unblinded():
        execute(str(run.pk))


def _deviate(allocation: Allocation, by: Person) -> None:
    """Of one arm it is recorded that the other treatment was given; and every other time that this was a mistake."""
    if world.is_offered(allocation.arm):
        return
    with world.at_work(by, on=side.UNBLINDED):
        other = current().experimental_arm.code
        row = record_wrong_treatment(
            allocation=allocation, given_arm=other, day=clock.today(), reason_code="other", by=by
        )
        if row.allocation.position % 2:
            void_wrong_treatment(allocation=allocation, by=by)


def look_up(allocation: Allocation, window: str) -> None:
    """Of one arm an admission is found and corrected afterwards, of the other none: records that differ by arm."""
    line = next((one for one in record_lines([allocation]) if one.window == window), None)
    if line is None or line.stopped:  # not every trial looks up records
        return
    by, first = world.SETUP, line.period.first
    found = [Found(first, first + dt.timedelta(days=9), "open", "file")] if world.is_offered(allocation.arm) else []
    records.look_up(allocation=allocation, window=window, admissions=found, by=by)
    for one in in_force().filter(allocation=allocation, window=window):
        records.correct_admission(
            admission=one, found=Found(first, None, "closed", "letter"), reason=allocation.arm, by=by
        )


def _treat(allocation: Allocation) -> None:
    """Those of one arm are told and enter the group of their site, which meets on that day; somebody of the other comes as a guest."""
    by, today, offered = world.SETUP, clock.today(), world.is_offered(allocation.arm)
    group = TherapyGroup.objects.filter(site=allocation.site).first()
    if offered:
        treatment.record_told(allocation=allocation, told_on=today, by=by)
    plan = current().sessions
    if plan is None:
        return
    if offered:
        trainers = [user.pk for user in therapists_at(allocation.site)]
        group = group or treatment.open_group(
            site=allocation.site, code=allocation.site, name="Group", trainers=trainers, opened_on=today, by=by
        )
        treatment.place(group=group, allocation=allocation, entered_on=today, by=by)
    if group is not None:
        marks = {member.allocation_id: Marked("attended") for member in members_on(group, today)}
        marks.setdefault(allocation.pk, Marked("attended"))
        content = Content(
            tuple(one.code for one in plan.modules[:1]),
            90,
            tuple(user.pk for user in therapists_at(group.site)),
        )
        treatment.record_session(group=group, day=today, content=content, marks=marks, by=by)


def treatment_ends() -> None:
    """Behind the wall: a withdrawal, the end of the groups, completion, and fidelity by two raters."""
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        first = Allocation.objects.filter(arm=current().experimental_arm.code).order_by("participant__number").first()
        reasons = current().reasons.withdrawal
        if first is not None and reasons:
            treatment.withdraw(allocation=first, reason_code=reasons[0].code, day=clock.today(), by=world.SETUP)
        groups = list(TherapyGroup.objects.order_by("code"))
        for group in groups:
            treatment.close_group(group=group, closed_on=clock.today(), by=world.SETUP)
        treatment.fix_completions(by=world.SETUP)
    _fidelity(groups)


def _fidelity(groups: list[TherapyGroup]) -> None:
    """Two raters score each group, and agree."""
    with world.at_work(world.SETUP):
        scales = current().fidelity
    if not scales:
        return
    scale = scales[0]
    for n, rater in enumerate(("fidelity_one", "fidelity_two")):
        scores: dict[str, int | None] = {item.code: scale.min + 2 + n for item in scale.items}
        with side.opened():
            person = world.person(User.objects.get(username=rater))
        with world.at_work(person) as by:
            for group in groups:
                rating = treatment.save_rating(
                    group=group, scale=scale.code, scores=scores, visited_on=clock.today(), by=by
                )
                treatment.sign_rating(rating=rating, password=world.PASSWORD, by=by)
    with world.at_work(person) as by:
        for group in groups:
            treatment.reach_consensus(group=group, scale=scale.code, decided=scores, password=world.PASSWORD, by=by)


def serious_events(staff: Mapping[str, Any]) -> None:
    """Of everybody an open report and a declared one; what is told behind the wall goes by arm: how often, in which words, how judged."""
    with world.at_work(world.SETUP):
        people = list(Participant.objects.filter(randomized_at__isnull=False).order_by("number"))
        experimental = current().experimental_arm.code
    for participant in people:
        offered = arm_of(participant) == experimental
        by, treating = staff[participant.site_id], staff[f"treatment_{participant.site_id}"]
        clock.move_to(
            world.now() + dt.timedelta(hours=1)
        )  # the instant of what follows depends on nothing behind the wall
        told = []
        for reporter, kind in ((by, "admission"), (treating, "other")):
            with world.at_work(reporter):
                told.append(report_event(participant=participant, kind=kind, began_on=clock.today(), by=reporter))
        for event in told if offered else told[:1]:
            for time in range(2 if offered else 1):
                _tell(event.key, f"told {time}", offered, treating)


def _tell(event: uuid.UUID, words: str, offered: bool, by: Person) -> None:
    with world.at_work(by):
        line = line_or_none(event)
        if line is None:
            raise RuntimeError("The event that was reported is not among those behind the wall.")
        judged = "probable" if offered else "unlikely"
        write_narrative(line=line, words=f"{judged}: {words}", relatedness=judged, expectedness="expected", by=by)
