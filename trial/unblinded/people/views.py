"""Participants of the own site, with name and telephone, for the treatment coordinator. Every reading is written down first."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.access.roles import TreatmentCoordinator, UnblindedDataManager
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants.models import Participant
from trial.participants.queries import lock, reach_of, teams_at
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import log_reading
from trial.unblinded.people import presenters as show
from trial.unblinded.people import queries

PAGE_SIZE = 50
MOST_NUMBERS = 8


@page(roles=(TreatmentCoordinator,))
def people(request: Request) -> HttpResponseBase:
    """Everybody of the own site who was randomized, of either arm."""
    rows, position = page_of(list(queries.randomized()), request.GET.get("page"), PAGE_SIZE)
    reach = reach_of(one.pk for one in rows)
    log_reading(participants=reach, page="people", by=request.person)
    context = {
        "title": _("Participants"),
        "lead": _(
            "Names are for telling people what was drawn and for reaching them. That you read them was written down."
        ),
        "table": show.people_table(rows, reach, teams_at(rows), position),
    }
    return render(request, "unblinded/disclosure/table.html", context)


@page(roles=(TreatmentCoordinator,))
def person(request: Request, number: str) -> HttpResponseBase:
    """One participant: name and telephone, and what the site reports of them."""
    participant = queries.randomized().filter(number=number.replace(" ", "")).first()
    if participant is None:
        raise Http404
    number = participant.number
    reach = reach_of([participant.pk])
    log_reading(participants=reach, page="person", by=request.person)
    name, phone = reach.get(participant.pk, show.NOBODY)
    context = {
        "title": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": [(_("Participants"), reverse("people")), (grouped(participant.number), "")],
        "links": [
            *(
                [(_("Arm, group and sessions"), reverse("treatment_person", args=[number]))]
                if current().sessions
                else []
            ),
            *(
                [(_("Report a serious event"), reverse("unblinded_serious_event_new", args=[number]))]
                if lock() is None
                else []
            ),
            (_("This participant has died"), reverse("unblinded_death", args=[number])),
        ],
        "facts": [
            (_("Name"), name),
            (_("Telephone"), phone),
            (_("Team"), teams_at([participant])[participant.pk].name),
            (_("Randomized"), participant.randomized_at),
        ],
        "history": show.person_history(participant),
    }
    return render(request, "unblinded/people/person.html", context)


@page(roles=(UnblindedDataManager,))
def readings(request: Request) -> HttpResponseBase:
    """Who opened whose name on this side, newest first."""
    listed = list(queries.readings())
    keys = {key for one in listed for key in one.participants}
    numbers = {str(key): number for key, number in Participant.objects.filter(pk__in=keys).values_list("pk", "number")}
    if request.GET.get("format") == "csv":
        return csv_response(show.reading_table(listed, numbers), "readings-unblinded")
    rows, position = page_of(listed, request.GET.get("page"), PAGE_SIZE)
    context = {
        "title": _("Readings of names"),
        "lead": _("Readings on the open side stand there."),
        "table": show.reading_table(rows, numbers, "?format=csv", position, most=MOST_NUMBERS),
    }
    return render(request, "unblinded/disclosure/table.html", context)
