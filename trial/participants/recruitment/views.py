"""How recruitment goes, pooled."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.ui.tables import csv_response
from trial.participants.recruitment import presenters as show
from trial.protocol.queries import current


@page(roles=show.OVERSEERS)
def recruitment(request: Request) -> HttpResponseBase:
    """Randomized against the target, sites, and why people do not take part; ``?format=sites`` and ``?format=reasons`` as CSV."""
    protocol = current()
    wanted = request.GET.get("format")
    if wanted == "sites":
        return csv_response(show.site_table(protocol), "recruitment-by-site")
    if wanted == "reasons":
        return csv_response(show.funnel_table(protocol), "screening-by-reason")
    context = {
        "title": _("Recruitment"),
        "lead": _("All arms together.") if show.sees_every_site(request.person) else _("Your site, all arms together."),
        "figure": show.recruitment_chart(request.person, protocol),
        "sites": show.site_table(protocol, csv_url="?format=sites"),
        "funnel": show.funnel_table(protocol, csv_url="?format=reasons"),
    }
    return render(request, "trial/recruitment.html", context)
