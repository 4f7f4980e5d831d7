"""Filling in a form and signing it. Answers are saved as they are typed; everything works without script too."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from assessments.entry import actions, queries
from assessments.entry.actions import AnswersConflict
from assessments.entry.forms import AnswerForm, SignForm
from assessments.entry.models import Answer, Form
from assessments.instruments.answers import open_items
from assessments.visits import rules
from assessments.visits.presenters import visit_url, window_words
from assessments.visits.queries import VisitLine
from assessments.visits.views import crumbs_to, find_participant, find_visit, posted, status_of
from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, Interviewer
from trial.core.errors import Refused
from trial.core.history.queries import names_of
from trial.core.ui.parts import SaveState
from trial.core.ui.tables import grouped
from trial.participants.models import Participant
from trial.protocol.definition import Instrument, Protocol

FILLERS = (Interviewer, ClinicianRater, Coordinator)


@dataclass
class _Place:
    """One form of one visit, which the person may fill in; ``form`` is None before the first answer."""

    participant: Participant
    line: VisitLine
    protocol: Protocol
    instrument: Instrument
    form: Form | None

    @property
    def url(self) -> str:
        return reverse("assessment", args=self._args)

    @property
    def save_url(self) -> str:
        return reverse("assessment_save", args=self._args)

    @property
    def sign_url(self) -> str:
        return reverse("assessment_sign", args=self._args)

    @property
    def _args(self) -> list[str]:
        return [self.participant.number, self.line.visit.code, self.instrument.code]

    def answers(self) -> dict[str, Answer]:
        return queries.answers_of(self.form) if self.form else {}

    def opened(self, request: Request) -> Form:
        """The form, made now if this is the first answer."""
        if self.form is None:
            self.form = actions.open_form(
                participant=self.participant,
                visit=self.line.visit.code,
                instrument=self.instrument.code,
                by=request.person,
            )
        return self.form


def _place(request: Request, number: str, code: str, instrument_code: str) -> _Place:
    """The form, or 404 for whoever may not fill it in: its answers are nobody else's business here."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    instrument = next((one for one in protocol.instruments_at(code) if one.code == instrument_code), None)
    form = queries.find(participant.pk, code, instrument_code)
    if form is not None:
        protocol, instrument = queries.definition_of(form)
    if instrument is None or not rules.may_enter(request.person, participant, instrument):
        raise Http404
    return _Place(participant, line, protocol, instrument, form)


