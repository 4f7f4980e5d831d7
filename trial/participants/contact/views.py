"""The contact vault: who a participant is, for those who follow them. Every reading is written down before the page is shown."""

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, DataManager, Interviewer, Investigator, Monitor
from trial.core.errors import Refused
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants import queries, rules
from trial.participants.contact import actions
from trial.participants.contact import presenters as show
from trial.participants.contact.forms import ContactForm
from trial.participants.models import Contact, Participant
from trial.participants.presenters import crumbs_to

FOLLOWERS = (Coordinator, Interviewer)
PAGE_SIZE = 50


def find_followed(request: Request, number: str) -> Participant:
    """The participant with this number, or 404 for whoever does not follow them."""
    participant = queries.participant_numbered(number)
    if participant is None or not rules.may_follow(request.person, participant):
        raise Http404
    return participant


def _open(request: Request, participant: Participant, where: str) -> Contact | None:
    """The contact data that count, with the reading written down; nobody's who has died."""
    if queries.died([participant.pk]):
        return None
    found = queries.contact_of(participant.pk)
    if found is not None:
        actions.log_reading(participants=[(participant.pk, participant.site_id)], page=where, by=request.person)
    return found


@page(roles=FOLLOWERS)
def contact(request: Request, number: str) -> HttpResponseBase:
    """Contact data of one participant."""
    participant = find_followed(request, number)
    has_died = bool(queries.died([participant.pk]))
    found = _open(request, participant, "contact")
    context = {
        "title": _("Contact data"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "lead": _("Only for reaching this person. That you opened this page has been written down.") if found else "",
        "crumbs": crumbs_to(request.person, participant, _("Contact data")),
        "participant": participant,
        "has_died": has_died,
        "contact": found,
        "facts": show.contact_facts(found) if found else [],
        "version": show.version_words(found) if found else "",
        "history": show.contact_history(participant) if found else None,
    }
    return render(request, "trial/contact.html", context)


@page(roles=FOLLOWERS)
@require_http_methods(["GET", "POST"])
def contact_edit(request: Request, number: str) -> HttpResponseBase:
    """Change contact data: a new version, the old ones stay in the vault."""
    participant = find_followed(request, number)
    if queries.died([participant.pk]):
        return redirect("contact", participant.number)
    before = None if request.method == "POST" else _open(request, participant, "contact_edit")
    form = ContactForm(request.POST if request.method == "POST" else None, contact=before)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_contact(
                participant=participant, details=form.details(), seen=form.cleaned_data["seen"], by=request.person
            )
            return redirect("contact", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context: dict[str, Any] = {
        "title": _("Contact data"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": crumbs_to(request.person, participant, _("Contact data")),
        "form": form,
        "submit": _("Save contact data"),
        "cancel_url": reverse("contact", args=[participant.number]),
    }
    return render(request, "trial/form.html", context, status=422 if form.is_bound and form.errors else 200)


@page(roles=(DataManager, Monitor, Investigator))
def readings(request: Request) -> HttpResponseBase:
    """Who opened whose contact data, newest first; ``?participant=`` filters by number."""
    wanted = "".join(request.GET.get("participant", "").split())
    found = queries.readings()
    if wanted:
        found = found.filter(participant__number=wanted)
    listed, query = list(found), f"participant={wanted}" if wanted else ""
    glue = f"?{query}&" if query else "?"
    if request.GET.get("format") == "csv":
        return csv_response(show.reading_table(listed), "readings")
    rows, position = page_of(listed, request.GET.get("page"), PAGE_SIZE, query)
    context = {
        "title": _("Readings of contact data"),
        "lead": _("%(count)d readings. No name, address or number of the care system stands here.")
        % {"count": len(listed)},
        "table": show.reading_table(rows, csv_url=f"{glue}format=csv", position=position),
    }
    return render(request, "trial/participant_list.html", context)
