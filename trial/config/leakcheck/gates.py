"""The gates as a played trial uses them: reports and guesses dropped, codes broken, assessors handed over.

What is dropped says other things in either world, and codes are broken as the arm will have it. What the open side may notice of a hand-over
follows from reports and lots, and those from the script alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assessments.visits.actions import assign_interviewer
from trial.config.leakcheck import world
from trial.core import side
from trial.core.access import Person
from trial.core.models import User
from trial.participants import actions as way_in
from trial.participants.models import Participant, UnblindingReport
from trial.unblinded.disclosure.code_break.actions import break_code, explain_break
from trial.unblinded.disclosure.handover.actions import order_handover

BREAKS, OTHER_BREAKS = 2, 0
"""So often is the code broken of somebody of the experimental arm, and of another one."""


@dataclass(frozen=True)
class Staff:
    """Who passes the gates: the investigator, the data manager behind the wall, and two interviewers a site."""

    investigator: Person
    manager: Person
    interviewers: Mapping[str, Sequence[User]]


def staff(sites: Sequence[str]) -> Staff:
    """Accounts, made before anything happens."""
    pairs = {
        site: [world.make_user(f"interviewer_{site}_{n}", "interviewer", site) for n in ("one", "two")]
        for site in sites
    }
    investigator = world.person(world.make_user("investigator", "investigator"))
    return Staff(investigator, world.person(world.make_user("manager_behind", "datamanager_unblinded")), pairs)


def assign(participant: Participant, people: Staff) -> None:
    """The first interviewer of the site assesses the participant."""
    with world.at_work(world.SETUP) as by:
        assign_interviewer(participant=participant, interviewer=people.interviewers[participant.site_id][0], by=by)


def break_codes(participant: Participant, arm: str, people: Staff) -> None:
    """The investigator breaks the code and says why: how often depends on the arm."""
    with world.at_work(people.investigator, on=side.UNBLINDED) as by:
        for _time in range(BREAKS if world.is_offered(arm) else OTHER_BREAKS):
            break_code(number=participant.number, password=world.PASSWORD, by=by)
            explain_break(number=participant.number, words=arm, by=by)


def tell(participant: Participant, arm: str, visit: str, people: Staff) -> None:
    """The interviewer is told the arm and reports it: what is believed is the truth. Behind the wall a hand-over is ordered."""
    with world.at_work(world.person(people.interviewers[participant.site_id][0])) as by:
        way_in.report_unblinding(
            participant_id=participant.pk, visit=visit, source="participant", believed_arm=arm, certainty=5, words=arm, by=by
        )  # fmt: skip
    with world.at_work(people.manager) as by:
        report = UnblindingReport.objects.filter(participant_id=participant.pk).order_by("-reported_at", "id")[0]
        order_handover(report=report, by=by)


def guess(participant: Participant, arm: str, visit: str, people: Staff) -> None:
    """At the end the interviewer guesses, and is right."""
    with world.at_work(world.person(people.interviewers[participant.site_id][0])) as by:
        way_in.drop_guess(participant_id=participant.pk, visit=visit, guess=arm, certainty=2, by=by)
