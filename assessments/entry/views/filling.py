"""Filling in a form. Answers are saved as they are typed; everything works without script too. Signing is a step of the visit."""

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
from assessments.entry.forms import AnswerForm, CheckForm, NotAskedForm
from assessments.entry.models import Answer, Form
from assessments.entry.queries import Readiness
from assessments.visits import rules
from assessments.visits.presenters import visit_url, window_words
from assessments.visits.queries import VisitLine
from assessments.visits.views.places import crumbs_to, find_participant, find_visit
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, Interviewer
from trial.core.errors import Refused
from trial.core.history.queries import names_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.parts import SaveState
from trial.core.ui.tables import grouped
from trial.participants.models import Participant
from trial.protocol.definition import Instrument, Protocol

FILLERS = (Interviewer, ClinicianRater, Coordinator)


@dataclass
class Place:
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
    def check_url(self) -> str:
        return reverse("assessment_check", args=self._args)

    @property
    def not_asked_url(self) -> str:
        return reverse("assessment_not_asked", args=self._args)

    @property
    def _args(self) -> list[str]:
        return [self.participant.number, self.line.visit.code, self.instrument.code]

    def answers(self) -> dict[str, Answer]:
        return queries.answers_of(self.form) if self.form else {}

    def left(self) -> Readiness:
        """What stands between the form and its signature."""
        if self.form is None:
            return Readiness(tuple(item for item in self.instrument.items if not item.optional), ())
        # read anew: the answers may have changed in this request
        fresh = queries.find(self.participant.pk, self.line.visit.code, self.instrument.code)
        return queries.readiness([fresh or self.form])[self.instrument.code]

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


