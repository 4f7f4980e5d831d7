"""The success of the blind, behind the wall: shown on the open side it would tell who guesses right."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from analysis.unblinded import blinding_presenters as show
from analysis.unblinded.assembly import guesses
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.ui.tables import csv_response
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note


@page(roles=(IndependentStatistician, UnblindedDataManager))
def blinding_page(request: Request) -> HttpResponseBase:
    """Guesses by arm, the indices of James and of Bang, and who guessed. It goes into the ledger."""
    protocol, found = current(), guesses()
    note(what="guesses by arm opened", subject="", by=request.person)
    table = show.guess_table(found, protocol)
    if request.GET.get("format") == "csv":
        return csv_response(table, "guesses-by-arm")
    indices, sentence = show.index_table(found, protocol)
    context = {
        "title": _("Success of the blind"),
        "lead": _("Do not pass this on to anybody who assesses outcomes."),
        "sentence": sentence,
        "table": table,
        "indices": indices,
        "raters": show.rater_table(found),
    }
    return render(request, "unblinded/analysis/blinding.html", context)
