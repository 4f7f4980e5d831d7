"""Pages of the way in, for the coordinator."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from trial.core import side
from trial.core.access import Request, page
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.addresses import here
from trial.core.ui.forms import status_of
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants import actions, queries
from trial.participants.course.presenters import part_state, standing
from trial.participants.forms import (
    CloseForm,
    ConsentForm,
    EligibilityForm,
    ParticipantFilter,
    ScreeningFilter,
    ScreeningForm,
)
from trial.participants.models import Consent, Participant, RandomizationRequest, ScreeningEntry
from trial.participants.presenters import (
    OUTCOMES,
    READERS,
    SEX_WORDS,
    STATES,
    entry_links,
    participant_table,
    reason_texts,
    screening_table,
    state_of,
)
from trial.participants.recruitment.presenters import funnel_table
from trial.participants.rules import COORDINATORS
from trial.participants.wording import history_words
from trial.protocol.models import Team
from trial.protocol.queries import current

PAGE_SIZE = 50
IN_STATE = {
    "baseline": Q(baseline_completed_at=None),
    "ready": Q(baseline_completed_at__isnull=False, randomized_at=None),
    "randomized": Q(randomized_at__isnull=False),
}


def _asked(request: Request, *names: str) -> tuple[dict[str, str], str]:
    """The filters in the address, and the address's part that repeats them."""
    given = {name: request.GET.get(name, "").strip() for name in names}
    return given, urlencode({name: value for name, value in given.items() if value})


def _csv_url(query: str, form: str = "csv") -> str:
    return f"?{query}&format={form}" if query else f"?format={form}"


@page(roles=READERS)
def participant_list(request: Request) -> HttpResponseBase:
    """Everybody registered at the sites one may see; ``?team=`` (now) and ``?state=`` filter. Who died stands here only when asked for."""
    given, query = _asked(request, "team", "state")
    has_died = given["state"] == "died"
    people = queries.participants()
    if has_died:
        people = queries.everybody().filter(pk__in=queries.deaths().values("participant_id"))
    people = people.filter(IN_STATE.get(given["state"], Q()))
    teams = queries.teams_at(people)
    found = [one for one in people if given["team"] in ("", teams[one.pk].pk)]
    if request.GET.get("format") == "csv":
        return csv_response(participant_table(found, teams, has_died=has_died), "participants")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    context = {
        "title": _("Participants"),
        "lead": _("%(count)d registered") % {"count": len(found)},
        "table": participant_table(list(rows), teams, has_died=has_died, csv_url=_csv_url(query), position=position),
        "filter": ParticipantFilter(request.GET, teams=queries.teams_seen(), states=STATES.items()),
        "clear_url": here("participants") if query else "",
    }
    return render(request, "trial/participant_list.html", context)


@page(roles=READERS)
def screening_log(request: Request) -> HttpResponseBase:
    """The screening log; ``?outcome=``, ``?team=`` and ``?month=`` filter. Below it why people do not take part."""
    given, query = _asked(request, "outcome", "team", "month")
    log, protocol = queries.screening_log(), current()
    if given["outcome"]:
        log = log.filter(outcome=given["outcome"])
    if given["team"]:
        log = log.filter(team=given["team"])
    found = [one for one in log if given["month"] in ("", f"{one.month:%Y-%m}")]
    later = queries.screened_again(one.pk for one in found)
    if request.GET.get("format") == "csv":
        return csv_response(screening_table(found, protocol, later), "screening-log")
    if request.GET.get("format") == "reasons":
        return csv_response(funnel_table(protocol), "screening-by-reason")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    context = {
        "title": _("Screening log"), "lead": _("%(count)d entries") % {"count": len(found)},
        "table": screening_table(list(rows), protocol, later, csv_url=_csv_url(query), position=position),
        "funnel": funnel_table(protocol, csv_url="?format=reasons"),
        "filter": ScreeningFilter(
            request.GET, teams=queries.teams_seen(), months=queries.screening_months(),
            outcomes=[(code, words) for code, (_kind, words) in OUTCOMES.items()],
        ),
        "clear_url": here("screening_log") if query else "",
        "may_screen": request.person.holds(*COORDINATORS) and queries.lock() is None,
    }  # fmt: skip
    return render(request, "trial/screening_log.html", context)


def _my_teams(request: Request) -> list[Team]:
    teams = Team.objects.filter(is_active=True).order_by("name")
    return [team for team in teams if request.person.holds(*COORDINATORS, site=team.site_id)]


