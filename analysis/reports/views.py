"""Released results, for everybody who works in the trial."""

import uuid

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from analysis.reports.presenters import detail, record_facts
from analysis.reports.rendering import model_result
from trial.core.access import Request, page
from trial.core.access.roles import EVERYBODY_AT_WORK
from trial.core.ui.tables import shown
from trial.participants.queries import releases


@page(roles=EVERYBODY_AT_WORK)
def release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One released result, as it was released."""
    row = get_object_or_404(releases(), pk=key)
    frozen, stored = row.payload["spec"], row.payload["result"]
    source = _("Released %(at)s.") % {"at": shown(row.released_at)}
    context = {
        "title": row.title,
        "result": model_result(frozen, stored, source=source),
        "parts": detail(frozen, stored),
        "record": record_facts(row.payload),
    }
    return render(request, "analysis/result.html", context)
