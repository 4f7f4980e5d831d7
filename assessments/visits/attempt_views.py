"""Recording an attempt to reach a participant for a visit."""

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assessments.visits.presenters import visit_url
from assessments.visits.views.places import crumbs_to, find_visit
from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, Interviewer
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants.contact.actions import record_attempt
from trial.participants.contact.forms import AttemptForm
from trial.participants.contact.views import find_followed


@page(roles=(Interviewer, Coordinator), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def attempt(request: Request, number: str, code: str) -> HttpResponseBase:
    """One attempt, in codes; the next step comes back in the work list."""
    participant = find_followed(request, number)
    _protocol, line = find_visit(participant, code)
    form = AttemptForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            record_attempt(participant=participant, visit=code, by=request.person, **form.cleaned_data)
            return redirect("visit", participant.number, code)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Attempt to reach the participant"),
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(participant.number), "visit": line.visit.name},
        "crumbs": crumbs_to(request, participant, line, _("Attempt")),
        "form": form,
        "submit": _("Record the attempt"),
        "cancel_url": visit_url(line),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))