@page(roles=COORDINATORS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def screening_new(request: Request) -> HttpResponseBase:
    """Add somebody to the log; ``?previous=`` links a re-screening to the earlier entry."""
    previous = _previous(request)
    form = ScreeningForm(request.POST or None, teams=_my_teams(request), initial=_again(previous))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            entry = actions.open_screening(
                team=form.teams[data["team"]], month=form.cleaned_month(), age_band=data["age_band"], sex=data["sex"],
                previous=previous, by=request.person,
            )  # fmt: skip
            return redirect(here("screening_entry", entry.pk))
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Screen again") if previous else _("Screen a person"),
        "crumbs": [(_("Screening log"), here("screening_log")), (_("New entry"), "")],
        "form": form,
        "submit": _("Add to the screening log"),
        "cancel_url": here("screening_entry", previous.pk) if previous else here("screening_log"),
        "lead": _("No name, birth date or number of the care system: nobody can be recognized from this log."),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


def _previous(request: Request) -> ScreeningEntry | None:
    try:
        key = uuid.UUID(request.GET.get("previous", ""))
    except ValueError:
        return None
    return queries.screening_log().filter(pk=key).first()


def _again(previous: ScreeningEntry | None) -> dict[str, Any]:
    return {"team": previous.team_id, "age_band": previous.age_band, "sex": previous.sex} if previous else {}


@page(roles=READERS)
@require_http_methods(["GET", "POST"])
def screening_entry(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One entry, step by step: consent, eligibility, registration. The next step is open; the others say what they wait for."""
    entry = get_object_or_404(queries.screening_log(), pk=key)
    protocol = current()
    may_write = request.person.holds(*COORDINATORS, site=entry.site_id) and queries.lock() is None
    step = request.POST.get("step", "") if may_write else ""
    forms: dict[str, Any] = {
        "consent": ConsentForm(request.POST if step == "consent" else None, protocol=protocol),
        "eligibility": EligibilityForm(request.POST if step == "eligibility" else None, protocol=protocol),
        "close": CloseForm(request.POST if step == "close" else None, protocol=protocol),
    }
    if step in forms and forms[step].is_valid():
        try:
            _take_step(step, entry, forms[step], request)
            return redirect(here("screening_entry", entry.pk))
        except Refused as refusal:
            forms[step].add_error(None, str(refusal.message))
    bound = forms.get(step)
    return render(
        request,
        "trial/screening_entry.html",
        _entry_context(request, entry, forms, may_write, bound),
        status=status_of(bound),
    )


def _take_step(step: str, entry: ScreeningEntry, form: Any, request: Request) -> None:
    if step == "consent":
        actions.record_consent(
            entry=entry, given=form.given(), signed_on=form.cleaned_data["signed_on"], by=request.person
        )
    elif step == "eligibility":
        actions.assess_eligibility(entry=entry, criteria=form.answers(), by=request.person)
    else:
        declined, code = form.decision()
        actions.close_screening(entry=entry, declined=declined, reason_code=code, by=request.person)


def _entry_context(
    request: Request, entry: ScreeningEntry, forms: dict[str, Any], may_write: bool, bound: Any
) -> dict[str, Any]:
    protocol = current()
    decided = queries.consents_in_force(entry.pk)
    missing = queries.missing_consent(entry.pk, protocol)
    parts = {part.code: part.name for part in protocol.consent_parts}
    later = queries.screened_again([entry.pk]).get(entry.pk)
    is_open = entry.outcome in (ScreeningEntry.Outcome.IN_SCREENING, ScreeningEntry.Outcome.ELIGIBLE)
    facts = [
        (_("Month"), entry.month.strftime("%B %Y")), (_("Team"), entry.team.name), (_("Age"), entry.age_band),
        (_("Sex"), str(SEX_WORDS.get(entry.sex, entry.sex))),
    ]  # fmt: skip
    if entry.reason:
        facts.append((_("Reason"), reason_texts(protocol).get(entry.reason, entry.reason)))
    consents = [
        (
            parts.get(code, code),
            _("given, signed %(day)s") % {"day": row.signed_on.strftime("%-d %b %Y")} if row.given else _("not given"),
        )
        for code, row in decided.items()
    ]
    rows = [
        ("participants_screeningentry", entry.pk),
        *(("participants_consent", row.pk) for row in Consent.objects.filter(screening=entry)),
    ]
    participant = Participant.objects.filter(screening=entry).first()
    return {
        "title": _("Screening"),
        "crumbs": [(_("Screening log"), here("screening_log")), (_("Entry"), "")],
        "entry": entry,
        "links": entry_links(entry, participant, later),
        "facts": facts,
        "consents": consents,
        "consent_done": bool(decided) and not missing,
        "participant": participant,
        "forms": forms,
        "form": bound,
        "may_write": may_write and is_open,
        "later": later,
        "may_screen_again": may_write and later is None and entry.outcome in ("excluded", "declined"),
        "history": lines(history_of(*rows), history_words(protocol)),
    }


@page(roles=COORDINATORS)
@require_POST
def register(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Register the person; a second press finds the same participant."""
    entry = get_object_or_404(queries.screening_log(), pk=key)
    try:
        participant = actions.register(entry=entry, by=request.person)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect(here("screening_entry", entry.pk))
    return redirect(here("participant", participant.number))


def find_participant(number: str) -> Participant:
    """The participant with this number, or 404: another site's number answers like one that does not exist."""
    participant = queries.participant_numbered(number)
    if participant is None:
        raise Http404
    return participant


@page(roles=READERS)
def participant_page(request: Request, number: str) -> HttpResponseBase:
    """One participant: state, consent, history, and the button to randomize when everything stands."""
    participant = find_participant(number)
    asked = RandomizationRequest.objects.filter(participant=participant).first()
    protocol = current()
    ready = participant.baseline_completed_at is not None and participant.randomized_at is None
    facts = [
        (_("Number"), grouped(participant.number)), (_("Site"), participant.site.name), (_("Team"), participant.team.name),
        (_("Registered"), participant.registered_at), (_("Baseline complete"), participant.baseline_completed_at or _("not yet")),
    ]  # fmt: skip
    parts = {part.code: part.name for part in protocol.consent_parts}
    decided = queries.consent_decisions(participant.screening_id)
    rows = [("participants_participant", participant.pk)] + (
        [("participants_randomizationrequest", asked.pk)] if asked else []
    )
    stands = standing(participant, request.person)
    context = {
        "title": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": [(_("Participants"), here("participants")), (grouped(participant.number), "")],
        "participant": participant,
        "state": state_of(participant),
        **stands,
        "facts": facts,
        "consents": [(parts.get(code, code), str(part_state(given))) for code, given in decided.items()],
        "asked": asked,
        "may_randomize": ready
        and asked is None
        and stands["death"] is None
        and not queries.missing_consent(participant.screening_id, protocol)
        and request.person.holds(*COORDINATORS, site=participant.site_id)
        and queries.lock() is None,
        "history": lines(history_of(*rows, *stands["rows"]), history_words(protocol)),
    }
    return render(request, "trial/participant.html", context)


@page(roles=COORDINATORS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def randomize(request: Request, number: str) -> HttpResponseBase:
    """Confirm and ask. The reply is the same for every arm."""
    participant = find_participant(number)
    shown = grouped(participant.number)
    if request.method == "POST":
        try:
            actions.request_randomization(participant=participant, by=request.person)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
        return redirect(here("participant", participant.number))
    context = {
        "title": _("Randomize participant %(number)s") % {"number": shown},
        "crumbs": [(_("Participants"), here("participants")), (shown, here("participant", number)), (_("Randomize"), "")],
        "facts": [
            (_("Participant"), shown), (_("Site"), participant.site.name), (_("Team"), participant.team.name),
            (_("Baseline complete"), participant.baseline_completed_at or _("not yet")),
        ],
        "consequence": _("This cannot be undone. The allocation then stands under Allocations.") if side.current() == side.UNBLINDED
        else _("This cannot be undone. You will not see the result: the treatment coordinator of the site is told."),
        "submit": _("Randomize participant %(number)s") % {"number": shown},
        "cancel_url": here("participant", participant.number),
    }  # fmt: skip
    return render(request, "confirm.html", context)


@page(roles=READERS)
def randomization_state(request: Request, number: str) -> HttpResponse:
    """The part of the page that follows a request until it is answered."""
    participant = find_participant(number)
    asked = RandomizationRequest.objects.filter(participant=participant).first()
    response = render(request, "trial/randomization_state.html", {"participant": participant, "asked": asked})
    if asked is None or asked.state != RandomizationRequest.State.WAITING:
        response["HX-Refresh"] = "true"  # the state and the history beside it have changed too
    return response
