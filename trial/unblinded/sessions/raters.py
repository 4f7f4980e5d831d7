"""Clinician-raters who may lead, train or supervise a group: seen on this side only, where both facts meet.

One account never holds both (the roles are of two sides), so that what is left is one person with two accounts. See
``docs/clinician-raters.md``.
"""

import unicodedata
import uuid
from collections import defaultdict
from dataclasses import dataclass

from trial.core.access.roles import ClinicianRater, Therapist
from trial.core.models import Membership, User
from trial.unblinded.sessions.models import GroupTrainer


@dataclass(frozen=True)
class Pair:
    """Two accounts of one name: one rates, the other is a therapist and trains or trained these groups."""

    rater: User
    therapist: User
    sites: tuple[str, ...]
    """Where the rater rates."""
    groups: tuple[str, ...]


def plain(name: str) -> str:
    """A name as two accounts of one person share it: without accents, case, points and the order of its words."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    words = "".join(one if one.isalnum() else " " for one in letters if not unicodedata.combining(one)).split()
    return " ".join(sorted(words))


def pairs() -> list[Pair]:
    """Every rater in force with every account of the same name that is, or ever was, a therapist; by name. Three queries, however many."""
    held = Membership.objects.filter(confirmed_at__isnull=False).select_related("user").order_by("granted_at")
    raters: dict[User, set[str]] = defaultdict(set)
    for one in held.filter(role=ClinicianRater.code, ended_at=None, user__is_active=True):
        raters[one.user].add(one.site)
    therapists: dict[str, dict[uuid.UUID, User]] = defaultdict(dict)
    for one in held.filter(role=Therapist.code):
        therapists[plain(one.user.full_name)][one.user.pk] = one.user
    found = [
        (rater, therapist, tuple(sorted(sites)))
        for rater, sites in raters.items()
        for therapist in therapists.get(plain(rater.full_name), {}).values()
    ]
    groups: dict[uuid.UUID, set[str]] = defaultdict(set)
    for trainer, code in GroupTrainer.objects.values_list("trainer_id", "group__code"):
        groups[trainer].add(code)
    listed = [Pair(rater, one, sites, tuple(sorted(groups.get(one.pk, ())))) for rater, one, sites in found]
    return sorted(listed, key=lambda pair: (pair.rater.full_name, pair.rater.username, pair.therapist.username))
