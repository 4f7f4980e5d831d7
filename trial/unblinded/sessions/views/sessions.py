"""Sessions of a group: one calm page with one row for each member and one save."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import Therapist, UnblindedDataManager
from trial.core.errors import Conflict, Refused
from trial.core.history.queries import names_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import shown
from trial.participants.queries import lock
from trial.protocol.definition import SessionsPlan
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import actions, forms, queries, rules
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import Attendance, GroupSession, Member, TherapyGroup
from trial.unblinded.sessions.presenters.tables import attendance_table
from trial.unblinded.sessions.presenters.words import Names, history_lines, member_label, module_names, session_state
from trial.unblinded.sessions.views.groups import AT_GROUPS, crumbs_to, find_group, oversees, plan_or_404
from trial.unblinded.sessions.views.names import names_for

RECORDERS = (Therapist, UnblindedDataManager)


def find_session(request: Request, key: uuid.UUID) -> GroupSession:
    """The session of a group that one may see, or 404."""
    session = GroupSession.objects.select_related("group").filter(pk=key).first()
    if session is None or not rules.may_see_group(request.person, session.group):
        raise Http404
    return session


def _asked_day(request: Request, group: TherapyGroup, plan: SessionsPlan) -> dt.date:
    """The day of the page: as the address says, else the one on which the next session is due, never in the future."""
    try:
        return dt.date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        due = queries.next_day(group, queries.last_days([group.pk]).get(group.pk), plan)
        return min(due, clock.today())


def _other_people(request: Request, group: TherapyGroup, members: list[Member]) -> bool:
    """Whether the page listed other members than those of the day that was typed: nobody becomes a guest by a change of the date."""
    try:
        listed = dt.date.fromisoformat(request.POST.get("listed", ""))
    except ValueError:
        return False
    return {m.pk for m in queries.members_on(group, listed)} != {m.pk for m in members}


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def record(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Record a session that was held, with everybody's attendance, in one save. Twice is once."""
    group = find_group(request, key)
    _protocol, plan = plan_or_404()
    day = forms.typed_day(request.POST, "day") or _asked_day(request, group, plan)
    members = queries.members_on(group, day)
    last = queries.sessions_of(group).filter(state=GroupSession.State.HELD).first()
    trainers = queries.trainers_of([key]).get(key, [])
    initial = {"day": day, "minutes": plan.minutes, "module_1": last.modules[-1] if last else plan.modules[0].code}
    initial |= {f"leader_{n}": str(user.pk) for n, user in enumerate(trainers, start=1)}
    people = {member.allocation: False for member in members}
    form = _form(request, group, plan, people, initial=initial)
    if request.method == "POST" and form.is_valid():
        marks = _marks(form, group)
        if _other_people(request, group, members):
            words = _(
                "On this day other people belonged to the group. The list is theirs now: check it, then save again."
            )
            form.add_error("day", words)
        elif marks is not None:
            try:
                done = actions.record_session(
                    group=group, day=form.cleaned_data["day"], content=form.content(), marks=marks, by=request.person
                )
                return redirect("treatment_session", done.pk)
            except Refused as refusal:
                form.add_error(
                    "day" if refusal.code in ("day_future", "outside_group", "session_exists") else None,
                    str(refusal.message),
                )
    context = {
        "title": _("Session of group %(code)s") % {"code": group.code},
        "lead": group.name,
        "crumbs": crumbs_to(group, (_("Record a session"), "")),
        "form": form,
        "listed": day.isoformat(),
        "submit": _("Save the session"),
        "cancel_url": reverse("treatment_group", args=[key]),
        "not_held_url": f"{reverse('treatment_canceled', args=[key])}?day={day.isoformat()}",
    }  # fmt: skip
    return render(request, "unblinded/sessions/record.html", context, status=_name(request, group, form, people))


People = Mapping[Allocation, bool]
"""The rows of a form: whether each of these people is a guest."""


def _form(
    request: Request, group: TherapyGroup, plan: SessionsPlan, people: People, **kwargs: Any
) -> forms.SessionForm:
    """The form of a session with one row for each of these people. Names are written into it when it is shown (``_name``)."""
    therapists = {user.pk: user for user in queries.therapists_at(group.site)}
    therapists |= {user.pk: user for user in kwargs.pop("leaders", [])}
    rows = _labels(people, {})
    return forms.SessionForm(posted(request), plan=plan, people=rows, therapists=list(therapists.values()), **kwargs)


def _labels(people: People, names: Names) -> dict[uuid.UUID, str]:
    labels = {one.pk: member_label(one, names) for one in people}
    return {
        one.pk: _("%(number)s, guest") % {"number": labels[one.pk]} if is_guest else labels[one.pk]
        for one, is_guest in people.items()
    }


def _name(request: Request, group: TherapyGroup, form: forms.SessionForm, people: People) -> int:
    """Write the names into the rows of a form that is about to be shown. Returns the status of the page."""
    status, keys = status_of(form), [one.participant_id for one in people]
    form.label(_labels(people, names_for(request, group, keys, "session_record", is_refused=status >= 400)))
    return status


