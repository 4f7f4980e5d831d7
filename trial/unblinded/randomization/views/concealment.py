"""The concealment monitor: would it show if somebody had known the coming arm? For the independent statistician."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician
from trial.core.history.queries import names_of
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization import concealment, presenters
from trial.unblinded.randomization.actions.sealing import FACTORS
from trial.unblinded.randomization.queries import monitored, unfinished_requests


@page(roles=(IndependentStatistician,))
def monitor(request: Request) -> HttpResponseBase:
    """Waits, requests without an allocation, runs, and imbalance by recruiter. That it was opened goes into the ledger."""
    protocol = current()
    people, unfinished = monitored(), unfinished_requests()
    note(what="concealment monitor opened", subject="", by=request.person)
    arm = protocol.experimental_arm
    names = names_of({*(one.recruiter for one in people), *(one.recruiter for one in unfinished)})
    overall = concealment.runs_test([one.arm == arm.code for one in people])
    context = {
        "title": _("Concealment"),
        "crumbs": [(_("Allocations"), reverse("allocations")), (_("Concealment"), "")],
        "lead": _("None of these numbers proves that somebody knew a coming arm; each is a reason to look."),
        "waits": presenters.waits_table(concealment.waits(people), names, protocol),
        "unfinished": presenters.unfinished_table(unfinished, names),
        "runs": presenters.runs_table(overall, concealment.runs_by_stratum(people, arm.code), protocol),
        "imbalance": presenters.imbalance_table(concealment.imbalances(people, arm.code, FACTORS), names, protocol),
    }
    return render(request, "unblinded/randomization/concealment.html", context)
