"""Pages of what becomes of a participant: withdrawal by part, transfer, death. The pages of a death are mounted on both sides."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, DataManager, Interviewer
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.locking import locked_page
from trial.core.ui.addresses import here
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants import queries, rules
from trial.participants.contact.views import find_followed
from trial.participants.course import actions
from trial.participants.course import presenters as show
from trial.participants.course.forms import AgainForm, DeathForm, DecideForm, TransferForm, WithdrawForm
from trial.participants.course.presenters import OVERSEERS
from trial.participants.models import Consent, Death, Participant
from trial.participants.presenters import crumbs_to
from trial.participants.rules import DECIDERS, SITE_ROLES
from trial.participants.wording import history_words
from trial.protocol.models import Team
from trial.protocol.queries import current


def _over(participant: Participant) -> str:
    return _("Participant %(number)s") % {"number": grouped(participant.number)}


@page(roles=(Coordinator, Interviewer, *OVERSEERS))
def withdrawals(request: Request, number: str) -> HttpResponseBase:
    """The parts of the consent of one participant, and what the withdrawal of each stops."""
    participant = queries.participant_numbered(number)
    follows = participant is not None and rules.may_follow(request.person, participant)
    if participant is None or not (follows or request.person.holds(*OVERSEERS)):
        raise Http404
    protocol = current()
    decisions = list(Consent.objects.filter(screening=participant.screening_id).order_by("recorded_at", "id"))
    context = {
        "title": _("Consent and withdrawal"),
        "over": _over(participant),
        "crumbs": crumbs_to(request.person, participant, _("Consent")),
        "table": show.part_table(participant, protocol, decisions, may_change=follows),
        "history": lines(history_of(*(("participants_consent", one.pk) for one in decisions)), history_words(protocol)),
    }
    return render(request, "trial/withdrawals.html", context)


@page(roles=(Coordinator, Interviewer))
@require_http_methods(["GET", "POST"])
def withdraw(request: Request, number: str, part: str) -> HttpResponseBase:
    """Withdraw from one part, or consent to it again: whichever it is not now."""
    participant, protocol = find_followed(request, number), current()
    found = next((one for one in protocol.consent_parts if one.code == part), None)
    if found is None:
        raise Http404
    in_force = bool(queries.consent_in_force([participant.pk], part))
    if not in_force and (
        closed := locked_page(request)
    ):  # a withdrawal is recorded after the lock too, a new consent is not
        return closed
    form = WithdrawForm(posted(request), protocol=protocol) if in_force else AgainForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            _decide(request, participant, part, form)
            return redirect("withdrawals", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    words = {"part": found.name}
    title = _("Withdraw from: %(part)s") if in_force else _("Consents again to: %(part)s")
    context = {
        "title": title % words,
        "over": _over(participant),
        "crumbs": crumbs_to(request.person, participant, _("Consent")),
        "facts": [
            (_("Participant"), grouped(participant.number)),
            (_("Part"), found.name),
            (_("As signed"), found.text),
        ],
        "consequence": str(show.STOPS.get(part, show.OTHERWISE)) if in_force else _("The tasks of this part go on."),
        "form": form,
        "submit": (_("Record the withdrawal") if in_force else _("Record the consent")),
        "cancel_url": reverse("withdrawals", args=[participant.number]),
    }
    return render(request, "confirm.html", context, status=status_of(form))


def _decide(request: Request, participant: Participant, part: str, form: WithdrawForm | AgainForm) -> None:
    day = form.cleaned_data["day"]
    if isinstance(form, WithdrawForm):
        actions.withdraw(participant=participant, part=part, day=day, reason_code=form.reason_code(), by=request.person)
    else:
        actions.consent_again(participant=participant, part=part, signed_on=day, by=request.person)


@page(roles=(Coordinator, DataManager), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def transfer(request: Request, number: str) -> HttpResponseBase:
    """Another team, perhaps of another institution, treats the participant from a day on."""
    participant = queries.participant_numbered(number)
    if participant is None or not rules.coordinates_blind(request.person, current().site(participant.site_id)):
        raise Http404
    teams = list(Team.objects.filter(is_active=True).select_related("site").order_by("site__name", "name"))
    form = TransferForm(posted(request), teams=teams)
    if request.method == "POST" and form.is_valid():
        try:
            actions.transfer(
                participant=participant,
                team=form.teams[form.cleaned_data["team"]],
                effective_on=form.cleaned_data["day"],
                by=request.person,
            )
            return redirect("participant", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Transfer to another team"),
        "over": _over(participant),
        "lead": _("This institution goes on following the person in the trial, wherever they are in care."),
        "crumbs": crumbs_to(request.person, participant, _("Transfer")),
        "form": form,
        "submit": _("Record the transfer"),
        "cancel_url": reverse("participant", args=[participant.number]),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


def _find_at_site(request: Request, number: str, *roles: Any) -> Participant:
    participant = queries.participant_numbered(number)
    if participant is None or not request.person.holds(*roles, site=participant.site_id):
        raise Http404
    return participant


@page(roles=SITE_ROLES)
@require_http_methods(["GET", "POST"])
def death(request: Request, number: str) -> HttpResponseBase:
    """Report a death: this page, and one press. Nobody is reminded of this person from then on."""
    participant = _find_at_site(request, number, *SITE_ROLES)
    form = DeathForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.report_death(participant=participant, day=form.cleaned_data["day"], by=request.person)
            messages.success(
                request,
                _("Thank you. This person stands on no list any more. A colleague is asked to confirm the report."),
            )
            return redirect(here("home"))
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("This participant has died"),
        "over": _over(participant),
        "facts": [(_("Participant"), grouped(participant.number)), (_("Site"), participant.site.name)],
        "consequence": _("At once no list, reminder or contact sheet names this person. A second person confirms."),
        "form": form,
        "submit": _("Report the death"),
        "cancel_url": here("home"),
    }
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=DECIDERS)
@require_http_methods(["GET", "POST"])
def death_decide(request: Request, number: str) -> HttpResponseBase:
    """The second person confirms a report of death, or rejects it."""
    participant = _find_at_site(request, number, *DECIDERS)
    steps = queries.death_steps(participant.pk)
    if request.method == "GET" and (not steps or steps[-1].step != Death.Step.REPORTED):
        raise Http404
    form = DecideForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.decide_death(participant=participant, confirmed=form.cleaned_data["confirmed"], by=request.person)
            messages.success(request, _("Thank you. It is recorded."))
            return redirect(here("home"))
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Confirm a report of death"),
        "over": _over(participant),
        "facts": [(_("Participant"), grouped(participant.number)), *show.death_facts(steps)],
        "consequence": _("A confirmed death is final. If the report is wrong, the person is on every list again."),
        "form": form,
        "submit": _("Record what I found"),
        "cancel_url": here("home"),
    }
    return render(request, "confirm.html", context, status=status_of(form))
