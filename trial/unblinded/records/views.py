"""Hospital records: the list of windows, one person, and the abstractor's steps. No page here shows an arm."""

import uuid
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Person, Request, page
from trial.core.access.roles import Abstractor, UnblindedDataManager
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, grouped, page_of, shown
from trial.participants.queries import lock, names_of
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import log_reading
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations, of_the_living
from trial.unblinded.records import actions, queries
from trial.unblinded.records import presenters as show
from trial.unblinded.records.forms import AdmissionForm, MistakeForm, initial_of
from trial.unblinded.records.models import Admission
from trial.unblinded.records.presenters import READERS
from trial.unblinded.records.queries import RecordLine

WRITERS = (Abstractor, UnblindedDataManager)
PAGE_SIZE = 50
URGENCY = ("overdue", "due", "upcoming", "cancelled", "done")


def _plan_or_404() -> Protocol:
    """The protocol with its records plan; a trial without one has no such pages."""
    protocol = current()
    if protocol.records is None:
        raise Http404
    return protocol


def _person_or_404(number: str) -> Allocation:
    found = allocations().filter(participant__number="".join(number.split())).first()
    if found is None:
        raise Http404
    return found


def _line_or_404(allocation: Allocation, window: str) -> RecordLine:
    found = next((line for line in queries.record_lines([allocation]) if line.window == window), None)
    if found is None:
        raise Http404
    return found


def _crumbs(allocation: Allocation, *more: str) -> list[tuple[str, str]]:
    number = allocation.participant.number
    steps = [(_("Records"), reverse("admissions")), (grouped(number), reverse("admissions_person", args=[number]))]
    steps += [(name, "") for name in more]
    return [*steps[:-1], (steps[-1][0], "")]


def _field_of(refusal: Refused, form: Any) -> str | None:
    """The field that a refusal speaks about."""
    wanted = {"discharge_early": "discharged_on", "reason_missing": "reason"}.get(refusal.code)
    return wanted if wanted in form.fields else None


@page(roles=READERS)
def admission_list(request: Request) -> HttpResponseBase:
    """Every window of everybody randomized, what is to be done first. Nobody who died is listed."""
    protocol, today = current(), clock.today()
    if protocol.records is None:
        lead = _("The protocol of this trial looks nothing up in hospital records.")
        return render(request, "unblinded/records/list.html", {"title": _("Hospital records"), "lead": lead})
    found = sorted(
        queries.record_lines(of_the_living()),
        key=lambda line: (
            URGENCY.index(show.state_of(line, today).kind), line.period.last, line.allocation.participant.number,
        ),
    )  # fmt: skip
    if request.GET.get("format") == "csv":
        return csv_response(show.record_table(found, protocol, today), "records")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    open_ = sum(line.is_open for line in found)
    context = {
        "title": _("Hospital records"),
        "lead": _("%(open)d of %(all)d windows are still to be looked up.") % {"open": open_, "all": len(found)},
        "table": show.record_table(rows, protocol, today, csv_url="?format=csv", position=position),
    }
    return render(request, "unblinded/records/list.html", context)


@page(roles=READERS)
def person(request: Request, number: str) -> HttpResponseBase:
    """One person: both windows with their admissions. The abstractor, who needs the file, sees the name; the reading is written down."""
    allocation = _person_or_404(number)
    protocol = _plan_or_404()
    found = queries.record_lines([allocation])
    facts: list[tuple[str, Any]] = [(_("Participant"), grouped(allocation.participant.number))]
    if request.person.holds(Abstractor) and not all(line.stopped for line in found):
        named = names_of([allocation.participant_id])
        log_reading(participants=named, page="records", by=request.person)
        facts += [(_("Name"), name) for name in named.values()]
    facts.append((_("Team"), allocation.participant.team.name))
    windows = _windows(request.person, found, protocol)
    context = {
        "title": _("Records of participant %(number)s") % {"number": grouped(allocation.participant.number)},
        "crumbs": _crumbs(allocation),
        "number": allocation.participant.number,
        "facts": facts,
        "windows": windows,
        "next": next((one for one in windows if one["may_sign"]), None),
        "history": show.history_lines(
            queries.every_row_of(allocation), [line.looked_up for line in found if line.looked_up], protocol
        ),
    }
    return render(request, "unblinded/records/person.html", context)


def _windows(person: Person, found: list[RecordLine], protocol: Protocol) -> list[dict[str, Any]]:
    today, is_open = clock.today(), lock() is None
    shown_ones = []
    for line in found:
        facts: list[tuple[str, Any]] = [
            (_("From"), line.period.first), (_("To"), line.period.last), (_("Days in hospital"), line.days),
        ]  # fmt: skip
        if line.looked_up is not None:
            facts.append((_("Looked up"), line.looked_up.looked_up_at))
        may_write = is_open and not line.stopped and line.period.first <= today
        may_correct = may_write and person.holds(*WRITERS)
        shown_ones.append(
            {
                "code": line.window.value,
                "words": show.window_words(line.window, protocol),
                "state": show.state_of(line, today),
                "facts": facts,
                "table": show.admission_table(line, may_correct=may_correct),
                "may_add": may_correct and (line.looked_up is not None or person.holds(Abstractor)),
                "may_sign": may_write and line.is_due(today) and person.holds(Abstractor),
            }
        )
    return shown_ones


