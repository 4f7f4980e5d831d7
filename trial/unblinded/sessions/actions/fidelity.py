"""Fidelity: two independent ratings of a group, then consensus."""

import datetime as dt
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.signing import content_sha256, sign
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.protocol.definition import FidelityScale
from trial.protocol.queries import current
from trial.unblinded.sessions import fidelity, queries
from trial.unblinded.sessions.fidelity import Scores
from trial.unblinded.sessions.models import FidelityConsensus, FidelityRating, TherapyGroup
from trial.unblinded.sessions.rules import must_rate

RATING, CONSENSUS = "fidelity rating", "fidelity consensus"


@action
def save_rating(
    *, group: TherapyGroup, scale: str, scores: Scores, visited_on: dt.date, by: db.Actor
) -> FidelityRating:
    """Save one's own rating of a group as a draft; open items are no error. One rating a person, group and scale.

    Refuses a trainer of the group, a rater too many, values outside the scale, and a rating that is signed.
    """
    must_rate(by, group)
    refuse_if_locked()
    definition = scale_or_refuse(scale)
    group = TherapyGroup.objects.select_for_update().get(pk=group.pk)
    _check_values(definition, scores)
    if not group.opened_on <= visited_on <= clock.today():
        raise Refused("day", _("The group is visited between its first day and today. Check the date."))
    rating = FidelityRating.objects.filter(group=group, scale=scale, rater=by.actor_id).first()
    if rating is None:
        if FidelityRating.objects.filter(group=group, scale=scale).count() >= definition.raters:
            raise Refused("raters", _("This group has its raters already; nobody else rates it on this scale."))
        rating = FidelityRating(
            site=group.site, group=group, scale=scale, rater=by.actor_id, visited_on=visited_on, scores=dict(scores)
        )
        rating.save(force_insert=True)
        return rating
    if rating.signed_at is not None:
        if rating.scores == dict(scores):
            return rating
        raise Refused("signed", _("You have signed this rating; it does not change any more."))
    rating.scores, rating.visited_on, rating.saved_at = dict(scores), visited_on, clock.now()
    rating.save(update_fields=["scores", "visited_on", "saved_at"])
    return rating


@action
def sign_rating(*, rating: FidelityRating, by: db.Actor, password: str = "") -> FidelityRating:
    """Sign one's own rating: complete, and closed from then on. Twice is once. Persons prove themselves with their password."""
    must_rate(by, rating.group)
    refuse_if_locked()
    rating = FidelityRating.objects.select_for_update(of=("self",)).select_related("group").get(pk=rating.pk)
    if rating.rater != by.actor_id:
        raise Refused("not_yours", _("Everybody signs their own rating."))
    if rating.signed_at is not None:
        return rating
    open_items = fidelity.open_items(scale_or_refuse(rating.scale), rating.scores)
    if open_items:
        raise Refused("items_open", _("Rate every item first; %(count)d are open.") % {"count": len(open_items)})
    content = {"group": rating.group.code, "scale": rating.scale, "scores": rating.scores}
    rating.signature = _signature(by, password, RATING, content)
    rating.signed_at = clock.now()
    rating.save(update_fields=["signature", "signed_at"])
    return rating


@action
def reach_consensus(
    *, group: TherapyGroup, scale: str, decided: Scores, by: db.Actor, password: str = ""
) -> FidelityConsensus:
    """Write down what the raters agree on: their common values, and ``decided`` where they differ. Twice is once.

    Refuses anybody but a rater of the group, before all have signed, and while an item on which they differ is open.
    """
    must_rate(by, group)
    refuse_if_locked()
    definition = scale_or_refuse(scale)
    known = FidelityConsensus.objects.filter(group=group, scale=scale).first()
    if known is not None:
        return known
    line = queries.fidelity_lines([group], [definition])[0]
    if line.of(by.actor_id) is None:
        raise Refused("not_a_rater", _("The consensus is written down by one of the raters of this group."))
    if not line.is_rated or definition.raters < 2:
        raise Refused("not_signed", _("Consensus follows when all raters have signed. One of you has not yet."))
    scores = fidelity.agreed(definition, [rating.scores for rating in line.ratings], decided)
    try:
        value = fidelity.score(definition, scores)
    except fidelity.NotScorable as error:
        raise Refused("items_open", _("Agree on every item on which you differ, within the scale.")) from error
    content = {"group": group.code, "scale": scale, "scores": scores, "score": str(value)}
    row = FidelityConsensus(
        site=group.site, group=group, scale=scale, scores=scores, score=value, band=fidelity.band(definition, value).code,
        reached_by=by.actor_id, signature=_signature(by, password, CONSENSUS, content),
    )  # fmt: skip
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "unblinded_consensus_once" not in str(error):
            raise
        return FidelityConsensus.objects.get(group=group, scale=scale)
    return row


def scale_or_refuse(code: str) -> FidelityScale:
    """The fidelity scale of the protocol in force; refused where there is none."""
    for scale in current().fidelity:
        if scale.code == code:
            return scale
    raise Refused("no_scale", _("The protocol has no fidelity scale %(scale)s.") % {"scale": code})


def _check_values(scale: FidelityScale, scores: Scores) -> None:
    wrong = set(fidelity.open_items(scale, scores)) & set(scores) | set(scores) - {item.code for item in scale.items}
    if wrong:
        raise Refused("values", _("Rate each item from %(low)d to %(high)d.") % {"low": scale.min, "high": scale.max})


def _signature(by: db.Actor, password: str, meaning: str, content: dict[str, Any]) -> dict[str, str]:
    if isinstance(by, Person):
        return sign(person=by, password=password, meaning=meaning, content=content)
    return {
        "name": by.actor_id,
        "person": by.actor_id,
        "meaning": meaning,
        "at": clock.now().isoformat(timespec="seconds"),
        "sha256": content_sha256(content),
    }
