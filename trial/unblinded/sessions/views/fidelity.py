"""Fidelity: what is to be rated, one's own rating, and the consensus. Nobody sees another's rating before all have signed."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import (
    FidelityRater,
    IndependentStatistician,
    TreatmentCoordinator,
    UnblindedDataManager,
)
from trial.core.errors import Refused
from trial.core.history.queries import names_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, State, Table, csv_response
from trial.participants.forms import SignatureForm
from trial.participants.queries import lock
from trial.protocol.definition import FidelityScale
from trial.protocol.queries import current
from trial.unblinded.sessions import actions, fidelity, forms, queries, rules
from trial.unblinded.sessions.models import TherapyGroup
from trial.unblinded.sessions.presenters.tables import fidelity_state, fidelity_table
from trial.unblinded.sessions.presenters.words import history_lines
from trial.unblinded.sessions.queries import FidelityLine

READERS = (FidelityRater, UnblindedDataManager)


@page(roles=(FidelityRater, TreatmentCoordinator, UnblindedDataManager, IndependentStatistician))
def overview(request: Request) -> HttpResponseBase:
    """Every group on every scale: how far its rating is, and the consensus."""
    scales = current().fidelity
    lines = queries.fidelity_lines(queries.groups(), scales)
    link = request.person.holds(*READERS)
    if request.GET.get("format") == "csv":
        return csv_response(fidelity_table(lines, link=link), "fidelity")
    context = {
        "title": _("Fidelity"),
        "lead": "" if scales else _("The protocol of this trial has no fidelity scale."),
        "table": fidelity_table(lines, link=link, csv_url="?format=csv"),
    }
    return render(request, "unblinded/sessions/people.html", context)


def find_line(key: uuid.UUID, code: str) -> FidelityLine:
    """The group on this scale, or 404."""
    group = TherapyGroup.objects.filter(pk=key).first()
    scales = [scale for scale in current().fidelity if scale.code == code]
    if group is None or not scales:
        raise Http404
    return queries.fidelity_lines([group], scales)[0]


def crumbs_to(line: FidelityLine, *more: str) -> list[tuple[str, str]]:
    """The way to a page of a rating."""
    here = (line.group.code, reverse("fidelity_group", args=[line.group.pk, line.scale.code]))
    steps = [(_("Fidelity"), reverse("fidelity")), here, *((name, "") for name in more)]
    return [*steps[:-1], (steps[-1][0], "")]


@page(roles=READERS)
def group(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """One group on one scale: what one may see of its ratings, and the next step."""
    line = find_line(key, code)
    mine = line.of(request.person.actor_id)
    is_rater = (
        request.person.holds(FidelityRater)
        and lock() is None
        and key not in {g.pk for g in queries.trained_ever(request.person)}
    )
    to_rate = is_rater and (
        (mine is None and len(line.ratings) < line.scale.raters) or (mine is not None and mine.signed_at is None)
    )
    bands = {band.code: band.name for band in line.scale.bands}
    facts: list[tuple[str, Any]] = [
        (_("Group"), f"{line.group.code}, {line.group.name}"),
        (_("Scale"), line.scale.name),
    ]
    if line.consensus is not None:
        facts += [
            (_("Score"), f"{line.consensus.score:.2f}"),
            (_("Band"), bands.get(line.consensus.band, "")),
        ]
    context = {
        "title": _("Fidelity of group %(code)s") % {"code": line.group.code},
        "over": line.scale.name,
        "crumbs": crumbs_to(line),
        "line": line,
        "state": fidelity_state(line),
        "facts": facts,
        "raters": _raters(line),
        "items": _items(line, request.person.actor_id),
        "to_rate": to_rate,
        "begun": mine is not None,
        "to_sign": is_rater and mine is not None and mine.signed_at is None and not fidelity.open_items(line.scale, mine.scores),
        "to_agree": is_rater and mine is not None and line.is_rated and line.consensus is None,
        "hidden": not line.is_rated,
        "history": _history(line, request.person.actor_id),
    }  # fmt: skip
    return render(request, "unblinded/sessions/fidelity_group.html", context)


def _history(line: FidelityLine, actor: str) -> list[Change]:
    """What became of the ratings that this person may see, and of the consensus."""
    seen = [one for one in line.ratings if rules.may_see_rating(actor, one, line)]
    rows: list[tuple[str, Any]] = [("unblinded_fidelity_rating", one.pk) for one in seen]
    if line.consensus is not None:
        rows.append(("unblinded_fidelity_consensus", line.consensus.pk))
    numbers = {item.code: str(n) for n, item in enumerate(line.scale.items, start=1)}
    return history_lines(rows, None, words={**numbers, line.scale.code: line.scale.name})


def _raters(line: FidelityLine) -> Table:
    names = names_of(rating.rater for rating in line.ratings)
    rows = [
        [
            names.get(rating.rater, rating.rater),
            State("done", _("Signed")) if rating.signed_at else State("waiting", _("Draft")),
            rating.visited_on if rating.signed_at else None,
            rating.signed_at,
        ]
        for rating in line.ratings
    ]
    columns = [Column(_("Rater")), Column(_("State")), Column(_("Visited")), Column(_("Signed"))]
    return Table(columns, rows, caption=_("Raters"), empty=_("Nobody has begun to rate this group."))


def _items(line: FidelityLine, actor: str) -> Table | None:
    """Item by item, what this person may see: their own values, and the others' when all have signed."""
    seen = [rating for rating in line.ratings if rules.may_see_rating(actor, rating, line)]
    if not seen:
        return None
    names = names_of(rating.rater for rating in seen)
    columns = [Column(_("Item")), *(Column(names.get(one.rater, one.rater), number=True) for one in seen)]
    agreed = line.consensus.scores if line.consensus else None
    if agreed is not None:
        columns.append(Column(_("Consensus"), number=True))
    rows = [
        [
            f"{n}. {item.topic}",
            *(_shown(one.scores, item.code) for one in seen),
            *([_shown(agreed, item.code)] if agreed is not None else []),
        ]
        for n, item in enumerate(line.scale.items, start=1)
    ]
    return Table(columns, rows, caption=_("Items"))


