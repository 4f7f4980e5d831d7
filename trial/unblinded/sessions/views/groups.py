"""Therapy groups: the list, one group, and the treatment coordinator's steps."""

import uuid

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Person, Request, page
from trial.core.access.roles import Therapist, TreatmentCoordinator, UnblindedDataManager
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, page_of
from trial.participants.queries import lock
from trial.protocol.definition import Protocol, SessionsPlan
from trial.protocol.queries import current
from trial.unblinded.sessions import actions, forms, queries, rules
from trial.unblinded.sessions.models import GroupTrainer, Member, TherapyGroup
from trial.unblinded.sessions.presenters.tables import group_state, group_table, member_table, session_table
from trial.unblinded.sessions.presenters.words import history_lines
from trial.unblinded.sessions.views.names import names_for

AT_GROUPS = (TreatmentCoordinator, Therapist, UnblindedDataManager)
PAGE_SIZE = 50


def plan_or_404() -> tuple[Protocol, SessionsPlan]:
    """The protocol with its sessions plan; a trial without one has no such pages."""
    protocol = current()
    if protocol.sessions is None:
        raise Http404
    return protocol, protocol.sessions


def find_group(request: Request, key: uuid.UUID) -> TherapyGroup:
    """The group, or 404: one that a person may not see answers like one that does not exist."""
    group = TherapyGroup.objects.filter(pk=key).first()
    if group is None or not rules.may_see_group(request.person, group):
        raise Http404
    return group


