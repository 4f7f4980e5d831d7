"""Looks before the end, and the committee's recommendation. Behind the wall only; one coded word leaves it, in the end.

Nobody chooses anything of a look: the plan names outcome and model, the newest snapshot is what it is held on, and all that was spent
before counts.
"""

from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.plans import queries as plans
from analysis.plans.definition import Plan
from analysis.plans.models import PlanVersion
from analysis.runs.looks import FUNCTION, PRICE, frozen_monitoring
from analysis.runs.plans import frozen_fields
from analysis.runs.specs import LOOK
from analysis.snapshots.models import Snapshot
from analysis.unblinded.actions import TASK, refuse_without_plan
from analysis.unblinded.looks import queries
from analysis.unblinded.models import ComparativeRun, Look, LookRequest, Recommendation, RecommendationSignature
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician
from trial.core.access.signing import sign
from trial.core.actions import action, part
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.participants.models import Release
from trial.protocol.queries import protocol_of
from trial.unblinded.disclosure.actions import note, release_recommendation
from trial.unblinded.disclosure.queries import planned_unblinding

SUBJECT = "analysis.looks"
"""Whose turn it is: looks and requests are numbered in turn, and one look runs at a time."""
Capacity = RecommendationSignature.Capacity


@action
def begin_planned(*, code: str, by: Person) -> ComparativeRun:
    """Begin the planned look of this code on the newest snapshot: the plan's outcome and model, nothing else.

    Twice is once; a look whose run failed or was canceled begins anew. Refused until its trigger is met (ADR 28), without a signed plan and
    countersigned looks, after its result, while another look runs, and after planned unblinding.
    """
    by.must_hold(IndependentStatistician)
    db.take_turn(SUBJECT)
    version, plan = _plan_in_force()
    planned = next((one for one in plan.looks.looks if one.code == code), None) if plan.looks else None
    if planned is None:
        raise Refused("not_planned", _("The analysis plan in force has no look of this name."))
    look = Look.objects.filter(code=code).first()
    running = _running_of(look)
    if running is not None:
        return running
    snapshot = _frozen_data()
    trigger = queries.trigger_of(planned, plan, snapshot)
    if not trigger.met:
        raise Refused("not_due", _("This look is not due. %(why)s") % {"why": trigger.words})
    return _begin(look or Look(plan_id=version.pk, code=code), plan, snapshot, FUNCTION, by)


@action
def ask_for_look(*, asked_for: str, blind_timing: bool, words: str, by: Person) -> LookRequest:
    """Ask in writing, as a member of the committee, for a comparison that no plan has. The independent statistician, somebody else, begins it.

    ``asked_for``: in whose name. ``blind_timing``: whether the time was chosen without knowledge of comparative data; that decides what it
    costs. Refused without reasons, and after planned unblinding.
    """
    by.must_hold(CommitteeMember, CommitteeChair)
    _refuse_after_unblinding()
    if not words.strip():
        raise Refused("no_reason", _("Say in writing why the arms are to be compared now."))
    db.take_turn(SUBJECT)
    row = LookRequest(
        number=LookRequest.objects.count() + 1,
        asked_for=LookRequest.AskedFor(asked_for),
        blind_timing=blind_timing,
        words=words.strip(),
        requested_by=by.actor_id,
    )
    row.save(force_insert=True)
    note(what="look asked for", subject=str(row.number), by=by)
    return row


@action
def begin_requested(*, request: LookRequest, by: Person) -> ComparativeRun:
    """Confirm a request of the committee and begin its look, as somebody else. Twice is once; one that failed begins anew.

    It costs what the spending function says at its information if its time was chosen blind, otherwise the plan's price. Refused to whoever
    asked, without a signed plan, while another look runs, and after planned unblinding.
    """
    by.must_hold(IndependentStatistician)
    if request.requested_by == by.actor_id:
        raise Refused("same_person", _("Who asked for a look does not begin it. Another person does."))
    db.take_turn(SUBJECT)
    version, plan = _plan_in_force()
    look = Look.objects.filter(request=request).first()
    running = _running_of(look)
    if running is not None:
        return running
    costs = FUNCTION if request.blind_timing else PRICE
    return _begin(look or Look(plan_id=version.pk, request=request), plan, _frozen_data(), costs, by)


