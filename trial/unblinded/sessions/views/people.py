"""People on the treatment side: told, placed, withdrawn from treatment, and how far they came."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import TreatmentCoordinator, UnblindedDataManager
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import State, csv_response, page_of
from trial.participants.queries import died, lock
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.sessions import actions, forms, queries
from trial.unblinded.sessions.models import Member
from trial.unblinded.sessions.presenters.tables import people_table, stay_table
from trial.unblinded.sessions.presenters.words import completion_words, history_lines, member_label, state_of
from trial.unblinded.sessions.queries import PersonLine
from trial.unblinded.sessions.views.groups import plan_or_404

OVERSEERS = (TreatmentCoordinator, UnblindedDataManager)
PAGE_SIZE = 50
URGENCY = ("due", "waiting", "blocked", "open", "info", "missed", "done", "cancelled")


def find_person(number: str) -> Allocation:
    """The allocation of this participant, or 404: another site's number answers like one that does not exist."""
    found = queries.allocation_of(number)
    if found is None:
        raise Http404
    return found


def crumbs_to(allocation: Allocation, *more: str) -> list[tuple[str, str]]:
    """The way to a page of a person."""
    here = (member_label(allocation), reverse("treatment_person", args=[allocation.participant.number]))
    steps = [(_("Treatment"), reverse("treatment_people")), here, *((name, "") for name in more)]
    return [*steps[:-1], (steps[-1][0], "")]


@page(roles=OVERSEERS)
def people(request: Request) -> HttpResponseBase:
    """Everybody allocated at the sites one may see, what needs attention first. That it was opened goes into the ledger."""
    protocol, plan = plan_or_404()
    today = clock.today()
    found = sorted(
        queries.person_lines(allocations()),
        key=lambda line: (URGENCY.index(state_of(line, today).kind), line.allocation.participant.number),
    )
    note(what="treatment list opened", subject=",".join(sorted(request.person.sites)), by=request.person)
    if request.GET.get("format") == "csv":
        return csv_response(people_table(found, protocol, plan, today), "treatment")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    context = {
        "title": _("Treatment"),
        "lead": _("%(count)d people randomized. Do not pass this on to anybody who assesses outcomes.") % {"count": len(found)},
        "table": people_table(rows, protocol, plan, today, csv_url="?format=csv", position=position),
    }  # fmt: skip
    return render(request, "unblinded/sessions/people.html", context)


@page(roles=OVERSEERS)
def person(request: Request, number: str) -> HttpResponseBase:
    """One person: arm, group, exposure, completion, and what comes next. That it was opened goes into the ledger."""
    allocation = find_person(number)
    protocol, plan = plan_or_404()
    today = clock.today()
    line = queries.person_lines([allocation])[0]
    note(what="treatment of a participant opened", subject=allocation.participant.number, by=request.person)
    is_open = lock() is None
    coordinates = is_open and request.person.holds(TreatmentCoordinator, site=allocation.site)
    goes_on = line.withdrawal is None and line.completion is None
    takes_part = line.is_offered or line.deviates
    arms = {arm.code: arm.name for arm in protocol.arms}
    context = {
        "title": _("Treatment of participant %(number)s") % {"number": member_label(allocation)},
        "crumbs": crumbs_to(allocation),
        "number": allocation.participant.number,
        "line": line,
        "state": state_of(line, today),
        "facts": _facts(line, arms),
        "exposure": [
            (_("Planned"), line.counts.planned), (_("Held by the group"), line.counts.held), (_("Offered"), line.counts.offered),
            (_("Attended"), line.counts.attended), (_("Completion"), completion_words(line, plan)),
        ] if takes_part else [],
        "stays": [_stay(member) for member in reversed(line.members)],
        "may_change": is_open,
        "links": _links(request, allocation),
        "stays_table": stay_table(line.members),
        "may_tell": coordinates and line.told is None,
        "may_place": coordinates and line.member is None and goes_on,
        "may_withdraw": coordinates and goes_on and takes_part,
        "history": history_lines(_rows(line), plan, words={f"arm:{code}": name for code, name in arms.items()}),
    }  # fmt: skip
    return render(request, "unblinded/sessions/person.html", context)


def _facts(line: PersonLine, arms: dict[str, str]) -> list[tuple[str, Any]]:
    allocation = line.allocation
    facts: list[tuple[str, Any]] = [
        (_("Participant"), member_label(allocation)), (_("Team"), allocation.participant.team.name),
        (_("Arm"), arms.get(allocation.arm, allocation.arm)), (_("Randomized"), allocation.allocated_at.date()),
        (_("Told"), line.told.told_on if line.told else _("not yet")),
        (_("Group"), f"{line.group.code}, {line.group.name}" if line.group else _("none")),
    ]  # fmt: skip
    if line.withdrawal is not None:
        facts += [
            (_("Withdrew from treatment"), line.withdrawal.day),
            (_("Reason"), line.withdrawal.get_reason_display()),
        ]
    return facts


def _links(request: Request, allocation: Allocation) -> list[tuple[str, str]]:
    """Where this person goes on: name and telephone, hospital records."""
    number, links = [allocation.participant.number], []
    if request.person.holds(TreatmentCoordinator, site=allocation.site) and not died([allocation.participant_id]):
        links.append((_("Name, telephone, death"), reverse("person", args=number)))
    if request.person.holds(UnblindedDataManager) and current().records is not None:
        links.append((_("Hospital records"), reverse("admissions_person", args=number)))
    return links


def _stay(member: Member) -> dict[str, Any]:
    return {
        "member": member,
        "state": State("blocked", _("Deviation")) if member.deviates else None,
        "url": reverse("treatment_stay", args=[member.pk]),
    }


