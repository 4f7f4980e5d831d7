"""Changes to accounts and memberships. Memberships are written on the unblinded side only (the database refuses the other)."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import clock, db, ids
from trial.core.access.person import Person
from trial.core.access.roles import ALL, BY_CODE, Administrator, Role
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.models import ANY_SITE, Membership, Refusal, SetupToken, User

ADDRESSES = frozenset({"new", "roles", "refusals"})
"""Names that would stand where the station of accounts has other pages."""


def _must_administer(by: Any) -> None:
    if isinstance(by, Person):
        by.must_hold(Administrator)


@action
def create_account(*, username: str, full_name: str, password: str, by: db.Actor) -> User:
    """Make an account for one person. Refuses a name that is taken (names are never given again) and a weak password."""
    _must_administer(by)
    username = username.strip().lower()
    if username in ADDRESSES or User.objects.filter(username=username).exists():
        raise Refused(
            "username_taken",
            _("The user name %(name)s is taken. Names are never given to another person.") % {"name": username},
        )
    user = User(username=username, full_name=full_name.strip())
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("account_invalid", " ".join(error.messages)) from error
    user.password = make_password(password)
    user.must_change_password = isinstance(by, Person)
    user.save(force_insert=True)
    return user


@action
def give_role(*, user: User, role: str, site: str = ANY_SITE, by: db.Actor) -> Membership:
    """Give a role. On the open side it is in force at once; a role of another side waits for a second administrator.

    Refuses an unknown role, a missing site, roles of both sides, an administrator who gives a role to themself, and at each site that of
    the two coordinators which the protocol does not have there.
    """
    _must_administer(by)
    kind = BY_CODE.get(role)
    if kind is None:
        raise Refused("role_unknown", _("There is no role %(role)s.") % {"role": role})
    if by.actor_id == str(user.pk):
        raise Refused("role_self", _("Nobody gives a role to themself. Ask another administrator."))
    if kind.site_scoped and site == ANY_SITE:
        raise Refused("role_site", _("%(role)s belongs to a site: choose one.") % {"role": kind.title})
    site = site if kind.site_scoped else ANY_SITE
    _refuse_elsewhere(kind, site)
    _refuse_both_sides(user, kind.side, kind.code)
    _refuse_excluded(user, kind)
    now = clock.now()
    at_once = kind.side == "open" or by.actor_id.startswith("system:")
    membership = Membership(user=user, role=role, site=site, granted_at=now, granted_by=by.actor_id)
    if at_once:
        membership.confirmed_at = now
        membership.confirmed_by = "system:open-side" if kind.side == "open" else by.actor_id
    if Membership.objects.filter(user=user, role=role, site=site, ended_at=None).exists():
        raise Refused("role_held", _("%(name)s already holds this role there.") % {"name": user.full_name})
    membership.save(force_insert=True)
    return membership


def _refuse_elsewhere(kind: type[Role], site: str) -> None:
    """Whether the coordinator of a site sees allocations is a setting of the protocol, and decides on which side they work."""
    if kind.where_seen is None or import_string(settings.SEES_ALLOCATION)(site) is kind.where_seen:
        return
    if kind.where_seen:
        message = _(
            "At this site the coordinator is blind: the protocol does not set coordinator_sees_allocation. Give the role %(other)s."
        )
    else:
        message = _("At this site the coordinator sees allocations, as the protocol says. Give the role %(other)s.")
    other = next(role.title for role in ALL if role.where_seen is not None and role.where_seen is not kind.where_seen)
    raise Refused("role_elsewhere", message % {"other": other})


def _refuse_both_sides(user: User, wanted: str, code: str) -> None:
    for role, ended in user.memberships.values_list("role", "ended_at"):
        held = BY_CODE[role].side if role in BY_CODE else wanted
        if held != wanted and (ended is None or (held == "unblinded" and wanted == "open")):
            raise Refused(
                "role_sides",
                _(
                    "%(name)s holds or has held a role of another side (%(role)s); one person holds roles of one side only."
                )
                % {"name": user.full_name, "role": BY_CODE[role].title},
            )


def _refuse_excluded(user: User, kind: type[Role]) -> None:
    held = user.memberships.filter(ended_at=None, role__in=kind.excludes).values_list("role", flat=True)
    if held:
        raise Refused(
            "role_excluded",
            _(
                "%(name)s is %(held)s, and nobody is both: %(role)s must not know, or be able to know, what the other knows."
            )
            % {"name": user.full_name, "held": BY_CODE[held[0]].title, "role": kind.title},
        )


@action
def confirm_role(*, membership: Membership, by: Person) -> Membership:
    """Confirm a role that another administrator gave. It is in force from now.

    For somebody who has worked on the open side the password ends with it: it could have been written with the open side's login. An
    administrator sets a new one.
    """
    by.must_hold(Administrator)
    if membership.confirmed_at is not None or membership.ended_at is not None:
        return membership
    if membership.granted_by == by.actor_id:
        raise Refused(
            "confirm_self", _("The administrator who gave a role does not confirm it. Ask a second administrator.")
        )
    user = membership.user
    worked_open = any(
        BY_CODE[code].side == "open" for code in user.memberships.values_list("role", flat=True) if code in BY_CODE
    )
    if BY_CODE[membership.role].side != "open" and worked_open and user.has_usable_password():
        # the row is taken first: nobody writes the password between this and the confirmation
        User.objects.select_for_update().get(pk=user.pk)
        user.set_unusable_password()
        user.save(update_fields=["password"])
    membership.confirmed_at, membership.confirmed_by = clock.now(), by.actor_id
    membership.save(update_fields=["confirmed_at", "confirmed_by"])
    return membership


@action
def reset_password(*, user: User, password: str, by: db.Actor) -> None:
    """Set a new first password for somebody who has none or forgot it; they change it at their first visit. Refuses a weak one."""
    _must_administer(by)
    if by.actor_id == str(user.pk):
        raise Refused("password_self", _("Your own password is changed under My account."))
    _set_password(user, password, known_to_others=isinstance(by, Person))


def _set_password(user: User, password: str, *, known_to_others: bool = False) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("password_weak", " ".join(error.messages)) from error
    user.password, user.must_change_password = make_password(password), known_to_others
    user.save(update_fields=["password", "must_change_password"])
    user.refresh_from_db(fields=["password_mark"])  # the session that goes on is bound to it


@action
def end_role(*, membership: Membership, by: Person) -> Membership:
    """End a role now. What it was stays on record. Refuses to leave the trial with fewer than two administrators."""
    by.must_hold(Administrator)
    if membership.ended_at is None:
        if membership.role == Administrator.code and membership.confirmed_at is not None:
            _must_leave_two(membership)
        membership.ended_at, membership.ended_by = clock.now(), by.actor_id
        membership.save(update_fields=["ended_at", "ended_by"])
    return membership


def _must_leave_two(membership: Membership) -> None:
    """With one administrator left, no role behind the wall could ever be confirmed again."""
    left = Membership.objects.filter(role=Administrator.code, confirmed_at__isnull=False, ended_at=None)
    list(left.select_for_update().order_by("pk"))  # two at once take turns
    if left.exclude(pk=membership.pk).values("user").distinct().count() < 2:
        raise Refused(
            "administrators_two", _("A trial keeps two administrators. Appoint another one before you end this role.")
        )


@action
def record_sign_in(*, user: User, by: db.Actor) -> None:
    """Note the time of signing in, of somebody of the open side. When unblinded people come and go is theirs alone (see re-entry)."""
    user.last_login = clock.now()
    user.save(update_fields=["last_login"])


@action
def record_refusal(*, what: Refusal.What, place: str, by: db.Actor, about: str = "") -> None:
    """Drop a line about a refused attempt. Write-only on the open side; administrators read it.

    ``about`` is kept only if it is the name of an account: people type their password into the wrong field.
    """
    known = User.objects.filter(username=about.strip().lower()).exists()
    refusal = Refusal(what=what, place=place[-120:], about=about.strip().lower() if known else "", actor=by.actor_id)
    Refusal.objects.bulk_create([refusal])


@action
def change_password(*, user: User, password: str, by: Person) -> None:
    """Change one's own password. Refuses a weak one, and the one that somebody else knows."""
    if by.user_id != user.pk:
        raise Refused("password_other", _("Everybody changes their own password only."))
    if user.must_change_password and check_password(password, user.password):
        raise Refused("password_same", _("This is the password that you were given. Choose one that only you know."))
    _set_password(user, password)


