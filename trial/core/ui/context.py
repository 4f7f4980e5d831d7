"""What the shell shows on every page."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import side
from trial.core.access import Person
from trial.core.locking import locked_at
from trial.core.ui.stations import links_for


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of ``shell.html``: trial, site, person, role, side, stations, notice and the synthetic-data band.

    Whatever may ask the database is lazy: an error page, which is rendered after the unit of work, does not touch it.
    """
    person: Person | None = getattr(request, "person", None)
    here = side.of_path(request.path_info)
    own = person.side if person else here  # at the gate somebody of the open side keeps their own way home
    return {
        "trial_name": SimpleLazyObject(lambda: _said("TRIAL_NAME")),
        "notice": SimpleLazyObject(lambda: _said("TRIAL_NOTICE")),
        "locked_at": SimpleLazyObject(locked_at),
        "import_under_way": SimpleLazyObject(lambda: _said("TRIAL_NOTICE")),
        "demo": bool(getattr(settings, "DEMO", False)),
        "demo_text": SimpleLazyObject(demo_words),
        "side": "unblinded" if here == side.UNBLINDED else "default",
        "side_label": _("Unblinded side") if here == side.UNBLINDED else _("Open side"),
        "person": person,
        "role_label": ", ".join(str(role.title) for role in person.role_classes) if person else "",
        "site_label": SimpleLazyObject(lambda: _sites(person)),
        "stations": SimpleLazyObject(lambda: links_for(person, request.path_info)),
        "home_url": side.UNBLINDED_PATH if own == side.UNBLINDED else "/",
        "me_url": _address("unblinded_me") if own == side.UNBLINDED else _address("me"),
        "logout_url": _address("unblinded_logout", "logout") if own == side.UNBLINDED else _address("logout"),
    }


def demo_words() -> str:
    """What a demo world says of its data, wherever they stand."""
    return _said("TRIAL_BAND") or _("Synthetic data: nobody in this trial exists")


def _said(setting: str) -> str:
    named: str | Callable[[], str] = getattr(settings, setting, "")
    if not named:
        return ""
    says = import_string(named) if isinstance(named, str) else named
    return str(says())


def _sites(person: Person | None) -> str:
    if person is None or not person.sites:
        return ""
    if "*" in person.sites:
        return _("All sites")
    names: dict[str, str] = import_string(settings.SITE_NAMES)()
    return ", ".join(names.get(site, site) for site in sorted(person.sites))


def _address(*names: str) -> str:
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""
