"""The first page of everybody: the work that waits, then the trial's state."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from trial.core.access import Person, page
from trial.core.access.roles import EVERYBODY
from trial.core.ui.work import panels_for, work_for


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """In place of Django's page about CSRF: the form was too old, and nothing has been changed."""
    return render(request, "errors/403_csrf.html", status=403)


@page(roles=EVERYBODY)
def home(request: HttpRequest) -> HttpResponse:
    """The person's work lists, then the panels. Mounted at ``/`` and at ``/unblinded/``."""
    person: Person = request.person  # type: ignore[attr-defined]
    lists = work_for(person)
    context = {
        "title": _("Your work"),
        "lead": _pressing(sum(work.overdue for work in lists), sum(work.pressing for work in lists)),
        "work": lists,
        "idle": [work for work in lists if not work.items],
        "panels": panels_for(person),
    }
    return render(request, "home.html", context)


def _pressing(overdue: int, pressing: int) -> str:
    """How much is overdue, and how much more is due."""
    due = pressing - overdue
    words = [_("%(count)d overdue") % {"count": overdue}] if overdue else []
    words += [_("%(count)d due") % {"count": due}] if due else []
    return ", ".join(words)
