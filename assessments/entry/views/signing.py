"""Signing: all complete forms of a visit in one step, with one proof of who signs."""

import datetime as dt

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from assessments.entry import actions, queries
from assessments.entry.forms import VisitSignForm
from assessments.entry.models import Form
from assessments.entry.views.filling import FILLERS
from assessments.visits import rules
from assessments.visits.presenters import visit_url, window_words
from assessments.visits.queries import VisitLine
from assessments.visits.views.places import crumbs_to, find_participant, find_visit
from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import Interviewer
from trial.core.access.signing import is_first_signing, note_signing
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants.models import Participant
from trial.protocol.definition import Instrument, Protocol


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def sign(request: Request, number: str, code: str) -> HttpResponseBase:
    """Sign every complete form of the visit that this person may fill in: a page of its own, since it can't be undone."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    forms = queries.forms_of(participant.pk, code)
    mine = [one for one in protocol.instruments_at(code) if rules.may_enter(request.person, participant, one)]
    left = queries.readiness(forms.values())
    ready = [one for one in mine if one.code in left and left[one.code].is_complete]
    if not ready:
        return redirect("visit", number, code)
    first = is_first_signing(request)
    form = VisitSignForm(
        posted(request),
        revisions={one.code: forms[one.code].revision for one in ready},
        day=_day(participant, code),
        window=_window(line),
        first=first,
    )
    if request.method == "POST" and form.is_valid():
        try:
            done = actions.sign_visit(
                participant=participant,
                visit=code,
                revisions=form.revisions(),
                held_on=form.cleaned_data["held_on"],
                by=request.person,
                **form.typed(),
            )
            note_signing(request)
            return _after(request, participant, line, len(done))
        except Refused as refusal:
            form.refuse(refusal)
    return _page(request, participant, line, form, ready, mine, forms, protocol)


def _page(
    request: Request,
    participant: Participant,
    line: VisitLine,
    form: VisitSignForm,
    ready: list[Instrument],
    mine: list[Instrument],
    forms: dict[str, Form],
    protocol: Protocol,
) -> HttpResponseBase:
    waiting = [one.name for one in queries.unsigned(mine, forms) if one not in ready]
    facts = [
        (_("Participant"), grouped(participant.number)),
        (_("Visit"), line.visit.name),
        (_("Complete, to be signed"), ", ".join(one.name for one in ready)),
    ]
    if waiting:
        facts.append((_("Not complete, left for later"), ", ".join(waiting)))
    title = ngettext("Sign %(n)d form", "Sign %(n)d forms", len(ready)) % {"n": len(ready)}
    context = {
        "title": title,
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(participant.number), "visit": line.visit.name},
        "crumbs": crumbs_to(request, participant, line, _("Sign")),
        "facts": facts,
        "consequence": _("A signed form is closed. What turns out to be wrong is amended beside it, with a reason."),
        "form": form,
        "submit": title,
        "cancel_url": visit_url(line),
        "cancel": _("Back to the visit"),
    }
    return render(request, "confirm.html", context, status=status_of(form))


def _day(participant: Participant, code: str) -> dt.date:
    """The day that is proposed: of another form of this visit, else today."""
    return max(queries.days_in_force(participant.pk, code), default=clock.today())


def _window(line: VisitLine) -> str:
    words = window_words(line.window)
    return _("Window: %(window)s") % {"window": words} if words else ""


def _after(request: Request, participant: Participant, line: VisitLine, signed: int) -> HttpResponseBase:
    """Back to the visit; after the last form of a follow-up interview, the question about the arm."""
    number, code = participant.number, line.visit.code
    protocol = find_visit(participant, code)[0]
    forms = queries.forms_of(participant.pk, code)
    messages.success(request, ngettext("%(n)d form is signed.", "%(n)d forms are signed.", signed) % {"n": signed})
    interview_over = not queries.unsigned(queries.interview_instruments(protocol, code), forms)
    if interview_over and line.is_open and not line.visit.is_baseline and request.person.holds(Interviewer):
        return redirect("visit_done", number, code)
    return redirect("visit", number, code)
