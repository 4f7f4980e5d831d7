"""Accounts and roles as administrators read them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.access.person import Person
from trial.core.access.refusals import VISITOR
from trial.core.access.roles import ALL, BY_CODE, Role, RoleSide
from trial.core.history.presenters import Words, lines
from trial.core.history.queries import Change as Recorded
from trial.core.history.queries import history_here, names_of
from trial.core.models import ANY_SITE, Membership, Refusal, User
from trial.core.ui.parts import Change, Crumb
from trial.core.ui.tables import Column, Link, Page, State, Table, shown
from trial.core.ui.text import Text

SIDES: dict[RoleSide, Text] = {
    "open": gettext_lazy("Open side"),
    "unblinded": gettext_lazy("Unblinded side"),
    "accounts": gettext_lazy("Accounts only"),
}


def site_names() -> dict[str, str]:
    """The name of each site, by code."""
    named: dict[str, str] = import_string(settings.SITE_NAMES)()
    return named


def role_choices() -> list[tuple[Text, list[tuple[str, Text]]]]:
    """The roles for a list that opens, in groups by side."""
    return [(words, [(r.code, r.title) for r in ALL if r.side == side]) for side, words in SIDES.items()]  # type: ignore[misc]


def crumbs(*steps: tuple[str, str]) -> list[Crumb]:
    """The way from the list of accounts."""
    return [Crumb(_("Accounts"), reverse("accounts")), *(Crumb(*step) for step in steps)]


@dataclass(frozen=True)
class RoleLine:
    """A membership as a line: what, where, since when, in which state, and what this administrator may do with it."""

    membership: Membership
    role: type[Role]
    site: str
    state: State
    may_confirm: bool
    may_end: bool

    @property
    def side(self) -> str:
        return str(SIDES[self.role.side])


def role_lines(user: User, by: Person) -> list[RoleLine]:
    """All roles that somebody holds or has held: waiting first, then those in force, then the ended ones."""
    names = site_names()
    lines = [line_of(m, by, names) for m in user.memberships.order_by("granted_at", "id") if m.role in BY_CODE]
    order = {"waiting": 0, "done": 1, "info": 2}
    return sorted(lines, key=lambda line: order[line.state.kind])


def role_line_table(lines: list[RoleLine]) -> Table:
    """The same lines as a table."""
    columns = [
        Column(_("Role")),
        Column(_("Side")),
        Column(_("Site")),
        Column(_("State")),
        Column(_("From")),
        Column(_("To")),
    ]
    rows = [
        [one.role.title, one.side, one.site, one.state, one.membership.confirmed_at, one.membership.ended_at]
        for one in lines
    ]
    return Table(columns, rows, caption=_("Roles"))


def line_of(membership: Membership, by: Person, names: dict[str, str]) -> RoleLine:
    """One membership as a line."""
    if membership.ended_at:
        state = State("info", _("Ended"))
    elif membership.confirmed_at:
        state = State("done", _("In force"))
    else:
        state = State("waiting", _("Waits for a second administrator"))
    return RoleLine(
        membership,
        BY_CODE[membership.role],
        _place(membership, names),
        state,
        may_confirm=state.kind == "waiting" and membership.granted_by != by.actor_id,
        may_end=state.kind != "info",
    )


def _place(membership: Membership, names: dict[str, str]) -> str:
    return _("Whole trial") if membership.site == ANY_SITE else names.get(membership.site, membership.site)


def people(found: Iterable[Membership]) -> dict[str, str]:
    """The names of those who gave, confirmed or ended roles, by actor."""
    actors = {a for m in found for a in (m.granted_by, m.confirmed_by, m.ended_by) if a and not a.startswith("system:")}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=actors).values_list("pk", "full_name")}


def role_facts(line: RoleLine) -> list[tuple[Text, Any]]:
    """What is to be read before a role is confirmed or ended."""
    m = line.membership
    names = people([m])
    facts: list[tuple[Text, Any]] = [
        (_("Person"), f"{m.user.full_name} ({m.user.username})"),
        (_("Role"), line.role.title),
        (_("What it opens"), line.role.description),
        (_("Side"), line.side),
        (_("Site"), line.site),
        (_("Given"), _("%(day)s by %(name)s") % {"day": _day(m.granted_at), "name": _who(m.granted_by, names)}),
    ]
    if m.confirmed_at:
        by = _who(m.confirmed_by, names)
        facts.append((_("In force"), _("since %(day)s, by %(name)s") % {"day": _day(m.confirmed_at), "name": by}))
    return facts


def _who(actor: str, names: dict[str, str]) -> str:
    return names.get(actor) or (_("the setup of this trial") if actor.startswith("system:") else actor)


def _day(at: Any) -> str:
    return shown(timezone.localtime(at).date())


SIGN_IN = "trial.core.access.actions.record_sign_in"
STEPS: Words = {
    "create_account": gettext_lazy("Account made"),
    "give_role": gettext_lazy("Role given"),
    "confirm_role": gettext_lazy("Role confirmed"),
    "end_role": gettext_lazy("Role ended"),
    "reset_password": gettext_lazy("First password set"),
    "change_password": gettext_lazy("Own password changed"),
    "confirmed_at": gettext_lazy("in force since"),
    "ended_at": gettext_lazy("ended"),
    "must_change_password": gettext_lazy("must change the password"),
    "is_active": gettext_lazy("in use"),
    f"site:{ANY_SITE}": gettext_lazy("whole trial"),
}
REPEATED = ("granted_at", "granted_by", "confirmed_by", "ended_by", "last_login")
"""Columns that say again who and when."""


def account_history(user: User) -> list[Change]:
    """What became of an account and its roles: when, by whom. Without each signing in, which would hide the rest."""
    held = {str(m.pk): m for m in user.memberships.all()}
    found = history_here(("core_user", user.pk), *(("core_membership", key) for key in held), without=(SIGN_IN,))
    words: dict[str, Text] = {
        **STEPS,
        **{f"role:{role.code}": str(role.title) for role in ALL},
        **{f"site:{code}": name for code, name in site_names().items()},
    }
    return lines([_about(one, held.get(one.row)) for one in found], words, REPEATED)


def _about(change: Recorded, membership: Membership | None) -> Recorded:
    """A later step of a role says again which role it was."""
    if membership is None or any(name == "role" for name, _old, _new in change.fields):
        return change
    return replace(change, fields=[("role", None, membership.role), ("site", None, membership.site), *change.fields])


def account_table() -> Table:
    """Everybody with an account: those with something waiting first."""
    held: dict[Any, list[Membership]] = {}
    for m in Membership.objects.filter(ended_at=None).order_by("role"):
        held.setdefault(m.user_id, []).append(m)
    rows = [_account_row(user, held.get(user.pk, [])) for user in User.objects.order_by("full_name", "username")]
    order = {"waiting": 0, "blocked": 1, "open": 1, "done": 2}
    rows.sort(key=lambda row: order[row[4].kind])
    columns = [
        Column(_("Name")), Column(_("User name"), code=True), Column(_("Roles")), Column(_("Side")), Column(_("State")),
    ]  # fmt: skip
    return Table(columns, rows, empty=_("There are no accounts yet."))


def _account_row(user: User, mine: list[Membership]) -> list[Any]:
    kinds = [BY_CODE[m.role] for m in mine if m.role in BY_CODE]
    if not user.is_active:
        state = State("blocked", _("Closed"))
    elif any(m.confirmed_at is None for m in mine):
        state = State("waiting", _("Role waits for confirmation"))
    elif mine:
        state = State("done", _("In force"))
    else:
        state = State("open", _("No role"))
    titles = ", ".join(dict.fromkeys(str(kind.title) for kind in kinds))
    sides = ", ".join(dict.fromkeys(str(SIDES[kind.side]) for kind in kinds))
    return [Link(user.full_name, reverse("account", args=[user.username])), user.username, titles, sides, state]


@dataclass(frozen=True)
class Holder:
    """Somebody who holds or held a role: where, from when, and until when (None while it is in force)."""

    membership: Membership
    site: str

    @property
    def since(self) -> dt.date:
        """The first day of the role."""
        assert self.membership.confirmed_at is not None  # noqa: S101 - only roles that came into force are listed
        return timezone.localtime(self.membership.confirmed_at).date()

    @property
    def until(self) -> dt.date | None:
        """The last day of the role."""
        ended = self.membership.ended_at
        return timezone.localtime(ended).date() if ended else None


@dataclass(frozen=True)
class MatrixRow:
    """A role as the program knows it, who holds it, and who held it before."""

    role: type[Role]
    holders: list[Holder]

    @property
    def excludes(self) -> str:
        """The roles of the same side that nobody holds beside it."""
        return ", ".join(str(role.title) for role in ALL if role.code in self.role.excludes)


def role_matrix() -> list[tuple[Text, list[MatrixRow]]]:
    """Every role, by side, with those who hold or held it: those of now first. Two queries."""
    names = site_names()
    held: dict[str, list[Holder]] = {}
    came_into_force = (
        Membership.objects.filter(confirmed_at__isnull=False).select_related("user").defer("user__password")
    )
    for m in came_into_force.order_by(F("ended_at").desc(nulls_first=True), "user__full_name", "site", "id"):
        held.setdefault(m.role, []).append(Holder(m, _place(m, names)))
    return [
        (words, [MatrixRow(r, held.get(r.code, [])) for r in ALL if r.side == side]) for side, words in SIDES.items()
    ]


def role_table() -> Table:
    """The matrix as one flat table, a line for each holder, for its CSV."""
    columns = [
        Column(_("Role")), Column(_("Side")), Column(_("What it opens")), Column(_("Belongs to a site")), Column(_("Never beside")),
        Column(_("Held by")), Column(_("Site")), Column(_("From")), Column(_("To")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for words, found in role_matrix():
        for row in found:
            what = [
                row.role.title,
                words,
                row.role.description,
                _("yes") if row.role.site_scoped else _("no"),
                row.excludes,
            ]
            listed = [[one.membership.user.full_name, one.site, one.since, one.until] for one in row.holders]
            rows += [[*what, *one] for one in listed or [["", "", None, None]]]
    return Table(columns, rows)


REFUSED: dict[str, Text] = {
    "page": gettext_lazy("Page of another role"),
    "proof": gettext_lazy("Wrong password or user name"),
    "sign_in": gettext_lazy("Signing in"),
    "locked_out": gettext_lazy("Signing in while locked out"),
    "token": gettext_lazy("Token of the setup"),
}


def refusal_table(found: Iterable[Refusal], csv_url: str = "", position: Page | None = None) -> Table:
    """Who was refused what. Who was not signed in has no name here; the account that was tried has."""
    listed = list(found)
    names = names_of(one.actor for one in listed if one.actor != VISITOR.actor_id)
    columns = [
        Column(_("When")),
        Column(_("Who")),
        Column(_("What")),
        Column(_("Where"), code=True),
        Column(_("Account"), code=True),
    ]
    rows = [
        [one.at, names.get(one.actor, _("not signed in")), str(REFUSED[one.what]), one.place.rpartition(".")[2], one.about]
        for one in listed
    ]  # fmt: skip
    empty = _("Each attempt at something that the person may not do is written down here.")
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position)


def own_roles(person: Person) -> list[tuple[Text, Text]]:
    """The roles of a person in force: title with its places, and what it does."""
    names = site_names()
    told: list[tuple[Text, Text]] = []
    for role in person.role_classes:
        places = ", ".join(
            names.get(site, site) for code, site in sorted(person.roles) if code == role.code and site != ANY_SITE
        )
        told.append((f"{role.title}, {places}" if places else str(role.title), str(role.description)))
    return told
