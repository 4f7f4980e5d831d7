"""The first page of everybody: the work that waits, then the trial's state."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from trial.core import side
from trial.core.access import Person, page
from trial.core.access.roles import EVERYBODY
from trial.core.ui import forms, live
from trial.core.ui.tables import STATE_WORDS, Column, Link, Page, State, Table, csv_response, page_of
from trial.core.ui.work import URGENCY, WorkItem, WorkList, live_panels_for, panels_for, work_for

PAGE_SIZE = 50


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """In place of Django's page about CSRF: the form was too old, and nothing has been changed."""
    return render(request, "errors/403_csrf.html", status=403)


@page(roles=EVERYBODY)
def home(request: HttpRequest) -> HttpResponse:
    """The person's work lists, then the panels; the live ones last. Mounted at ``/`` and at ``/unblinded/``."""
    person: Person = request.person  # type: ignore[attr-defined]
    followed = {"live_panels": live_panels_for(person)}
    if live.asks(request, "panels"):
        return live.answer(request, "panels", "home_live.html", followed)
    lists = work_for(person)
    context = {
        "title": _("Your work"),
        "lead": _pressing(sum(work.overdue for work in lists), sum(work.pressing for work in lists)),
        "work": lists,
        "all_url": reverse(f"{_home()}_work"),
        "idle": [work for work in lists if not work.items],
        "panels": panels_for(person),
    }
    return render(request, "home.html", context | followed)


def _pressing(overdue: int, pressing: int) -> str:
    """How much is overdue, and how much more is due."""
    due = pressing - overdue
    words = [_("%(count)d overdue") % {"count": overdue}] if overdue else []
    words += [_("%(count)d due") % {"count": due}] if due else []
    return ", ".join(words)


class WorkFilter(forms.Form):
    """What of the work is shown."""

    def __init__(self, *args: Any, lists: list[WorkList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(one.code, one.title) for one in lists]
        states = [(state, STATE_WORDS[state]) for state in URGENCY]
        self.fields["list"] = forms.SelectField(_("List"), choices=named, blank=_("All"), required=False)
        self.fields["state"] = forms.SelectField(_("State"), choices=states, blank=_("All"), required=False)


@page(roles=EVERYBODY)
def all_work(request: HttpRequest) -> HttpResponse:
    """Every item of the person's work lists, what presses first; ``?list=`` and ``?state=`` filter."""
    person: Person = request.person  # type: ignore[attr-defined]
    lists = work_for(person)
    given = {name: request.GET.get(name, "") for name in ("list", "state")}
    listed = [(one, item) for one in lists if given["list"] in ("", one.code) for item in one.items]
    found = [(one, item) for one, item in listed if given["state"] in ("", item.state)]
    found.sort(key=lambda pair: pair[1].urgency)
    if request.GET.get("format") == "csv":
        return csv_response(_work_table(found), "work")
    query = urlencode({name: value for name, value in given.items() if value})
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    home = reverse(_home())
    context = {
        "title": _("All your work"),
        "lead": _pressing(sum(i.state == "overdue" for _one, i in found), sum(i.state in ("overdue", "due") for _one, i in found)),
        "crumbs": [(_("Work"), home), (_("All"), "")],
        "filter": WorkFilter(request.GET, lists=lists),
        "clear_url": reverse(f"{_home()}_work") if query else "",
        "table": _work_table(rows, f"?{query}&format=csv" if query else "?format=csv", position),
    }  # fmt: skip
    return render(request, "work.html", context)


def _home() -> str:
    return "unblinded_home" if side.current() == side.UNBLINDED else "home"


def _work_table(found: Iterable[tuple[WorkList, WorkItem]], csv_url: str = "", position: Page | None = None) -> Table:
    columns = [Column(_("What")), Column(_("List")), Column(_("State")), Column(_("Day")), Column(_("More"))]
    rows = [
        [Link(item.title, item.url), str(one.title), State(item.state), item.on, str(item.detail)]
        for one, item in found
    ]
    empty = _("Nothing waits for you. Work appears here when it is due.")
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position)