def administrators_exist() -> bool:
    """Whether two administrators are in force; then the trial is set up."""
    held = Membership.objects.filter(role=Administrator.code, confirmed_at__isnull=False, ended_at=None)
    return held.values("user").distinct().count() >= 2


@action
def issue_setup_token(*, by: db.Actor) -> str:
    """A fresh one-time token for the first administrators; earlier ones are spent. Empty when administrators exist."""
    if administrators_exist():
        return ""
    SetupToken.objects.filter(used_at=None).update(used_at=clock.now())
    token = ids.token()
    SetupToken(sha256=_hash(token)).save(force_insert=True)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.strip().encode()).hexdigest()


@dataclass(frozen=True)
class NewAccount:
    """What somebody typed for one of the first two administrators."""

    username: str
    full_name: str
    password: str


@action
def make_first_administrators(*, token: str, accounts: tuple[NewAccount, NewAccount], by: db.Actor) -> list[User]:
    """Make the first two administrators, two persons, at once. Refuses a wrong or spent token, changing nothing."""
    if administrators_exist():
        raise Refused("set_up", _("The first administrators exist already."))
    spent = SetupToken.objects.filter(sha256=_hash(token), used_at=None).update(used_at=clock.now())
    if spent != 1:
        raise Refused(
            "token_wrong",
            _("This is not the token, or it has been used. The command that starts Equipoise prints a new one."),
        )
    if accounts[0].username.strip().lower() == accounts[1].username.strip().lower():
        raise Refused("same_person", _("Two persons are needed: give two user names."))
    made = []
    for account in accounts:
        user = create_account(username=account.username, full_name=account.full_name, password=account.password, by=by)
        give_role(user=user, role=Administrator.code, by=by)
        made.append(user)
    return made
