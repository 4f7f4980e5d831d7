"""Pages of the data manager: all forms, one form with its answers, scores and history, completeness, codebook."""

import uuid

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from assessments.entry import presenters, queries
from assessments.entry.forms import RecordFilter
from assessments.entry.wanted import Held
from assessments.instruments.codebook import codebook
from assessments.visits.presenters import completeness_table
from trial.core.access import Request, page
from trial.core.access.roles import DataManager, Investigator, Monitor, TrialStatistician
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants.queries import lock
from trial.protocol.queries import current

READERS = (DataManager, Monitor)
PAGE_SIZE = 50


@page(roles=READERS)
def records(request: Request) -> HttpResponseBase:
    """Every form; ``?participant=``, ``?visit=``, ``?instrument=`` and ``?state=`` filter."""
    protocol = current()
    given = {name: request.GET.get(name, "").strip() for name in ("participant", "visit", "instrument", "state")}
    found = queries.records()
    if given["participant"]:
        found = found.filter(
            participant__number=given["participant"].replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
        )
    for name in ("visit", "instrument", "state"):
        if given[name]:
            found = found.filter(**{name: given[name]})
    query = urlencode({name: value for name, value in given.items() if value})
    if request.GET.get("format") == "csv":
        return csv_response(presenters.record_table(found, protocol), "forms")
    total = found.count()
    span, position = page_of(range(total), request.GET.get("page"), PAGE_SIZE, query)
    rows = found[span[0] : span[-1] + 1] if span else []
    context = {
        "title": _("Forms"),
        "lead": _("%(count)d forms") % {"count": total},
        "table": presenters.record_table(
            rows, protocol, csv_url=f"?{query}&format=csv" if query else "?format=csv", position=position
        ),
        "filter": RecordFilter(request.GET, protocol=protocol),
        "clear_url": reverse("records") if query else "",
    }
    return render(request, "assessments/records.html", context)


@page(roles=READERS)
def record(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One form: what was answered, what it scores, who changed what."""
    form = get_object_or_404(queries.records().select_related("protocol_version"), pk=key)
    protocol, instrument = queries.definition_of(form)
    answers, amendments = queries.answers_of(form), queries.amendments_of(form)
    scores = list(form.scores.all())
    may_ask = lock() is None
    in_force: dict[str, Held] = {
        **answers,
        **{one.item: one for amendment in amendments for one in amendment.answers.all()},
    }
    context = {
        "title": instrument.name,
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(form.participant.number), "visit": protocol.visit(form.visit).name},
        "crumbs": [(_("Forms"), reverse("records")), (grouped(form.participant.number), ""), (instrument.name, "")],
        "record": form,
        "facts": presenters.record_facts(form, amendments),
        "answers": presenters.answer_table(form, protocol, instrument, answers, amendments, may_ask=may_ask),
        "amendments": presenters.amendment_table(amendments) if form.is_signed else None,
        "scores": presenters.score_table(instrument, scores),
        "history": presenters.record_history(form, protocol, instrument, answers, scores, amendments),
        "odd": [check.text for check in queries.unconfirmed(form, instrument, queries.numbers(in_force))],
        "queries_url": f"{reverse('data_queries')}?participant={form.participant.number}",
        "signed_word": _("Signed"),
        "draft_word": _("Draft"),
        "may_ask": may_ask,
    }
    return render(request, "assessments/record.html", context)


@page(roles=(DataManager, Monitor, TrialStatistician, Investigator))
def completeness(request: Request) -> HttpResponseBase:
    """Visits expected, done, missed and open, by visit and site."""
    table = completeness_table(current(), csv_url="?format=csv")
    if request.GET.get("format") == "csv":
        return csv_response(table, "completeness")
    return render(request, "assessments/completeness.html", {"title": _("Completeness"), "table": table})


@page(roles=(DataManager, Monitor, TrialStatistician, Investigator))
def variables(request: Request) -> HttpResponseBase:
    """The codebook of the forms."""
    table = presenters.codebook_table(codebook(current()), csv_url="?format=csv")
    if request.GET.get("format") == "csv":
        return csv_response(table, "codebook")
    lead = _("Every variable of the forms, under the protocol in force.")
    return render(request, "assessments/completeness.html", {"title": _("Codebook"), "lead": lead, "table": table})