def find_place(request: Request, number: str, code: str, instrument_code: str) -> Place:
    """The form, or 404 for whoever may not fill it in: its answers are nobody else's business here."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    instrument = next((one for one in protocol.instruments_at(code) if one.code == instrument_code), None)
    form = queries.find(participant.pk, code, instrument_code)
    if form is not None:
        protocol, instrument = queries.definition_of(form)
    if instrument is None or not rules.may_enter(request.person, participant, instrument):
        raise Http404
    return Place(participant, line, protocol, instrument, form)


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def fill(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """The form. POST (without script, or by the buttons) saves what could be read. It goes on to what is open, else to the next form; or
    leaves the rest for later."""
    place = find_place(request, number, code, instrument)
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
    if not valid:
        return _page(request, place, form)  # 200: what could be read is saved
    if "keep" in request.POST:
        return redirect(place.url)
    if "later" in request.POST:
        messages.success(request, _("%(form)s is saved, to be gone on with.") % {"form": place.instrument.name})
        return redirect(visit_url(place.line))
    left = place.left()
    for check in left.checks:
        if check.strength == "hard":
            form.add_error(None, check.text)
    if form.errors:
        return _page(request, place, form)
    return redirect(place.check_url) if not left.is_complete else _go_on(request, place)


@page(roles=FILLERS)
@require_POST
def save(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """Take the answers a moment after each change; answer with the state of saving in words."""
    place = find_place(request, number, code, instrument)
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


def _answer_form(place: Place, data: Any = None) -> AnswerForm:
    return AnswerForm(
        data,
        instrument=place.instrument,
        answers=place.answers(),
        revision=place.form.revision if place.form else 0,
        reasons=place.protocol.reasons.missing_item,
    )


def _save(request: Request, place: Place, form: AnswerForm) -> Form:
    saved: Form = actions.save_answers(
        form=place.opened(request), answers=form.answers(), revision=form.seen_revision, by=request.person
    )
    place.form = saved
    return saved


def _page(
    request: Request, place: Place, form: AnswerForm, conflict: AnswersConflict | None = None
) -> HttpResponseBase:
    saved_at = place.form.saved_at if place.form else None
    if conflict is not None:
        state = SaveState("conflict", text=str(conflict.message))
    elif form.errors:
        state = SaveState("unsaved", text=_("Not all answers could be saved: see below."))
    else:
        state = SaveState("saved", saved_at) if saved_at else SaveState("saved", text=_("No answer yet."))
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
        "not_asked_url": "" if any(one.value for one in place.answers().values()) else place.not_asked_url,
        "own_notice": place.instrument.notice,
    }
    if conflict is not None:
        context |= _conflict_context(place, conflict)
    return render(request, "assessments/form_entry.html", context, status=409 if conflict else 200)


def _conflict_context(place: Place, conflict: AnswersConflict) -> dict[str, Any]:
    names = names_of([conflict.saved_by])
    rows = [(place.instrument.item(one.item).topic, one.stored or "–", one.given or "–") for one in conflict.clashes]
    return {
        "clashes": rows,
        "keep": conflict.revision,
        "saved_by": names.get(conflict.saved_by, conflict.saved_by),
        "saved_at": conflict.saved_at,
        "reload_url": place.url,
    }


def _over(place: Place) -> str:
    return _("Participant %(number)s, %(visit)s") % {
        "number": grouped(place.participant.number),
        "visit": place.line.visit.name,
    }


def _window(line: VisitLine) -> str:
    words = window_words(line.window)
    return _("Window: %(window)s") % {"window": words} if words else ""


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def check(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """What is open: a reason for each item without an answer, a second look at odd ones. Then the form is complete."""
    place = find_place(request, number, code, instrument)
    if place.form is None:
        return redirect(place.url)
    if place.form.is_signed:
        return redirect("visit", number, code)
    left = place.left()
    if left.is_complete:
        return _go_on(request, place)
    form = CheckForm(posted(request), left=left, reasons=place.protocol.reasons.missing_item, given={})
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_answers(
                form=place.form, answers={}, missing=form.missing(), revision=place.form.revision, by=request.person
            )
            actions.confirm_checks(form=place.form, checks=form.confirmed(), by=request.person)
            return _go_on(request, place)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    answered = sum(bool(one.value) for one in place.answers().values())
    context = {
        "title": _("Check %(form)s") % {"form": place.instrument.name},
        "over": _over(place),
        "lead": _("%(n)d of %(all)d items answered.") % {"n": answered, "all": len(place.instrument.items)},
        "crumbs": crumbs_to(request, place.participant, place.line, place.instrument.name, _("Check")),
        "form": form,
        "submit": _("The form is complete"),
        "cancel_url": place.url,
        "cancel": _("Back to the answers"),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=FILLERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def not_asked(request: Request, number: str, code: str, instrument: str) -> HttpResponseBase:
    """The whole form was not asked, and why. It is complete with that, and signed like the others."""
    place = find_place(request, number, code, instrument)
    if place.form is not None and place.form.is_signed:
        return redirect("visit", number, code)
    form = NotAskedForm(posted(request), reasons=place.protocol.reasons.missing_item)
    if request.method == "POST" and form.is_valid():
        try:
            place.form = actions.skip_form(
                form=place.opened(request), reason_code=form.cleaned_data["reason"], by=request.person
            )
            return _go_on(request, place)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("%(form)s was not asked") % {"form": place.instrument.name},
        "over": _over(place),
        "lead": _("Every item gets this reason. The form is signed with the others of the visit."),
        "crumbs": crumbs_to(request, place.participant, place.line, place.instrument.name, _("Not asked")),
        "form": form,
        "submit": _("Record that it was not asked"),
        "cancel_url": place.url,
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


def _go_on(request: Request, place: Place) -> HttpResponseBase:
    """The next form of this person at this visit that is not complete; after the last one, the signature for all of them."""
    number, code = place.participant.number, place.line.visit.code
    protocol = find_visit(place.participant, code)[0]
    forms = queries.forms_of(place.participant.pk, code)
    left = queries.readiness(forms.values())
    messages.success(request, _("%(form)s is complete.") % {"form": place.instrument.name})
    mine = [one for one in protocol.instruments_at(code) if rules.may_enter(request.person, place.participant, one)]
    for one in queries.unsigned(mine, forms):
        if one.code not in left or not left[one.code].is_complete:
            return redirect("assessment", number, code, one.code)
    return redirect("visit_sign", number, code)