@page(roles=WRITERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def new(request: Request, number: str, code: str) -> HttpResponseBase:
    """Record an admission."""
    allocation = _person_or_404(number)
    protocol, line = _plan_or_404(), _line_or_404(allocation, code)
    form = AdmissionForm(posted(request), period=line.period, needs_reason=line.looked_up is not None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_admission(
                allocation=allocation, window=code, found=form.found(), reason=form.cleaned_data.get("reason", ""), by=request.person
            )  # fmt: skip
            return redirect("admissions_person", allocation.participant.number)
        except Refused as refusal:
            form.add_error(_field_of(refusal, form), str(refusal.message))
    context = {
        "title": _("Admission of participant %(number)s") % {"number": grouped(allocation.participant.number)},
        "over": show.window_words(code, protocol),
        "lead": _("This window is signed off: say why an admission is added now.") if line.looked_up else "",
        "crumbs": _crumbs(allocation, _("Admission")),
        "form": form,
        "submit": _("Save the admission"),
        "cancel_url": reverse("admissions_person", args=[allocation.participant.number]),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=(Abstractor,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def complete(request: Request, number: str, code: str) -> HttpResponseBase:
    """Everything of a window has been looked up."""
    allocation = _person_or_404(number)
    protocol, line = _plan_or_404(), _line_or_404(allocation, code)
    back = reverse("admissions_person", args=[allocation.participant.number])
    error = ""
    if request.method == "POST":
        try:
            actions.sign_off(allocation=allocation, window=code, by=request.person)
            return redirect(back)
        except Refused as refusal:
            error = str(refusal.message)
    words = show.window_words(code, protocol)
    title = _("Sign off the records of participant %(number)s") % {"number": grouped(allocation.participant.number)}
    context = {
        "title": title,
        "over": words,
        "lead": error,
        "crumbs": _crumbs(allocation, _("Sign off")),
        "facts": [
            (_("Window"), words), (_("From"), line.period.first), (_("To"), line.period.last),
            (_("Admissions"), len(line.admissions) or _("none")), (_("Days in hospital"), line.days),
        ],
        "consequence": _("You have looked into every file of these days, and this is all. Later changes need a reason."),
        "submit": _("Sign off as looked up, complete"),
        "cancel_url": back,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=422 if error else 200)


def _admission_or_404(key: uuid.UUID) -> Admission:
    found = Admission.objects.select_related("allocation__participant__team").filter(pk=key).first()
    if found is None:
        raise Http404
    return found


@page(roles=WRITERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def correct(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Correct an admission: a new row replaces it, and the old one stays."""
    admission = _admission_or_404(key)
    protocol, line = _plan_or_404(), _line_or_404(admission.allocation, admission.window)
    form = AdmissionForm(posted(request), period=line.period, needs_reason=True, initial=initial_of(admission))
    back = reverse("admissions_person", args=[admission.allocation.participant.number])
    if request.method == "POST" and form.is_valid():
        try:
            actions.correct_admission(
                admission=admission, found=form.found(), reason=form.cleaned_data["reason"], by=request.person
            )
            return redirect(back)
        except Refused as refusal:
            form.add_error(_field_of(refusal, form), str(refusal.message))
    number = grouped(admission.allocation.participant.number)
    context = {
        "title": _("Correct an admission of participant %(number)s") % {"number": number},
        "over": show.window_words(admission.window, protocol),
        "crumbs": _crumbs(admission.allocation, _("Correction")),
        "form": form,
        "submit": _("Save the correction"),
        "cancel_url": back,
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=WRITERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def remove(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """There was no such admission. The row stays in the history, and counts no more."""
    admission = _admission_or_404(key)
    _plan_or_404()
    form = MistakeForm(posted(request))
    back = reverse("admissions_person", args=[admission.allocation.participant.number])
    if request.method == "POST" and form.is_valid():
        try:
            actions.correct_admission(
                admission=admission, found=None, reason=form.cleaned_data["reason"], by=request.person
            )
            return redirect(back)
        except Refused as refusal:
            form.add_error(_field_of(refusal, form), str(refusal.message))
    number = grouped(admission.allocation.participant.number)
    context = {
        "title": _("Take back an admission of participant %(number)s") % {"number": number},
        "crumbs": _crumbs(admission.allocation, _("Recorded by mistake")),
        "facts": [
            (_("Admitted"), admission.admitted_on), (_("Discharged"), shown(admission.discharged_on) if admission.discharged_on else _("still in")),
            (_("Ward"), admission.get_ward_display()), (_("Source"), admission.get_source_display()),
        ],
        "consequence": _("It was recorded by mistake: there was no such admission. It stays in the history and counts no more."),
        "submit": _("Take back the admission"),
        "cancel_url": back,
        "form": form,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
