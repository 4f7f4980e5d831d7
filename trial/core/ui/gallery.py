"""All components on one page, with made-up contents: what axe checks, and where a page author looks first.

Served in demo worlds and tests only; it reads no table. ``?side=unblinded`` shows the colors of the other side, ``?errors=1`` a form with errors.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import public
from trial.core.ui import examples
from trial.core.ui.parts import Change, Progress, SaveState

View = Callable[..., HttpResponse]
ERRORS = (400, 403, 404, 500, 503)


def _demo_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        if not (settings.DEMO or settings.SCRATCH):
            raise Http404
        return view(request, **given)

    return guarded


@public()
@_demo_only
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component, with contents of its usual length."""
    wrong = {
        "seen_day": "31",
        "seen_month": "11",
        "seen_year": "2026",
        "minutes": "half an hour",
        "number": "0147 2231",
    }
    with_errors = bool(request.GET.get("errors"))
    drawn = examples.charts()
    change = Change(examples.NOW, "M. Bakker", _("Score of item 12"), 3, 4, _("Misread on paper"))
    context = {
        **examples.people(request),
        "title": _("Components"),
        "lead": _("What pages are made of. The contents are made up."),
        "crumbs": [(_("Work"), reverse("gallery")), (_("Participant 0147 2231"), "#p"), (_("Components"), "")],
        "form": examples.SampleForm(wrong if with_errors else None),
        "scale": examples.SampleScale(
            {"item_1": "3", "item_2": "4"} if with_errors else None, initial={"item_1": 3, "item_3": 5}
        ),
        "filter": examples.SampleFilter(prefix="filter"),
        "work": examples.work_lists(),
        "tables": examples.tables(),
        "figures": drawn[1:],
        "result": examples.result(drawn),
        "jobs": examples.jobs(),
        "changes": [change, Change(examples.NOW, _("site staff"), _("Team"), "Noord 1", "Noord 2")],
        "pairs": [
            (_("Registered"), examples.TODAY),
            (_("Team"), "Noord 1"),
            (_("Sessions"), None),
            (_("Consent"), _("Interviews, records")),
        ],
        "states": [
            "due",
            "overdue",
            "waiting",
            "blocked",
            "upcoming",
            "done",
            "open",
            "missed",
            "failed",
            "running",
            "info",
        ],
        "saves": [SaveState("saved", examples.NOW), SaveState("waiting"), SaveState("conflict"), SaveState("unsaved")],
    }
    return render(request, "gallery.html", context)


@public()
@_demo_only
def confirm(request: HttpRequest) -> HttpResponse:
    """A step that cannot be undone."""
    context = {
        **examples.people(request),
        "title": _("Randomize participant 0147 2231"),
        "crumbs": [(_("Participants"), "#"), ("0147 2231", "#p"), (_("Randomize"), "")],
        "facts": [
            (_("Participant"), "0147 2231"),
            (_("Team"), "Noord 1"),
            (_("Consent"), _("Version 3, 12 Nov 2026")),
            (_("Baseline"), _("Signed 20 Nov 2026")),
        ],
        "consequence": _("This cannot be undone, and the team cannot be changed afterwards."),
        "submit": _("Randomize participant 0147 2231"),
        "cancel_url": reverse("gallery"),
    }
    return render(request, "confirm.html", context)


@public()
@_demo_only
def progress(request: HttpRequest) -> HttpResponse:
    """The answer to a page that asks how far the work is."""
    done = Progress("done", 1000, 1000, _("Fits the mixed model"), result_url=reverse("gallery"))
    return render(request, "components/progress.html", {"job": done})


@public()
@_demo_only
def saved(request: HttpRequest) -> HttpResponse:
    """The answer to a form that saves by itself."""
    return render(request, "components/save_state.html", {"saved": SaveState("saved", examples.NOW)})


@public()
@_demo_only
def error(request: HttpRequest, status: int) -> HttpResponse:
    """An error page, with status 200 so that it can be looked at."""
    if status not in ERRORS:
        raise Http404
    return render(request, f"{status}.html")