def _marks(form: forms.SessionForm, group: TherapyGroup) -> dict[uuid.UUID, Marked] | None:
    """Marks of members and guests; None, with an error in the form, when a study number is not known here."""
    marks = form.marks()
    for number in form.guest_numbers():
        guest = queries.allocation_of(number)
        if guest is None or guest.site != group.site:
            words = _("%(number)s is no randomized participant of this site. Check the number.") % {
                "number": number[:20]
            }
            form.add_error("guests", words)
            return None
        marks.setdefault(guest.pk, Marked(Attendance.Mark.ATTENDED.value))
    return marks


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def canceled(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Record that a session was not held."""
    group = find_group(request, key)
    _protocol, plan = plan_or_404()
    form = forms.CancelForm(posted(request), day=_asked_day(request, group, plan))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.record_session(
                group=group, day=data["day"], content=Content(canceled=data["canceled"]), marks={}, by=request.person
            )
            return redirect("treatment_group", key)
        except Refused as refusal:
            form.add_error("day", str(refusal.message))
    context = {
        "title": _("No session of group %(code)s") % {"code": group.code},
        "lead": _("It counts for nobody, neither as offered nor as held."),
        "crumbs": crumbs_to(group, (_("No session"), "")),
        "form": form,
        "submit": _("Record that there was no session"),
        "cancel_url": reverse("treatment_group", args=[key]),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=AT_GROUPS)
def session(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One session with everybody's attendance and its history."""
    session = find_session(request, key)
    _protocol, plan = plan_or_404()
    rows = list(_attendance(session))
    marked = {row.allocation_id for row in rows}
    held = session.state == GroupSession.State.HELD
    missing = (
        [m for m in queries.members_on(session.group, session.day) if m.allocation_id not in marked] if held else []
    )
    listed = [one.allocation.participant_id for one in (*rows, *missing)]
    names = names_for(request, session.group, listed if held else [], "session")
    leaders = names_of(session.led_by)
    facts: list[tuple[str, Any]] = [
        (_("Group"), f"{session.group.code}, {session.group.name}"),
        (_("Date"), session.day),
    ]
    if held:
        facts += [
            (_("Modules"), module_names(session.modules, plan)), (_("Length"), _("%(n)d minutes") % {"n": session.minutes}),
            (_("Led by"), ", ".join(leaders.get(one, one) for one in session.led_by)),
        ]  # fmt: skip
    may_record = lock() is None and rules.may_record(request.person, session.group)
    context = {
        "title": _("Session of %(day)s") % {"day": shown(session.day)},
        "lead": _("That you read the names was written down.") if names else "",
        "crumbs": crumbs_to(session.group, (shown(session.day), "")),
        "session": session,
        "state": session_state(session),
        "facts": facts,
        "held": held,
        "open_count": len(missing),
        "table": attendance_table(rows, missing, names, oversees=oversees(request.person)) if held else None,
        "may_record": may_record,
        "history": history_lines(
            [("unblinded_session", session.pk), *(("unblinded_attendance", row.pk) for row in rows)],
            plan,
            {str(row.pk): member_label(row.allocation) for row in rows},
        ),
    }  # fmt: skip
    return render(request, "unblinded/sessions/session.html", context)


def _attendance(session: GroupSession) -> Any:
    rows = Attendance.objects.filter(session=session).select_related("allocation__participant")
    return rows.order_by("guest", "allocation__participant__number")


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def correct(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Add the marks that are open, or correct what is on record, with a reason."""
    session = find_session(request, key)
    group = session.group
    _protocol, plan = plan_or_404()
    rows = list(_attendance(session))
    recorded = {row.allocation_id: Marked(row.mark, row.reason) for row in rows}
    initial = (
        forms.initial_of(session, recorded)
        if session.state == GroupSession.State.HELD
        else {"day": session.day, "minutes": plan.minutes}
    )
    people = {member.allocation: False for member in queries.members_on(group, session.day)}
    people |= {row.allocation: True for row in rows if row.guest}
    form = _form(
        request,
        group,
        plan,
        people,
        leaders=queries.people_named(session.led_by),
        initial=initial,
        correcting=True,
    )
    revision = session.revision
    if request.method == "POST" and form.is_valid():
        marks = _marks(form, group)
        if marks is not None:
            try:
                actions.correct_session(
                    session=session, day=form.cleaned_data["day"], content=form.content(), marks=marks,
                    revision=form.seen_revision, reason=form.cleaned_data["reason"], by=request.person,
                )  # fmt: skip
                return redirect("treatment_session", key)
            except Conflict as refusal:
                form.add_error(None, str(refusal.message))
            except Refused as refusal:
                form.add_error("reason" if refusal.code == "reason_missing" else None, str(refusal.message))
    context = {
        "title": _("Correct the session of %(day)s") % {"day": shown(session.day)},
        "lead": _("What stood here before stays in the history."),
        "crumbs": crumbs_to(group, (shown(session.day), reverse("treatment_session", args=[key])), (_("Correct"), "")),
        "form": form,
        "revision": revision,
        "submit": _("Save the session"),
        "cancel_url": reverse("treatment_session", args=[key]),
        "not_held_url": reverse("treatment_cancel", args=[key]) if session.state == GroupSession.State.HELD else "",
    }  # fmt: skip
    return render(request, "unblinded/sessions/record.html", context, status=_name(request, group, form, people))


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """A session on record was not held after all."""
    session = find_session(request, key)
    plan_or_404()
    form = forms.CancelForm(posted(request), correcting=True)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.correct_session(
                session=session, day=session.day, content=Content(canceled=data["canceled"]), marks={},
                revision=session.revision, reason=data["reason"], by=request.person,
            )  # fmt: skip
            return redirect("treatment_session", key)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("The session of %(day)s was not held") % {"day": shown(session.day)},
        "lead": _("Everybody is marked as not offered. What stood here before stays in the history."),
        "crumbs": crumbs_to(session.group, (shown(session.day), reverse("treatment_session", args=[key])), (_("Not held"), "")),
        "form": form,
        "submit": _("Record that there was no session"),
        "cancel_url": reverse("treatment_session", args=[key]),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))
