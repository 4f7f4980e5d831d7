"""Clinician-raters who may train a group, for the data manager of this side."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.access.roles import UnblindedDataManager
from trial.protocol.queries import current
from trial.unblinded.sessions.presenters.tables import rater_table
from trial.unblinded.sessions.raters import pairs


@page(roles=(UnblindedDataManager,))
def raters(request: Request) -> HttpResponseBase:
    """Pairs of accounts that may be one person who rates and trains."""
    context = {
        "title": _("Raters who may train a group"),
        "lead": _(
            "Ask the administrators whether both accounts are one person. If they are, the rater's role is ended, without a reason: "
            "the open side may not learn who trains."
        ),
        "table": rater_table(pairs(), {site.code: site.name for site in current().sites}),
    }
    return render(request, "unblinded/disclosure/table.html", context)
