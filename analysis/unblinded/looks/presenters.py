"""Looks, requests and recommendations as pages show them, and whose work they are."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.plans.definition import Look as Planned
from analysis.plans.definition import Plan
from analysis.plans.queries import plan_of, unsigned, version_or_none
from analysis.pooled.presenters import STATES
from analysis.reports.recommended import WORDS
from analysis.unblinded.looks import queries
from analysis.unblinded.models import ComparativeRun, Look, LookRequest, LooksSignature, Recommendation
from trial.core.access import Person
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Link, State, Table, shown
from trial.core.ui.text import Text
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.models import Release
from trial.participants.queries import recommendations as told
from trial.unblinded.disclosure.queries import planned_unblinding

__all__ = ["ASKED_FOR", "WORDS"]

ASKED_FOR: dict[str, Text] = {
    "committee": gettext_lazy("The data monitoring committee"),
    "steering": gettext_lazy("The steering committee"),
}
CAPACITIES: dict[str, Text] = {"member": gettext_lazy("Member"), "chair": gettext_lazy("Chair")}
HISTORY: dict[str, Text] = {
    "begin_planned": gettext_lazy("Begun"),
    "begin_requested": gettext_lazy("Begun on request"),
    "finish": gettext_lazy("Finished"),
    "recommend": gettext_lazy("Recommendation written"),
    "sign_recommendation": gettext_lazy("Recommendation signed"),
    **{f"word:{code}": words for code, words in WORDS.items()},
}
Standing = tuple[Planned, "Look | None", queries.Trigger]


def name_of(look: Look) -> str:
    """Look 2 (half), look 3 (not planned)."""
    inner = look.code.replace("_", " ") if look.code else _("not planned")
    return _("Look %(number)d (%(name)s)") % {"number": look.number, "name": inner}


def planned_looks(plan: Plan) -> list[Standing]:
    """Each planned look, what was begun of it, and whether it is due."""
    if plan.looks is None:
        return []
    begun = {look.code: look for look in Look.objects.exclude(code="")}
    snapshot = queries.newest_snapshot()
    return [(one, begun.get(one.code), queries.trigger_of(one, plan, snapshot)) for one in plan.looks.looks]


def planned_table(standings: Sequence[Standing], plan: Plan, *, may_begin: bool) -> Table:
    """The planned looks of the version in force."""
    by_calendar = plan.looks is not None and plan.looks.timing == "calendar"
    at = _("Months since the first participant") if by_calendar else _("Share of the information")
    columns = [
        Column(_("Look")), Column(at, number=True, decimals=0 if by_calendar else 2), Column(_("State")), Column(_("When it is due")),
        Column(""),
    ]  # fmt: skip
    rows = [
        [one.code.replace("_", " "), one.at, *_standing(look, trigger), _step(one, look, trigger, may_begin=may_begin)]
        for one, look, trigger in standings
    ]
    return Table(columns, rows, caption=_("Planned looks"), empty=_("The plan in force has no look before the end."))


def _standing(look: Look | None, trigger: queries.Trigger) -> list[Any]:
    run = queries.newest_run(look) if look else None
    if run is not None:
        return [State(*STATES[run.state]), ""]
    return [State("due") if trigger.met else State("upcoming"), trigger.words]


def _ended(look: Look) -> bool:
    """Whether the run of a look failed or was canceled: it begins again."""
    run = queries.newest_run(look)
    return run is not None and run.state in (ComparativeRun.State.FAILED, ComparativeRun.State.CANCELLED)


def _step(planned: Planned, look: Look | None, trigger: queries.Trigger, *, may_begin: bool) -> Link | None:
    ended = look is not None and _ended(look)
    if look is not None and not (ended and may_begin):
        return Link(_("Open"), reverse("look", args=[look.number]))
    if may_begin and trigger.met:
        words = _("Begin again") if ended else _("Begin")
        return Link(words, reverse("look_begin", args=[planned.code]))
    return None


def request_table(requests: Sequence[LookRequest], *, may_begin: bool) -> Table:
    """Written requests of the committee that wait for somebody else."""
    names = names_of(one.requested_by for one in requests)
    columns = [Column(_("Asked")), Column(_("In the name of")), Column(_("By")), Column(_("Why")), Column("")]
    rows = [
        [
            one.requested_at, str(ASKED_FOR[one.asked_for]), names.get(one.requested_by, one.requested_by), one.words,
            Link(_("Confirm and begin"), reverse("look_requested", args=[one.pk])) if may_begin else None,
        ]
        for one in requests
    ]  # fmt: skip
    return Table(columns, rows, caption=_("Requests for looks that no plan has"), empty=_("No request waits."))


def begun_table(looks: Sequence[Look]) -> Table:
    """The looks that were begun, in their order; no number of theirs."""
    columns = [Column(_("Look")), Column(_("Begun")), Column(_("State")), Column("")]
    rows = []
    for look in looks:
        run = queries.newest_run(look)
        state = State(*STATES[run.state]) if run else None
        rows.append([name_of(look), look.begun_at, state, Link(_("Open"), reverse("look", args=[look.number]))])
    return Table(columns, rows, caption=_("Looks begun"), empty=_("No look has been begun."))


def recommendation_table(written: Sequence[Recommendation]) -> Table:
    """What the committee wrote about a look, newest first."""
    names = names_of(one.written_by for one in written)
    columns = [Column(_("Written")), Column(_("Recommendation")), Column(_("Reasons")), Column(_("By"))]
    rows = [
        [one.written_at, str(WORDS[one.word]), one.words, names.get(one.written_by, one.written_by)] for one in written
    ]
    return Table(columns, rows, empty=_("The committee has not written its recommendation yet."))


def signature_table(recommendation: Recommendation) -> Table:
    """Who signed the newest one."""
    signed = sorted(recommendation.signatures.all(), key=lambda one: one.signed_at)
    columns = [
        Column(_("Signs as")),
        Column(_("Name")),
        Column(_("When")),
        Column(_("SHA-256 of what was signed"), code=True),
    ]
    rows = [
        [str(CAPACITIES[one.capacity]), one.signature["name"], one.signed_at, one.signature["sha256"][:16]]
        for one in signed
    ]
    return Table(columns, rows, caption=_("Signatures"), empty=_("Nobody has signed yet. The chair signs last."))


def reader_table(look: Look) -> Table:
    """Who has read the result, from the ledger."""
    rows = queries.readings(look)
    names = names_of(actor for actor, _first, _times in rows)
    columns = [Column(_("Read by")), Column(_("First")), Column(_("Times"), number=True)]
    return Table(columns, [[names.get(who, who), first, times] for who, first, times in rows], caption=_("Readers"))


# --- whose work it is ------------------------------------------------------------------------------------------------


def work_for(person: Person) -> list[WorkList]:
    """Looks that are due or asked for, for the independent statistician; what is to be read and signed, for the committee."""
    if not person.holds(IndependentStatistician, CommitteeMember, CommitteeChair) or planned_unblinding() is not None:
        return []
    items = _to_begin() if person.holds(IndependentStatistician) else _to_judge(person)
    return [WorkList(_("Looks before the end"), items, empty=_("No look waits for you."))]


def _to_begin() -> list[WorkItem]:
    version = version_or_none()
    if version is None or unsigned(version):
        return []
    plan = plan_of(version)
    items = [
        WorkItem(
            _("Confirm a request for a look"),
            reverse("look_requested", args=[one.pk]),
            str(ASKED_FOR[one.asked_for]),
            "due",
            one.requested_at.date(),
        )
        for one in queries.waiting_requests()
    ]
    if plan.looks is None or not LooksSignature.objects.filter(plan_id=version.pk).exists():
        return items
    for one, look, trigger in planned_looks(plan):
        if trigger.met and (look is None or _ended(look)):
            again = _("Begin the planned look again: %(name)s") if look else _("Begin the planned look: %(name)s")
            words = again % {"name": one.code.replace("_", " ")}
            items.append(WorkItem(words, reverse("look_begin", args=[one.code]), trigger.words, "due"))
    return items


def _to_judge(person: Person) -> list[WorkItem]:
    items = []
    for row in queries.results():
        address, name = reverse("look", args=[row.look.number]), name_of(row.look)
        newest = next(iter(queries.recommendations(row.look)), None)
        if newest is None:
            items.append(
                WorkItem(_("Read %(look)s and recommend") % {"look": name}, address, "", "due", row.held_at.date())
            )
        elif step := waits_for(person, newest):
            items.append(WorkItem(f"{step}: {name}", address, str(WORDS[newest.word]), "due", newest.written_at.date()))
    return items


def waits_for(person: Person, newest: Recommendation) -> str:
    """What this person has to do about a recommendation, or nothing."""
    signed = {one.signed_by: one.capacity for one in newest.signatures.all()}
    if "chair" in signed.values():
        return _("Tell the team") if person.holds(CommitteeChair) and not _released(newest) else ""
    if person.actor_id in signed or not person.holds(CommitteeMember, CommitteeChair):
        return ""
    if person.holds(CommitteeChair) and not signed:
        return ""
    return _("Sign the recommendation")


def told_words(recommendation: Recommendation) -> str:
    """That the team was told, and when; nothing before."""
    row = _released(recommendation)
    return _("The team was told on %(at)s.") % {"at": shown(row.released_at)} if row else ""


def _released(recommendation: Recommendation) -> Release | None:
    """What the team was told of a sealed recommendation: its word, and the day on which the chair signed."""
    seal = recommendation.signatures.filter(capacity="chair").first()
    if seal is None:
        return None
    day = timezone.localtime(seal.signed_at).date().isoformat()
    found: Release | None = told().filter(payload__recommendation=recommendation.word, payload__day=day).first()
    return found
