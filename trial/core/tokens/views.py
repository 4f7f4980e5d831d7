"""Tokens: one's own under My account, on one's own side; anybody's among the accounts, for administrators."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from trial.core import side
from trial.core.access.pages import page
from trial.core.access.person import Request
from trial.core.access.presenters import crumbs
from trial.core.access.roles import EVERYBODY, Administrator
from trial.core.api.schema import routes_for
from trial.core.errors import Refused
from trial.core.models import User
from trial.core.tokens import actions, presenters, queries
from trial.core.tokens.forms import TokenForm
from trial.core.ui.forms import posted, status_of


def _here(name: str, *args: Any) -> str:
    """The address of this name on the side of the request."""
    return reverse(name if side.current() == side.OPEN else f"unblinded_{name}", args=args)


def _crumbs(*more: str) -> list[tuple[str, str]]:
    steps = [(_("My account"), _here("me")), (_("API"), _here("tokens")), *((name, "") for name in more)]
    return [*steps[:-1], (steps[-1][0], "")]


@page(roles=EVERYBODY)
def token_list(request: Request) -> HttpResponseBase:
    """My tokens on this side, and what a program can ask with them."""
    user = User.objects.get(pk=request.person.user_id)
    context = {
        "title": _("API"),
        "lead": _("For programs that read and write in your name: the same data, roles and sites as your pages."),
        "crumbs": _crumbs(),
        "tokens": presenters.token_table(queries.tokens_of(user), user, lambda token: _here("token_revoke", token.pk)),
        "routes": presenters.route_table(routes_for(request.person)),
        "new_url": _here("token_new"),
        "schema_url": reverse("api_schema" if side.current() == side.OPEN else "unblinded_api_schema"),
    }
    return render(request, "accounts/tokens.html", context)


@page(roles=EVERYBODY)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def token_new(request: Request) -> HttpResponseBase:
    """Make a token. The page that answers shows it once."""
    form = TokenForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.make_token(**form.cleaned_data, by=request.person)
            context: dict[str, Any] = {
                "title": _("Your new token"),
                "lead": _("Copy it now: it is kept nowhere, and this page does not come again."),
                "crumbs": _crumbs(_("New token")),
                "token": made,
                "facts": [(_("Name"), form.cleaned_data["name"]), (_("Last day"), form.cleaned_data["last_day"])],
                "back_url": _here("tokens"),
            }
            return render(request, "accounts/token.html", context)
        except Refused as refusal:
            fields = {
                "password_wrong": "password",
                "last_day": "last_day",
                "name_taken": "name",
                "name_missing": "name",
            }
            form.add_error(fields.get(refusal.code), str(refusal.message))
    context = {
        "title": _("Make a token"),
        "lead": _(
            "It opens what your roles open, on this side only, until its last day or until you change your password."
        ),
        "crumbs": _crumbs(_("New token")),
        "form": form,
        "submit": _("Make a token"),
        "cancel_url": _here("tokens"),
    }
    return render(request, "accounts/form.html", context, status=status_of(form))


@page(roles=EVERYBODY)
@require_http_methods(["GET", "POST"])
def token_revoke(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Revoke one of my tokens."""
    token = queries.own_token(key, request.person.user_id)
    if token is None:
        raise Http404
    return _revoke(request, token, _here("tokens"), _crumbs(token.name))


def _revoke(request: Request, token: Any, back: str, way: Any) -> HttpResponseBase:
    if request.method == "POST":
        actions.revoke_token(token=token, by=request.person)
        messages.success(request, _("The token is revoked."))
        return redirect(back)
    title = _("Revoke the token “%(name)s”") % {"name": token.name}
    context = {
        "title": title,
        "crumbs": way,
        "facts": presenters.token_facts(token, get_object_or_404(User, pk=token.user_id)),
        "consequence": _("A program that uses it is refused from now on. This cannot be undone."),
        "submit": title,
        "cancel_url": back,
    }
    return render(request, "confirm.html", context)


@page(roles=(Administrator,))
def account_tokens(request: Request, username: str) -> HttpResponseBase:
    """The tokens of an account, on either side."""
    user = get_object_or_404(User, username=username)
    account = reverse("account", args=[username])
    table = presenters.token_table(
        queries.every_token_of(user), user, lambda token: reverse("account_token_revoke", args=[token.pk])
    )
    context = {
        "title": _("Tokens of %(name)s") % {"name": user.full_name},
        "crumbs": crumbs((user.full_name, account), (_("Tokens"), "")),
        "table": table,
    }
    return render(request, "accounts/account_tokens.html", context)


@page(roles=(Administrator,))
@require_http_methods(["GET", "POST"])
def account_token_revoke(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Revoke somebody's token."""
    token = queries.any_token(key)
    if token is None:
        raise Http404
    user = get_object_or_404(User, pk=token.user_id)
    back = reverse("account_tokens", args=[user.username])
    return _revoke(
        request,
        token,
        back,
        crumbs((user.full_name, reverse("account", args=[user.username])), (_("Tokens"), back), (token.name, "")),
    )
