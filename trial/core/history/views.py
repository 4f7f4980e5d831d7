"""The page of a side's history, and that of its seal."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import side
from trial.core.access import Request, page
from trial.core.access.presenters import site_names
from trial.core.access.roles import (
    DataManager,
    IndependentStatistician,
    Investigator,
    Monitor,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.history import presenters as show
from trial.core.history import search, sides
from trial.core.history.forms import HistoryFilter
from trial.core.history.queries import names_of
from trial.core.ui.addresses import here
from trial.core.ui.tables import csv_response, page_of

READERS = (DataManager, Monitor, UnblindedDataManager, UnblindedMonitor)
PAGE_SIZE = 50
MOST = 20_000
"""So many lines, the newest, go into one file."""
FILTERS = ("table_name", "actor", "action", "since", "until", "site", "participant")


@page(roles=READERS)
def history(request: Request) -> HttpResponseBase:
    """Every change of this side that one may see, newest first; filters by record, person, step, time, site and participant."""
    given = {name: request.GET.get(name, "").strip() for name in FILTERS}
    query = urlencode({name: value for name, value in given.items() if value})
    found = search.Lines(search.lines_matching(given))
    if side.current() == side.UNBLINDED:
        import_string(settings.LEDGER)(what="history opened", subject=given["participant"], by=request.person)
    words = import_string(settings.HISTORY_WORDS)()
    is_file = request.GET.get("format") == "csv"
    rows, position = (found[:MOST], None) if is_file else page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    redacts = request.person.holds(sides.here().asks)
    if is_file:
        return csv_response(show.history_table(rows, words), "history")
    csv_url = f"?{query}&format=csv" if query else "?format=csv"
    table = show.history_table(rows, words, redacts=redacts, csv_url=csv_url, position=position)
    context: dict[str, Any] = {
        "title": _("History"),
        "lead": _("%(count)d changes. Each line was written by the database itself, and is sealed.")
        % {"count": len(found)},
        "table": table,
        "filter": _filter(request, words),
        "clear_url": here("history") if query else "",
        "seal_url": here("history_seal"),
        "redactions_url": here("redactions"),
    }
    return render(request, "trial/history.html", context)


def _filter(request: Request, words: dict[str, Any]) -> HistoryFilter:
    offered = search.choices(search.source())
    people = names_of(offered["actor"])
    steps = [(name, show.step_words(name, words)) for name in offered["action"]]
    return HistoryFilter(
        request.GET,
        tables=[(name, show.table_words(name)) for name in offered["table_name"]],
        people=sorted(((key, people.get(key, key)) for key in offered["actor"]), key=lambda pair: pair[1]),
        actions=sorted(steps, key=lambda pair: pair[1]),
        months=offered["month"],
        sites=site_names().items(),
    )


@page(roles=(*READERS, Investigator, IndependentStatistician))
def seal(request: Request) -> HttpResponseBase:
    """The head of this side's history, to be printed and kept outside, and the seals before it."""
    found = list(search.seals()[:PAGE_SIZE])
    context = {
        "title": _("Seal of the history"),
        "lead": _(
            "The head fixes every change up to it. Print it and keep the paper: whoever has it finds any later change of the history."
        ),
        "head": show.head_facts(found[0]) if found else [],
        "table": show.seal_table(found),
    }
    return render(request, "trial/history_seal.html", context)