def _shown(scores: Mapping[str, int | None], code: str) -> Any:
    if code not in scores:
        return None
    return _("does not apply") if scores[code] is None else scores[code]


@page(roles=(FidelityRater,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def rate(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """One's own rating, as a draft."""
    line = find_line(key, code)
    mine = line.of(request.person.actor_id)
    initial = {"visited_on": mine.visited_on if mine else clock.today()}
    form = forms.RatingForm(posted(request), scale=line.scale, scores=mine.scores if mine else {}, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.save_rating(
                group=line.group, scale=code, scores=form.scores(), visited_on=data["visited_on"], by=request.person
            )
            complete = not fidelity.open_items(line.scale, form.scores())
            return redirect("fidelity_sign" if complete else "fidelity_group", key, code)
        except Refused as refusal:
            form.add_error("visited_on" if refusal.code == "day" else None, str(refusal.message))
    context = {
        "title": _("Rate group %(code)s") % {"code": line.group.code},
        "over": line.scale.name,
        "lead": _("Rate by yourself. Nobody sees your values until all raters have signed."),
        "crumbs": crumbs_to(line, _("Rate")),
        "form": form,
        "submit": _("Save the rating"),
        "cancel_url": reverse("fidelity_group", args=[key, code]),
    }
    return render(request, "unblinded/sessions/form.html", context, status=status_of(form))


@page(roles=(FidelityRater,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def sign(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """Sign one's own complete rating."""
    line = find_line(key, code)
    mine = line.of(request.person.actor_id)
    if mine is None:
        raise Http404
    if mine.signed_at is not None:
        return redirect("fidelity_group", key, code)
    form = SignatureForm(posted(request))
    if request.method == "POST" and form.carries_out(actions.sign_rating, rating=mine, by=request.person):
        return redirect("fidelity_group", key, code)
    values = [
        (f"{n}. {item.topic}", _shown(mine.scores, item.code)) for n, item in enumerate(line.scale.items, start=1)
    ]
    context = {
        "title": _("Sign the rating of group %(code)s") % {"code": line.group.code},
        "crumbs": crumbs_to(line, _("Sign")),
        "facts": [(_("Visited"), mine.visited_on), *values],
        "consequence": _("A signed rating does not change any more."),
        "submit": _("Sign the rating"),
        "cancel_url": reverse("fidelity_rate", args=[key, code]),
        "cancel": _("Change it first"),
        "form": form,
    }
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(FidelityRater,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def consensus(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """Agree on the items on which the raters differ."""
    line = find_line(key, code)
    if line.of(request.person.actor_id) is None or not line.is_rated:
        raise Http404
    if line.consensus is not None:
        return redirect("fidelity_group", key, code)
    form = forms.ConsensusForm(posted(request), scale=line.scale, apart=_apart(line, line.scale))
    if request.method == "POST" and form.is_valid():
        try:
            actions.reach_consensus(
                group=line.group,
                scale=code,
                decided=form.decided(),
                password=form.cleaned_data["password"],
                by=request.person,
            )
            return redirect("fidelity_group", key, code)
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    apart, total = len(form.items_of), len(line.scale.items)
    context = {
        "title": _("Consensus on group %(code)s") % {"code": line.group.code},
        "over": line.scale.name,
        "lead": _("You agree on %(same)d of %(all)d items. Decide the others together.")
        % {"same": total - apart, "all": total},
        "crumbs": crumbs_to(line, _("Consensus")),
        "form": form,
        "submit": _("Sign the consensus"),
        "cancel_url": reverse("fidelity_group", args=[key, code]),
    }
    return render(request, "unblinded/sessions/form.html", context, status=status_of(form))


def _apart(line: FidelityLine, scale: FidelityScale) -> dict[str, str]:
    """The items on which the raters differ, with what each of them gave."""
    names = names_of(rating.rater for rating in line.ratings)
    return {
        item: ", ".join(f"{names.get(one.rater, one.rater)}: {_shown(one.scores, item)}" for one in line.ratings)
        for item in fidelity.differing(scale, [rating.scores for rating in line.ratings])
    }
