"""A person: an account with the memberships that are in force now."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpRequest

from trial.core import db, side
from trial.core.access.roles import BY_CODE, Role
from trial.core.errors import NotAllowed
from trial.core.models import ANY_SITE, User


@dataclass(frozen=True)
class Person:
    """Somebody at work: identity, roles and sites, as they are in force at the beginning of the unit of work."""

    user_id: uuid.UUID
    username: str
    name: str
    roles: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Pairs of role code and site code (``*`` for trial-wide)."""
    must_change_password: bool = False
    """An administrator typed the password: nothing opens before the person has chosen their own."""

    @property
    def actor_id(self) -> str:
        return str(self.user_id)

    @property
    def role_classes(self) -> list[type[Role]]:
        """The roles in force, in the order of the role list."""
        held = {code for code, _ in self.roles}
        return [role for code, role in BY_CODE.items() if code in held]

    @property
    def side(self) -> side.Side:
        """The side this person works on. Administrators work below ``/unblinded/accounts/``."""
        return side.OPEN if all(role.side == "open" for role in self.role_classes) else side.UNBLINDED

    @property
    def sites(self) -> frozenset[str]:
        """Site codes; ``{"*"}`` for a trial-wide role, empty for an administrator."""
        sites = {site for code, site in self.roles if BY_CODE[code].side != "accounts"}
        return frozenset({ANY_SITE}) if ANY_SITE in sites else frozenset(sites)

    @property
    def scope(self) -> str:
        """The sites as the row policy reads them."""
        if ANY_SITE in self.sites:
            return db.EVERY_SITE
        return "," + ",".join(sorted(self.sites)) + "," if self.sites else db.NO_SITE

    def holds(self, *roles: type[Role], site: str | None = None) -> bool:
        """Whether one of ``roles`` is held; with ``site``, at that site or trial-wide."""
        wanted = {role.code for role in roles}
        return any(code in wanted and (site is None or at in (site, ANY_SITE)) for code, at in self.roles)

    def must_hold(self, *roles: type[Role], site: str | None = None) -> None:
        """Refuse (``NotAllowed``) unless one of ``roles`` is held."""
        if not self.holds(*roles, site=site):
            from django.utils.translation import gettext as _

            titles = ", ".join(str(role.title) for role in roles)
            raise NotAllowed("role", _("This needs the role: %(roles)s.") % {"roles": titles})


def _person(user: User, roles: Iterable[tuple[str, str]]) -> Person:
    known = frozenset((code, site) for code, site in roles if code in BY_CODE)
    return Person(user.pk, user.username, user.full_name, known, user.must_change_password)


def person_of(user: User) -> Person:
    """The person of an account, with the memberships that are confirmed and not ended. One query."""
    rows = user.memberships.filter(confirmed_at__isnull=False, ended_at=None).values_list("role", "site")
    return _person(user, rows)


class Request(HttpRequest):
    """A request as our views see it: with the person. On a public page nobody may have signed in; use :class:`HttpRequest` there."""

    person: Person
