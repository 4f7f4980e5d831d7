"""All addresses. Below ``/unblinded/`` everything runs on the unblinded login, everywhere else on the blinded one."""

from importlib.util import find_spec
from typing import Any

from django.urls import URLPattern, URLResolver, include, path

from trial.config import api, health
from trial.core.access import account_views as accounts
from trial.core.access import views as access
from trial.core.tokens import views as tokens
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
    path("work/", ui.all_work, name="home_work"),
    path("login/", access.sign_in, name="login"),
    path("logout/", access.sign_out, name="logout"),
    path("me/", accounts.me, name="me"),
    path("me/api/", tokens.token_list, name="tokens"),
    path("me/api/new/", tokens.token_new, name="token_new"),
    path("me/api/<uuid:key>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("healthz", health.healthz, name="healthz"),
    path("roles/", accounts.role_matrix, name="roles"),
    *_mounted("history/", "trial.core.history.urls"),
    *_mounted("", "trial.core.ui.urls"),
    *_mounted("commitment/", "trial.participants.randomization.urls"),
    *_mounted("participants/", "trial.participants.urls"),
    *_mounted("assessments/", "assessments.urls"),
    *_mounted("analysis/", "analysis.urls"),
]

unblinded_side: Urls = [
    path("", ui.home, name="unblinded_home"),
    path("work/", ui.all_work, name="unblinded_home_work"),
    path("login/", access.sign_in, name="unblinded_login"),
    path("logout/", access.sign_out, name="unblinded_logout"),
    path("setup/", accounts.setup, name="unblinded_setup"),
    path("me/", accounts.me, name="unblinded_me"),
    path("me/api/", tokens.token_list, name="unblinded_tokens"),
    path("me/api/new/", tokens.token_new, name="unblinded_token_new"),
    path("me/api/<uuid:key>/revoke/", tokens.token_revoke, name="unblinded_token_revoke"),
    *_mounted("history/", "trial.core.history.behind_urls"),
    *_mounted("accounts/", "trial.core.access.urls"),
    *_mounted("allocations/", "trial.unblinded.randomization.urls"),
    *_mounted("treatment/", "trial.unblinded.sessions.urls"),
    *_mounted("fidelity/", "trial.unblinded.sessions.fidelity_urls"),
    *_mounted("records/", "trial.unblinded.records.urls"),
    *_mounted("events/", "trial.unblinded.events.urls"),
    *_mounted("participants/", "trial.unblinded.people.way_in_urls"),
    *_mounted("people/", "trial.unblinded.people.urls"),
    *_mounted("code-break/", "trial.unblinded.disclosure.code_break.urls"),
    *_mounted("disclosure/", "trial.unblinded.disclosure.urls"),
    *_mounted("analysis/", "analysis.unblinded.urls"),
]

urlpatterns: Urls = [
    path("api/", include(api.open_api(open_side))),
    *open_side,
    path("unblinded/api/", include(api.unblinded_api(unblinded_side))),
    path("unblinded/", include(unblinded_side)),
]
