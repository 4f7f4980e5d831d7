"""Putting a version of the plan into force, and signing it. On the open side: no plan holds a result."""

from django.utils.translation import gettext as _

from analysis.plans import queries
from analysis.plans.checks import check
from analysis.plans.definition import Plan
from analysis.plans.models import PlanSignature, PlanVersion
from analysis.plans.reading import FILE
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import Investigator, TrialStatistician
from trial.core.access.signing import sign
from trial.core.actions import action
from trial.core.errors import Refused
from trial.protocol.queries import current

Capacity = PlanSignature.Capacity
SIGNERS = {Capacity.STATISTICIAN: TrialStatistician, Capacity.INVESTIGATOR: Investigator}


@action
def load_plan(*, plan: Plan, by: db.Actor) -> PlanVersion:
    """Put this plan into force, not signed yet. What is in force already changes nothing.

    Refused where it does not fit the protocol in force, and for a later version that does not say why it takes the place of the earlier
    one. A version never changes and is never removed.
    """
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    db.take_turn("analysis.plans")  # numbers follow each other
    before = queries.version_or_none()
    if before is not None and before.sha256 == plan.sha256:
        return before
    problems = check(plan, current(), FILE).found
    if problems:
        raise Refused("plan_unfit", "\n".join(map(str, problems)))
    if PlanVersion.objects.filter(sha256=plan.sha256).exists():
        raise Refused(
            "plan_went_back", _("This is word for word an earlier version. Say in “change” why you go back to it.")
        )
    if before is not None and not plan.change:
        raise Refused(
            "plan_no_reason",
            _("A plan is in force already. Say at the top of the file why this one takes its place: change = “...”."),
        )
    version = PlanVersion(
        number=before.number + 1 if before else 1,
        sha256=plan.sha256,
        document=plan.to_document(),
        loaded_by=by.actor_id[:60],
    )
    version.save(force_insert=True)
    return version


def refuse_if_superseded(version: PlanVersion) -> None:
    """Nobody signs what is no longer in force."""
    newest = queries.version_or_none()
    if newest is None or newest.pk != version.pk:
        raise Refused("plan_superseded", _("A later version of the plan has been loaded. Read and sign that one."))


@action
def sign_plan(*, version: PlanVersion, capacity: str, password: str, by: Person) -> PlanSignature:
    """Sign the version in force, as trial statistician or as investigator. Twice is once; nobody signs in both capacities.

    Refused for a version that is no longer in force: somebody would sign what does not hold.
    """
    role = SIGNERS.get(Capacity(capacity)) if capacity in Capacity.values else None
    if role is None:
        raise Refused("capacity", _("A plan is signed by the trial statistician and by the principal investigator."))
    by.must_hold(role)
    db.take_turn("analysis.plans")
    refuse_if_superseded(version)
    there = queries.signatures_of(version)
    if capacity in there:
        return there[capacity]
    if any(one.signed_by == by.actor_id for one in there.values()):
        raise Refused(
            "same_person", _("You have signed this version in your other capacity. Another person signs here.")
        )
    signature = sign(
        person=by, password=password, meaning="analysis plan", content={"plan": version.sha256, "capacity": capacity}
    )
    row = PlanSignature(plan=version, capacity=capacity, signed_by=by.actor_id, signature=signature)
    row.save(force_insert=True)
    return row
