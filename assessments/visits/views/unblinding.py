"""Whether the arm became known: asked after each follow-up interview, and told whenever it happens. Both leave through the drop box."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assessments.visits import actions
from assessments.visits import presenters as show
from assessments.visits.forms import ReportForm, VisitDoneForm
from assessments.visits.schedule import last_visit
from assessments.visits.views.places import crumbs_to, find_participant, find_visit, participant_step
from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, Interviewer
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants.actions import drop_guess, report_unblinding
from trial.protocol.queries import current


@page(roles=(Interviewer, Coordinator), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def done(request: Request, number: str, code: str) -> HttpResponseBase:
    """The visit took place. Was the arm told? The answer leaves through the drop box; the reply is the same for yes and no."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    arms = [(arm.code, arm.name) for arm in protocol.arms]
    form = VisitDoneForm(posted(request), arms=arms)
    asks_guess = code == last_visit(protocol) and request.person.holds(Interviewer, site=participant.site_id)
    if asks_guess:
        form.ask_for_guess(arms)
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_visit(participant=participant, visit=code, by=request.person)
            if form.cleaned_data["known"]:
                report_unblinding(participant_id=participant.pk, visit=code, by=request.person, **form.report())
            if asks_guess:
                drop_guess(participant_id=participant.pk, visit=code, by=request.person, **form.guessed())
            messages.success(request, _("%(visit)s is done.") % {"visit": line.visit.name})
            return redirect("visit", participant.number, code)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("After the interview"),
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(participant.number), "visit": line.visit.name},
        "crumbs": crumbs_to(request, participant, line, _("After the interview")),
        "form": form,
        "submit": _("Close the visit"),
        "cancel_url": show.visit_url(line),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=(Interviewer, Coordinator))
@require_http_methods(["GET", "POST"])
def report(request: Request, number: str, code: str = "") -> HttpResponseBase:
    """ "I was told the arm": write-only, of a visit or outside any. The page that follows says that it was sent, and nothing else."""
    participant = find_participant(request, number)
    line = find_visit(participant, code)[1] if code else None
    protocol = current()
    form = ReportForm(posted(request), arms=[(arm.code, arm.name) for arm in protocol.arms])
    back = show.visit_url(line) if line else participant_step(participant)[1]
    if request.method == "POST" and form.is_valid():
        try:
            report_unblinding(participant_id=participant.pk, visit=code, by=request.person, **form.report())
            return redirect("report_sent", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("I was told the arm"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "lead": _("Tell nobody on this side of the trial. What you write here goes to unblinded staff only."),
        "crumbs": crumbs_to(request, participant, line, _("Report"))
        if line
        else [*crumbs_to(request, participant)[:-1], participant_step(participant), (_("Report"), "")],
        "form": form,
        "submit": _("Send the report"),
        "cancel_url": back,
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=(Interviewer, Coordinator))
def report_sent(request: Request, number: str) -> HttpResponseBase:
    """The same page after every report; it reads nothing."""
    participant = find_participant(request, number)
    context = {
        "title": _("Sent"),
        "crumbs": [*crumbs_to(request, participant)[:-1], participant_step(participant), (_("Report"), "")],
        "back_url": participant_step(participant)[1],
    }
    return render(request, "assessments/sent.html", context)