def _rows(line: PersonLine) -> list[tuple[str, Any]]:
    rows = [("unblinded_allocation", line.allocation.pk)]
    rows += [("unblinded_member", member.pk) for member in line.members]
    for table, row in (
        ("unblinded_told", line.told),
        ("unblinded_withdrawal", line.withdrawal),
        ("unblinded_completion", line.completion),
    ):
        rows += [(table, row.pk)] if row is not None else []
    return rows


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def told(request: Request, number: str) -> HttpResponseBase:
    """The participant and the care team have been told."""
    allocation = find_person(number)
    protocol, _plan = plan_or_404()
    form = forms.ToldForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_told(allocation=allocation, told_on=form.cleaned_data["told_on"], by=request.person)
            return redirect("treatment_person", number)
        except Refused as refusal:
            form.add_error("told_on", str(refusal.message))
    arms = {arm.code: arm.name for arm in protocol.arms}
    note(what="treatment of a participant opened", subject=allocation.participant.number, by=request.person)
    context = {
        "title": _("Tell participant %(number)s and the care team") % {"number": member_label(allocation)},
        "crumbs": crumbs_to(allocation, _("Tell")),
        "facts_title": _("What you tell"),
        "facts": [
            (_("Participant"), member_label(allocation)), (_("Team"), allocation.participant.team.name),
            (_("Arm"), arms.get(allocation.arm, allocation.arm)), (_("Randomized"), allocation.allocated_at.date()),
        ],
        "consequence": _("Ask both not to mention it to interviewers."),
        "submit": _("Both have been told"),
        "cancel_url": reverse("treatment_person", args=[number]),
        "form": form,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def place(request: Request, number: str) -> HttpResponseBase:
    """Place somebody in a group; of another arm too, which is kept as a deviation. A full group is a warning."""
    allocation = find_person(number)
    _protocol, plan = plan_or_404()
    today = clock.today()
    choices = [group for group in queries.groups() if group.site == allocation.site and group.closed_on is None]
    counts = queries.active_counts([group.pk for group in choices], today)
    form = forms.PlaceForm(
        posted(request), groups=[(group, counts.get(group.pk, 0)) for group in choices], size=plan.max_group_size
    )
    if request.method == "POST" and form.is_valid():
        try:
            member = actions.place(
                group=form.group, allocation=allocation, entered_on=form.cleaned_data["entered_on"], by=request.person
            )
            _warn(request, member, plan.max_group_size)
            return redirect("treatment_group", form.group.pk)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Place participant %(number)s in a group") % {"number": member_label(allocation)},
        "crumbs": crumbs_to(allocation, _("Place")),
        "lead": "" if choices else _("This site has no open group. Make one first."),
        "note": "" if allocation.arm in plan.arms else _("This arm is not offered the program: a place in a group is kept as a deviation."),
        "form": form,
        "submit": _("Place participant %(number)s") % {"number": member_label(allocation)},
        "cancel_url": reverse("treatment_person", args=[number]),
    }  # fmt: skip
    return render(request, "unblinded/sessions/form.html", context, status=status_of(form))


def _warn(request: Request, member: Member, size: int) -> None:
    active = queries.active_counts([member.group_id], clock.today()).get(member.group_id, 0)
    if active > size:
        words = {"count": active, "size": size}
        messages.warning(request, _("The group has %(count)d members now; the protocol says at most %(size)d.") % words)


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def withdraw(request: Request, number: str) -> HttpResponseBase:
    """Withdrawal from treatment, and from nothing else."""
    allocation = find_person(number)
    plan_or_404()
    form = forms.WithdrawForm(posted(request), initial={"day": clock.today()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.withdraw(allocation=allocation, reason_code=data["reason"], day=data["day"], by=request.person)
            return redirect("treatment_person", number)
        except Refused as refusal:
            form.add_error("day" if refusal.code.startswith("day") else None, str(refusal.message))
    line = queries.person_lines([allocation])[0]
    context = {
        "title": _("Participant %(number)s withdraws from treatment") % {"number": member_label(allocation)},
        "crumbs": crumbs_to(allocation, _("Withdrawal from treatment")),
        "facts": [
            (_("Participant"), member_label(allocation)), (_("Group"), line.group.code if line.group else _("none")),
            (_("Attended"), _("%(attended)d of %(offered)d offered") % {"attended": line.counts.attended, "offered": line.counts.offered}),
        ],
        "consequence": _(
            "The person leaves the group. Interviews and records go on: they are withdrawn by the coordinator, not here. This cannot be undone."
        ),
        "submit": _("Record the withdrawal from treatment"),
        "cancel_url": reverse("treatment_person", args=[number]),
        "form": form,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=OVERSEERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def stay(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Let somebody leave a group, or correct the days."""
    member = Member.objects.select_related("group", "allocation__participant").filter(pk=key).first()
    if member is None:
        raise Http404
    number = member.allocation.participant.number
    initial = {"entered_on": member.entered_on, "left_on": member.left_on or _ended(member)}
    form = forms.StayForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.change_stay(
                member=member,
                entered_on=data["entered_on"],
                left_on=data["left_on"],
                reason=data["reason"],
                by=request.person,
            )
            return redirect("treatment_person", number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Participant %(number)s in group %(code)s") % {"number": member_label(member.allocation), "code": member.group.code},
        "crumbs": crumbs_to(member.allocation, _("Days in the group")),
        "form": form,
        "submit": _("Save the days"),
        "cancel_url": reverse("treatment_person", args=[number]),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


def _ended(member: Member) -> Any:
    """The day on which the program ended, when it has: what the field of the last day begins with."""
    line = queries.person_lines([member.allocation])[0:1]
    return line[0].end.day if line and line[0].end.is_over(clock.today()) else None
