"""Amending a signed form. Whoever fills in the form amends it, and sees nothing of what it holds: what is right is typed anew."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assessments.entry import actions, queries
from assessments.entry.forms import AmendForm, ItemsForm
from assessments.entry.models import Form
from assessments.entry.views.filling import FILLERS
from assessments.visits import rules
from trial.core.access import Request, page
from trial.core.access.signing import is_first_signing, note_signing
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.protocol.definition import Check, Instrument, Item, Protocol


def find_signed(request: Request, key: uuid.UUID) -> tuple[Form, Protocol, Instrument]:
    """The signed form that this person may fill in, or 404."""
    form = queries.records().select_related("protocol_version").filter(pk=key).first()
    if form is None or not form.is_signed:
        raise Http404
    protocol, instrument = queries.definition_of(form)
    if not rules.may_enter(request.person, form.participant, instrument):
        raise Http404
    return form, protocol, instrument


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def choose(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Which items are wrong."""
    signed, protocol, instrument = find_signed(request, key)
    form = ItemsForm(posted(request), instrument=instrument)
    if request.method == "POST" and form.is_valid():
        return redirect(f"{reverse('amend_form', args=[key])}?{urlencode(form.chosen())}")
    context = {
        "title": _("Amend %(form)s") % {"form": instrument.name},
        "over": over(signed, protocol),
        "lead": _("Tick what is wrong. What was answered is not shown here."),
        "crumbs": crumbs(signed, protocol, _("Amend")),
        "form": form,
        "submit": _("Go on"),
        "cancel_url": visit_of(signed),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def amend(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """What the chosen items (``?item=``, ``?day=1``) should have been; signed, beside what was signed before."""
    signed, protocol, instrument = find_signed(request, key)
    items = [item for item in instrument.items if item.code in request.GET.getlist("item")]
    day = bool(request.GET.get("day"))
    if not items and not day:
        return redirect("choose_amendment", key)
    form = form_of(request, protocol, items, day, ())
    if request.method == "POST" and form.is_valid():
        odd = odd_answers(signed, instrument, form)
        if odd and not all(f"check_{check.code}" in request.POST for check in odd):
            form = form_of(request, protocol, items, day, odd)
            form.add_error(None, _("Look again at the answers below, and confirm them."))
        else:
            form.checks = list(odd)
            try:
                actions.amend_form(form=signed, by=request.person, **form.changes())
                note_signing(request)
                messages.success(request, _("%(form)s is amended.") % {"form": instrument.name})
                return redirect(visit_of(signed))
            except Refused as refusal:
                form.refuse(refusal)
    context = {
        "title": _("Amend %(form)s") % {"form": instrument.name},
        "over": over(signed, protocol),
        "lead": _("What was signed stays readable for the data manager; this becomes the version in force."),
        "crumbs": crumbs(signed, protocol, _("Amend")),
        "form": form,
        "submit": _("Sign the amendment"),
        "cancel_url": visit_of(signed),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


def form_of(
    request: Request, protocol: Protocol, items: Sequence[Item], day: bool, checks: Sequence[Check]
) -> AmendForm:
    """The form for these items."""
    return AmendForm(
        posted(request),
        items=items,
        day=day,
        reasons=protocol.reasons.missing_item,
        checks=checks,
        first=is_first_signing(request),
    )


def odd_answers(signed: Form, instrument: Instrument, form: AmendForm) -> tuple[Check, ...]:
    """The soft checks that nobody has confirmed for the answers as they would be."""
    given = form.changes()
    numbers = queries.numbers_with(signed, instrument, given["answers"], given["missing"])
    return tuple(c for c in queries.unconfirmed(signed, instrument, numbers) if c.strength == "soft")


def over(form: Form, protocol: Protocol) -> str:
    """The line above the heading."""
    words = {"number": grouped(form.participant.number), "visit": protocol.visit(form.visit).name}
    return _("Participant %(number)s, %(visit)s") % words


def visit_of(form: Form) -> str:
    """The page of the form's visit."""
    return reverse("visit", args=[form.participant.number, form.visit])


def crumbs(form: Form, protocol: Protocol, last: str) -> list[tuple[str, str]]:
    """The way to a page about a signed form."""
    number = form.participant.number
    return [
        (grouped(number), reverse("participant_visits", args=[number])),
        (protocol.visit(form.visit).name, visit_of(form)),
        (protocol.instrument(form.instrument).name, ""),
        (last, ""),
    ]