@part
def _begin(look: Look, plan: Plan, snapshot: Snapshot, costs: str, by: Person) -> ComparativeRun:
    """The look, if it is new, and its run, frozen with everything that was spent before."""
    if queries.is_running():
        raise Refused("look_runs", _("Another look is running. Its result comes first: it says what is left to spend."))
    if look._state.adding:
        look.number, look.begun_by = Look.objects.count() + 1, by.actor_id
        look.save(force_insert=True)
    monitoring = frozen_monitoring(
        plan,
        number=look.number,
        code=look.code,
        costs=costs,
        asked=look.request_id is not None,
        earlier=queries.earlier(),
        stopping=queries.stopping_saves(protocol_of(snapshot.protocol_version)),
    )
    fields = frozen_fields(snapshot, by, LOOK, more={"monitoring": monitoring})
    run = ComparativeRun(kind=ComparativeRun.Kind.LOOK, look=look, **fields)
    run.save(force_insert=True)
    note(what="look begun", subject=str(look.number), by=by)
    enqueue("unblinded", TASK, str(run.pk))
    return run


def _running_of(look: Look | None) -> ComparativeRun | None:
    """The run of this look that is under way. Refused where the look has its result: it is held once."""
    run = queries.newest_run(look) if look else None
    if run is None or run.state in (ComparativeRun.State.FAILED, ComparativeRun.State.CANCELLED):
        return None
    if run.state == ComparativeRun.State.SUCCEEDED:
        raise Refused("look_held", _("This look has been held. Its result stands; a look is held once."))
    return run


def _plan_in_force() -> tuple[PlanVersion, Plan]:
    _refuse_after_unblinding()
    refuse_without_plan()
    version = plans.version_or_none()
    if version is None:
        raise Refused("no_plan", _("No analysis plan has been loaded."))
    return version, plans.plan_of(version)


def _refuse_after_unblinding() -> None:
    if planned_unblinding() is not None:
        raise Refused("unblinded", _("The trial is unblinded: there are no more looks. The final analysis is next."))


def _frozen_data() -> Snapshot:
    snapshot = queries.newest_snapshot()
    if snapshot is None:
        raise Refused("no_snapshot", _("A look needs frozen data. The data manager makes a snapshot."))
    return snapshot


# --- the committee ---------------------------------------------------------------------------------------------------


@action
def recommend(*, look: Look, word: str, words: str, by: Person) -> Recommendation:
    """Write what the committee recommends after a look, with its reasons. It takes the place of one that the chair has not signed.

    Refused without reasons, before the look has a result, and after the chair has signed.
    """
    by.must_hold(CommitteeMember, CommitteeChair)
    if not words.strip():
        raise Refused("no_reason", _("Say why. The reasons stay behind the wall."))
    db.take_turn(SUBJECT)
    if not hasattr(look, "result"):
        raise Refused("no_result", _("This look has no result yet."))
    _refuse_sealed(look)
    row = Recommendation(
        look=look,
        number=look.recommendations.count() + 1,
        word=Recommendation.Word(word),
        words=words.strip(),
        written_by=by.actor_id,
    )
    row.save(force_insert=True)
    return row


@action
def sign_recommendation(*, recommendation: Recommendation, password: str, by: Person) -> RecommendationSignature:
    """Sign the newest recommendation about a look: members first, the chair last. Twice is once.

    The chair's signature seals it. Refused for one that another has replaced, to the chair before any member, and after the chair.
    """
    by.must_hold(CommitteeMember, CommitteeChair)
    db.take_turn(SUBJECT)
    known = recommendation.signatures.filter(signed_by=by.actor_id).first()
    if known is not None:
        return known
    _refuse_sealed(recommendation.look)
    if recommendation.look.recommendations.filter(number__gt=recommendation.number).exists():
        raise Refused("replaced", _("Another recommendation has taken the place of this one. Read and sign that one."))
    capacity = Capacity.CHAIR if by.holds(CommitteeChair) else Capacity.MEMBER
    if capacity == Capacity.CHAIR and not recommendation.signatures.exists():
        raise Refused("chair_last", _("The chair signs last. No member has signed this recommendation yet."))
    content = {"look": str(recommendation.look_id), "number": recommendation.number, "word": recommendation.word}
    signature = sign(
        person=by, password=password, meaning="recommendation", content=content | {"words": recommendation.words}
    )
    row = RecommendationSignature(
        recommendation=recommendation, capacity=capacity, signed_by=by.actor_id, signature=signature
    )
    row.save(force_insert=True)
    note(what="recommendation signed", subject=str(recommendation.look.number), by=by)
    return row


def _refuse_sealed(look: Look) -> None:
    if queries.sealed(look) is not None:
        raise Refused("sealed", _("The chair has signed. The recommendation about this look stands as it is."))


@action
def tell_team(*, look: Look, by: Person) -> Release:
    """Let the word of the sealed recommendation, and its day, pass the gate: the team sees that and nothing else. By the chair; twice is once."""
    by.must_hold(CommitteeChair)
    found = queries.sealed(look)
    if found is None:
        raise Refused("not_sealed", _("The team is told what all have signed, the chair last."))
    at = found.signatures.get(capacity=Capacity.CHAIR).signed_at
    made: Release = release_recommendation(word=found.word, day=timezone.localtime(at).date(), by=by)
    return made