def crumbs_to(group: TherapyGroup, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page of a group."""
    steps = [
        (_("Groups"), reverse("treatment_groups")),
        (group.code, reverse("treatment_group", args=[group.pk])),
        *more,
    ]
    return [*steps[:-1], (steps[-1][0], "")]


def oversees(person: Person) -> bool:
    """Whether arms and deviations are shown: not to therapists, who see number and name of members only."""
    return person.holds(TreatmentCoordinator, UnblindedDataManager)


@page(roles=AT_GROUPS)
def group_list(request: Request) -> HttpResponseBase:
    """The groups of the sites one may see; of a therapist, the own ones."""
    protocol = current()
    title = _("Groups")
    if protocol.sessions is None:
        lead = _("The protocol of this trial plans no group sessions.")
        return render(request, "unblinded/sessions/groups.html", {"title": title, "lead": lead})
    mine = not oversees(request.person)
    found = list(queries.own_groups(request.person) if mine else queries.groups())
    sites = {site.code: site.name for site in protocol.sites}
    today = clock.today()
    if request.GET.get("format") == "csv":
        return csv_response(group_table(found, protocol.sessions, sites, today), "groups")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    context = {
        "title": title,
        "lead": _("The groups that you train.") if mine else "",
        "table": group_table(rows, protocol.sessions, sites, today, csv_url="?format=csv", position=position),
        "may_open": request.person.holds(TreatmentCoordinator) and lock() is None,
    }
    return render(request, "unblinded/sessions/groups.html", context)


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponseBase:
    """Make a group."""
    protocol, plan = plan_or_404()
    own = [site for site in protocol.sites if request.person.holds(TreatmentCoordinator, site=site.code)]
    therapists = {user.pk: user for site in own for user in queries.therapists_at(site.code)}
    form = forms.GroupForm(
        posted(request), plan=plan, therapists=list(therapists.values()), sites=[(site.code, site.name) for site in own]
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            group = actions.open_group(
                site=data.get("site") or own[0].code, code=data["code"], name=data["name"], trainers=form.chosen(),
                opened_on=data["opened_on"], by=request.person,
            )  # fmt: skip
            return redirect("treatment_group", group.pk)
        except Refused as refusal:
            form.add_error("code" if refusal.code == "code_taken" else None, str(refusal.message))
    context = {
        "title": _("New group"), "crumbs": [(_("Groups"), reverse("treatment_groups")), (_("New group"), "")], "form": form,
        "submit": _("Make the group"), "cancel_url": reverse("treatment_groups"),
        "lead": "" if len(therapists) >= plan.trainers else _("This site has too few therapists. Ask an administrator to give the role."),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=AT_GROUPS)
def group(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One group: who is in it, what was held, and what comes next."""
    group = find_group(request, key)
    protocol, plan = plan_or_404()
    today, sees_all, is_open = clock.today(), oversees(request.person), lock() is None
    members = list(
        Member.objects.filter(group=group)
        .select_related("allocation__participant__team")
        .order_by("entered_on", "allocation__participant__number")
    )
    lines = {line.allocation.pk: line for line in queries.person_lines([member.allocation for member in members])}
    names = names_for(request, group, [member.allocation.participant_id for member in members], "group")
    trainers = queries.trainers_of([group.pk]).get(group.pk, [])
    active = queries.active_counts([group.pk], today).get(group.pk, 0)
    missing = {gap.session.pk: gap.missing for gap in queries.gaps([group.pk])}
    keys = [("unblinded_group", group.pk)]
    keys += [
        ("unblinded_group_trainer", row)
        for row in GroupTrainer.objects.filter(group=group).values_list("pk", flat=True)
    ]
    context = {
        "title": _("Group %(code)s") % {"code": group.code},
        "lead": _("That you read the names of its members was written down.") if names else "",
        "crumbs": crumbs_to(group),
        "group": group,
        "state": group_state(group, today),
        "facts": [
            (_("Name"), group.name), (_("Site"), protocol.site(group.site).name), (_("Trainers"), ", ".join(user.full_name for user in trainers)),
            (_("First day"), group.opened_on), (_("Last day"), group.closed_on or _("still open")),
            (_("Members today"), _("%(count)d of at most %(size)d") % {"count": active, "size": plan.max_group_size}),
        ],
        "too_many": active > plan.max_group_size,
        "members": member_table(members, lines, names, oversees=sees_all, may_change=sees_all and is_open),
        "sessions": session_table(list(queries.sessions_of(group)), plan, missing),
        "may_record": is_open and rules.may_record(request.person, group),
        "may_place": is_open and request.person.holds(TreatmentCoordinator, site=group.site),
        "may_change": is_open and sees_all,
        "may_close": is_open and group.closed_on is None and request.person.holds(TreatmentCoordinator, site=group.site),
        "history": history_lines(keys, plan),
    }  # fmt: skip
    return render(request, "unblinded/sessions/group.html", context)


@page(roles=(TreatmentCoordinator, UnblindedDataManager), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def change(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Correct a group, and who trains it."""
    group = find_group(request, key)
    _protocol, plan = plan_or_404()
    standing = queries.trainers_of([key]).get(key, [])
    initial = {"name": group.name, "opened_on": group.opened_on} | {
        f"trainer_{n}": str(user.pk) for n, user in enumerate(standing, 1)
    }
    form = forms.GroupForm(
        posted(request), plan=plan, therapists=queries.therapists_at(group.site), sites=(), initial=initial
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.change_group(
                group=group, name=data["name"], trainers=form.chosen(), opened_on=data["opened_on"], by=request.person
            )
            return redirect("treatment_group", group.pk)
        except Refused as refusal:
            form.add_error("opened_on" if refusal.code == "opened_late" else None, str(refusal.message))
    context = {
        "title": _("Change group %(code)s") % {"code": group.code}, "crumbs": crumbs_to(group, (_("Change"), "")), "form": form,
        "submit": _("Save the group"), "cancel_url": reverse("treatment_group", args=[key]),
        "lead": _("A new trainer records sessions from today on; who stops training sees the group no more."),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def close(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The program of a group has ended."""
    group = find_group(request, key)
    form = forms.CloseForm(posted(request), initial={"closed_on": queries.last_days([key]).get(key)})
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_group(group=group, closed_on=form.cleaned_data["closed_on"], by=request.person)
            return redirect("treatment_group", group.pk)
        except Refused as refusal:
            form.add_error("closed_on", str(refusal.message))
    members = queries.active_counts([key], clock.today()).get(key, 0)
    context = {
        "title": _("Close group %(code)s") % {"code": group.code},
        "crumbs": crumbs_to(group, (_("Close"), "")),
        "facts": [
            (_("Group"), f"{group.code}, {group.name}"), (_("Members today"), members),
            (_("Sessions held"), queries.held_counts([key]).get(key, 0)),
        ],
        "consequence": _("Its members leave with it, and their program ends. This cannot be undone."),
        "submit": _("Close group %(code)s") % {"code": group.code},
        "cancel_url": reverse("treatment_group", args=[key]),
        "form": form,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
