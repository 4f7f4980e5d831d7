"""Below ``/unblinded/code-break/``: the one way through the wall for the investigator, who stays of the open side."""

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, gate
from trial.core.access.roles import Investigator
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.protocol.queries import current
from trial.unblinded.disclosure.code_break import actions
from trial.unblinded.disclosure.code_break.forms import BreakForm, ReasonForm
from trial.unblinded.disclosure.models import CodeBreak


@gate(roles=(Investigator,))
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def code_break(request: Request) -> HttpResponseBase:
    """One participant, the password again, and the arm: shown in the answer, once, and nowhere else."""
    form = BreakForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            return _shown(request, actions.break_code(by=request.person, **form.cleaned_data))
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else "number", str(refusal.message))
    context = {
        "title": _("Emergency code-break"),
        "lead": _(
            "For an emergency in which the treatment must be known at once. The arm of one participant is shown to you, once. "
            "You stay blind to everybody else."
        ),
        "form": form,
        "submit": _("Break the code of this participant"),
        "cancel_url": "/",
        "reason_url": reverse("code_break_reason"),
    }
    return render(request, "unblinded/disclosure/code_break.html", context, status=status_of(form))


def _shown(request: Request, done: CodeBreak) -> HttpResponseBase:
    participant = done.allocation.participant
    arms = {arm.code: arm.name for arm in current().arms}
    context = {
        "title": _("Arm of participant %(number)s") % {"number": grouped(participant.number)},
        "facts": [
            (_("Participant"), grouped(participant.number)),
            (_("Arm"), arms.get(done.allocation.arm, done.allocation.arm)),
            (_("Shown"), done.at),
            (_("Shown to"), request.person.name),
        ],
        "reason_url": f"{reverse('code_break_reason')}?number={participant.number}",
    }
    return render(request, "unblinded/disclosure/code_broken.html", context)


@gate(roles=(Investigator,))
@require_http_methods(["GET", "POST"])
def reason(request: Request) -> HttpResponseBase:
    """Why the code was broken: at once or days later. The page that follows says that it was sent, and nothing else."""
    form = ReasonForm(posted(request), initial={"number": request.GET.get("number", "")})
    if request.method == "POST" and form.is_valid():
        try:
            actions.explain_break(by=request.person, **form.cleaned_data)
            return redirect("code_break_sent")
        except Refused as refusal:
            form.add_error("number", str(refusal.message))
    context = {
        "title": _("Reason of a code-break"),
        "crumbs": [(_("Code-break"), reverse("code_break")), (_("Reason"), "")],
        "form": form,
        "submit": _("Send the reason"),
        "cancel_url": "/",
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@gate(roles=(Investigator,))
def sent(request: Request) -> HttpResponseBase:
    """The same page after every reason; it reads nothing."""
    context = {"title": _("Sent"), "crumbs": [(_("Code-break"), reverse("code_break")), (_("Reason"), "")]}
    return render(request, "unblinded/disclosure/code_break_sent.html", context)
