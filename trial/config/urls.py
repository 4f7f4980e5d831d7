"""All addresses. Below ``/unblinded/`` everything runs on the unblinded login, everywhere else on the blinded one."""

from importlib.util import find_spec
from typing import Any

from django.urls import URLPattern, URLResolver, include, path

from trial.config import health
from trial.core.access import account_views as accounts
from trial.core.access import views as access
from trial.core.ui import views as ui

Urls = list[URLPattern | URLResolver]


def _mounted(prefix: str, module: str, **kwargs: Any) -> Urls:
    """The addresses of a package that is part of this build."""
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    return [path(prefix, include(module), **kwargs)] if found else []


open_side: Urls = [
    path("", ui.home, name="home"),
    path("login/", access.sign_in, name="login"),
    path("logout/", access.sign_out, name="logout"),
    path("me/", accounts.me, name="me"),
    path("healthz", health.healthz, name="healthz"),
    path("roles/", accounts.role_matrix, name="roles"),
    *_mounted("", "trial.core.ui.urls"),
    *_mounted("commitment/", "trial.participants.randomization.urls"),
    *_mounted("participants/", "trial.participants.urls"),
    *_mounted("assessments/", "assessments.urls"),
    *_mounted("analysis/", "analysis.urls"),
]

unblinded_side: Urls = [
    path("", ui.home, name="unblinded_home"),
    path("login/", access.sign_in, name="unblinded_login"),
    path("logout/", access.sign_out, name="unblinded_logout"),
    path("setup/", accounts.setup, name="unblinded_setup"),
    path("me/", accounts.me, name="unblinded_me"),
    *_mounted("accounts/", "trial.core.access.urls"),
    *_mounted("allocations/", "trial.unblinded.randomization.urls"),
    *_mounted("treatment/", "trial.unblinded.sessions.urls"),
    *_mounted("fidelity/", "trial.unblinded.sessions.fidelity_urls"),
    *_mounted("records/", "trial.unblinded.records.urls"),
    *_mounted("people/", "trial.unblinded.people.urls"),
    *_mounted("disclosure/", "trial.unblinded.disclosure.urls"),
    *_mounted("analysis/", "analysis.unblinded.urls"),
]

urlpatterns: Urls = [*open_side, path("unblinded/", include(unblinded_side))]