@page(roles=FILLERS)
@require_http_methods(["GET", "POST"])
def fill(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """The form. POST (without script, or by the button) saves what could be read and goes on to signing."""
    place = _place(request, number, code, instrument)
    if place.form is not None and place.form.is_signed:
        messages.info(request, _("%(form)s is signed and closed.") % {"form": place.instrument.name})
        return redirect("visit", number, code)
    if request.method == "GET":
        return _page(request, place, _answer_form(place))
    form = _answer_form(place, request.POST)
    try:
        valid = form.is_valid()
        _save(request, place, form)
    except AnswersConflict as conflict:
        return _page(request, place, form, conflict=conflict)
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
        return _page(request, place, form)
    if valid and "keep" not in request.POST:
        return redirect(place.sign_url)
    if not valid:
        return _page(request, place, form)  # 200: what could be read is saved
    return redirect(place.url)


@page(roles=FILLERS)
@require_POST
def save(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """Take the answers a moment after each change; answer with the state of saving in words."""
    place = _place(request, number, code, instrument)
    form = _answer_form(place, request.POST)
    try:
        form.is_valid()
        saved = _save(request, place, form)
    except AnswersConflict as conflict:
        context = {"saved": SaveState("conflict", text=str(conflict.message)), **_conflict_context(place, conflict)}
        return render(request, "assessments/saved.html", context, status=409)
    except Refused as refusal:
        return render(request, "assessments/saved.html", {"saved": SaveState("unsaved", text=str(refusal.message))})
    wrong = [str(form.fields[name].label) for name in form.errors if name in form.fields]
    state = SaveState("saved", saved.saved_at)
    if wrong:
        text = ngettext(
            "Saved, except %(n)d answer that cannot be right: %(items)s.",
            "Saved, except %(n)d answers that cannot be right: %(items)s.",
            len(wrong),
        ) % {"n": len(wrong), "items": ", ".join(wrong)}
        state = SaveState("unsaved", text=text)
    return render(request, "assessments/saved.html", {"saved": state, "revision": saved.revision})


def _answer_form(place: _Place, data: Any = None) -> AnswerForm:
    return AnswerForm(
        data,
        instrument=place.instrument,
        answers=place.answers(),
        revision=place.form.revision if place.form else 0,
        reasons=place.protocol.reasons.missing_item,
    )


def _save(request: Request, place: _Place, form: AnswerForm) -> Form:
    saved: Form = actions.save_answers(
        form=place.opened(request), answers=form.answers(), revision=form.seen_revision, by=request.person
    )
    place.form = saved
    return saved


def _page(
    request: Request, place: _Place, form: AnswerForm, conflict: AnswersConflict | None = None
) -> HttpResponseBase:
    saved_at = place.form.saved_at if place.form else None
    if conflict is not None:
        state = SaveState("conflict", text=str(conflict.message))
    elif form.errors:
        state = SaveState("unsaved", text=_("Not all answers could be saved: see below."))
    else:
        state = (
            SaveState("saved", saved_at)
            if saved_at
            else SaveState("saved", text=_("Answers are saved as you give them."))
        )
    context = {
        "title": place.instrument.name,
        "over": _over(place),
        "lead": _window(place.line),
        "crumbs": crumbs_to(request, place.participant, place.line, place.instrument.name),
        "form": form,
        "revision": form.seen_revision if conflict is not None else place.form.revision if place.form else 0,
        "instrument": place.instrument,
        "saved": state,
        "save_url": place.save_url,
        "cancel_url": visit_url(place.line),
        "own_notice": place.instrument.notice,
    }
    if conflict is not None:
        context |= _conflict_context(place, conflict)
    return render(request, "assessments/form_entry.html", context, status=409 if conflict else 200)


def _conflict_context(place: _Place, conflict: AnswersConflict) -> dict[str, Any]:
    names = names_of([conflict.saved_by])
    rows = [(place.instrument.item(one.item).topic, one.stored or "–", one.given or "–") for one in conflict.clashes]
    return {
        "clashes": rows,
        "keep": conflict.revision,
        "saved_by": names.get(conflict.saved_by, conflict.saved_by),
        "saved_at": conflict.saved_at,
        "reload_url": place.url,
    }


def _over(place: _Place) -> str:
    return _("Participant %(number)s, %(visit)s") % {
        "number": grouped(place.participant.number),
        "visit": place.line.visit.name,
    }


def _window(line: VisitLine) -> str:
    words = window_words(line.window)
    return _("Window: %(window)s") % {"window": words} if words else ""


@page(roles=FILLERS)
@require_http_methods(["GET", "POST"])
def sign(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """Check and sign: a page of its own, since it can't be undone."""
    place = _place(request, number, code, instrument)
    if place.form is None:
        return redirect(place.url)
    if place.form.is_signed:
        return redirect("visit", number, code)
    answers = place.answers()
    left = open_items(place.instrument, {key for key, one in answers.items() if one.value})
    reasoned = {key: one.missing for key, one in answers.items() if one.missing}
    form = SignForm(
        posted(request),
        open_items=left,
        reasons=place.protocol.reasons.missing_item,
        revision=place.form.revision,
        day=_day(place),
        window=_window(place.line),
        given=reasoned,
    )
    if request.method == "POST" and form.is_valid():
        try:
            _sign(request, place, form)
            return _after_signing(request, place)
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    answered = sum(bool(one.value) for one in answers.values())
    context = {
        "title": _("Sign %(form)s") % {"form": place.instrument.name},
        "over": _over(place),
        "crumbs": crumbs_to(request, place.participant, place.line, place.instrument.name, _("Sign")),
        "facts": [
            (_("Participant"), grouped(place.participant.number)),
            (_("Visit"), place.line.visit.name),
            (_("Form"), place.instrument.name),
            (_("Answered"), _("%(n)d of %(all)d items") % {"n": answered, "all": len(place.instrument.items)}),
        ],
        "consequence": _("A signed form is closed: neither you nor anybody else can change or re-open it here."),
        "form": form,
        "submit": _("Sign %(form)s") % {"form": place.instrument.name},
        "cancel_url": place.url,
        "cancel": _("Back to the answers"),
    }
    return render(request, "confirm.html", context, status=status_of(form))


def _day(place: _Place) -> dt.date:
    """The day that is proposed: of another form of this visit, else today."""
    held = [
        one.held_on for one in queries.forms_of(place.participant.pk, place.line.visit.code).values() if one.held_on
    ]
    return max(held, default=clock.today())


def _sign(request: Request, place: _Place, form: SignForm) -> None:
    opened = place.opened(request)
    revision = int(form.cleaned_data["revision"])
    missing = form.missing()
    if missing:
        opened = actions.save_answers(form=opened, answers={}, missing=missing, revision=revision, by=request.person)
        revision = opened.revision
    place.form = actions.sign_form(
        form=opened,
        revision=revision,
        held_on=form.cleaned_data["held_on"],
        password=form.cleaned_data["password"],
        by=request.person,
    )


def _after_signing(request: Request, place: _Place) -> HttpResponseBase:
    """The next form of this person at this visit; after the last one of a follow-up, the question about the arm."""
    number, code = place.participant.number, place.line.visit.code
    protocol, line = find_visit(place.participant, code)
    forms = queries.forms_of(place.participant.pk, code)
    messages.success(request, _("%(form)s is signed.") % {"form": place.instrument.name})
    mine = [one for one in protocol.instruments_at(code) if rules.may_enter(request.person, place.participant, one)]
    left = queries.unsigned(mine, forms)
    if left:
        return redirect("assessment", number, code, left[0].code)
    interview_over = not queries.unsigned(queries.interview_instruments(protocol, code), forms)
    if interview_over and line.is_open and not line.visit.is_baseline and request.person.holds(Interviewer):
        return redirect("visit_done", number, code)
    return redirect("visit", number, code)
