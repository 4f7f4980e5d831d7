"""Accounts: the first administrators, accounts and roles, one's own password. Administrators see no trial row."""

import time
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from trial.core import db, side
from trial.core.access import actions, presenters
from trial.core.access.forms import AccountForm, FirstPasswordForm, PasswordForm, RoleForm, SetupForm
from trial.core.access.pages import page, public
from trial.core.access.person import Request
from trial.core.access.refusals import VISITOR, note_refusal
from trial.core.access.roles import EVERYBODY, Administrator, Investigator, Monitor
from trial.core.access.signing import prove
from trial.core.access.views import mark_reentry
from trial.core.errors import Refused
from trial.core.models import ANY_SITE, Membership, Refusal, SetupToken, User
from trial.core.ui.tables import csv_response, page_of

SETUP = db.System("setup")
PAGE_SIZE = 50
WRONG_TOKEN_DELAY = 1.0
"""Seconds that a wrong token takes to be answered: guessing 160 bits is hopeless, and this keeps it quiet as well."""


def _form_page(request: HttpRequest, form: Any, title: str, submit: str, **more: Any) -> HttpResponse:
    status = 422 if form.is_bound and not form.is_valid() else 200
    context = {"title": title, "form": form, "submit": submit, **more}
    return render(request, "accounts/form.html", context, status=status)


@public()
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponseBase:
    """The first two administrators, with the one-time token. Not there once they exist, or while no token was issued."""
    if actions.administrators_exist() or not SetupToken.objects.filter(used_at=None).exists():
        raise Http404
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with db.identity(SETUP):
                actions.make_first_administrators(token=form.cleaned_data["token"], accounts=form.accounts(), by=SETUP)
            messages.success(request, _("Both administrators exist. Sign in as one of them."))
            return redirect("unblinded_login")
        except Refused as refusal:
            form.add_error(_field_of(refusal, form), str(refusal.message))
            if refusal.code == "token_wrong":
                note_refusal(Refusal.What.TOKEN, place="unblinded_setup", by=VISITOR)
                time.sleep(WRONG_TOKEN_DELAY)
    lead = _("Two persons make the accounts of this trial; a role behind the wall takes both. They see no trial data.")
    return _form_page(request, form, _("Set up this trial"), _("Make both administrators"), lead=lead)


def _field_of(refusal: Refused, form: SetupForm) -> str | None:
    """The field that a refusal speaks about."""
    if refusal.code == "token_wrong":
        return "token"
    return "username_2" if refusal.code == "same_person" else None


@page(roles=(Administrator,))
def account_list(request: Request) -> HttpResponseBase:
    """Everybody with an account, and the roles in force or waiting."""
    waiting = Membership.objects.filter(confirmed_at=None, ended_at=None).count()
    context = {
        "title": _("Accounts"),
        "lead": _("%(count)d roles wait for confirmation") % {"count": waiting} if waiting else "",
        "table": presenters.account_table(),
    }
    return render(request, "accounts/list.html", context)


@page(roles=(Administrator,))
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_new(request: Request) -> HttpResponseBase:
    """Make an account."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.create_account(**form.cleaned_data, by=request.person)
            messages.info(request, _("The account exists. It opens nothing until it has a role."))
            return redirect("account", user.username)
        except Refused as refusal:
            form.add_error("username" if refusal.code == "username_taken" else None, str(refusal.message))
    way = presenters.crumbs((_("New account"), ""))
    more = {"crumbs": way, "cancel_url": reverse("accounts")}
    return _form_page(request, form, _("New account"), _("Make account"), **more)


@page(roles=(Administrator,))
@require_http_methods(["GET", "POST"])
def account(request: Request, username: str) -> HttpResponseBase:
    """One account: its roles, and a form to give another."""
    user = get_object_or_404(User, username=username)
    form = RoleForm(request.POST or None, sites=presenters.site_names().items())
    if request.method == "POST" and form.is_valid():
        try:
            site = form.cleaned_data["site"] or ANY_SITE
            actions.give_role(user=user, role=form.cleaned_data["role"], site=site, by=request.person)
            return redirect("account", user.username)
        except Refused as refusal:
            form.add_error("site" if refusal.code == "role_site" else "role", str(refusal.message))
    lines = presenters.role_lines(user, request.person)
    context = {
        "title": user.full_name,
        "over": user.username,
        "crumbs": presenters.crumbs((user.full_name, "")),
        "lines": lines,
        "roles": presenters.role_line_table(lines),
        "is_me": user.pk == request.person.user_id,
        "username": user.username,
        "user_has_password": user.has_usable_password(),
        "form": form,
        "history": presenters.account_history(user),
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "accounts/account.html", context, status=status)


@page(roles=(Administrator,))
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_password(request: Request, username: str) -> HttpResponseBase:
    """Set a new first password for somebody who has none or forgot it."""
    user = get_object_or_404(User, username=username)
    form = FirstPasswordForm(request.POST or None)
    back = reverse("account", args=[user.username])
    if request.method == "POST" and form.is_valid():
        try:
            actions.reset_password(user=user, password=form.cleaned_data["password"], by=request.person)
            messages.success(
                request, _("The password is set. Tell it to the person in private; they change it under My account.")
            )
            return redirect(back)
        except Refused as refusal:
            form.add_error("password", str(refusal.message))
    title = _("Set a new password for %(name)s") % {"name": user.full_name}
    more = {"crumbs": presenters.crumbs((user.full_name, back), (_("New password"), "")), "cancel_url": back}
    return _form_page(request, form, title, _("Set the password"), **more)


@page(roles=(Administrator,))
@require_http_methods(["GET", "POST"])
def role_step(request: Request, key: uuid.UUID, step: str) -> HttpResponseBase:
    """Confirm or end a role: a page with the facts first."""
    membership = get_object_or_404(Membership.objects.select_related("user"), pk=key)
    change = {"confirm": actions.confirm_role, "end": actions.end_role}.get(step)
    if change is None:
        raise Http404
    back = reverse("account", args=[membership.user.username])
    if request.method == "POST":
        try:
            change(membership=membership, by=request.person)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
        return redirect(back)
    line = presenters.line_of(membership, request.person, presenters.site_names())
    if not (line.may_confirm if step == "confirm" else line.may_end):
        return redirect(back)
    told = {"role": line.role.title, "name": membership.user.full_name}
    if step == "confirm":
        title = _("Confirm %(role)s for %(name)s") % told
        consequence = _(
            "The role is in force at once. Whoever has held a role behind the wall gets no blind one later."
        )
    else:
        title = _("End %(role)s of %(name)s") % told
        consequence = _("The role ends at once and is not given back; a new one takes the same steps as the first.")
    context = {
        "title": title,
        "crumbs": presenters.crumbs((membership.user.full_name, back), (title, "")),
        "facts": presenters.role_facts(line),
        "consequence": consequence,
        "submit": title,
        "cancel_url": back,
    }
    return render(request, "confirm.html", context)


@page(roles=(Administrator, Monitor, Investigator))
def role_matrix(request: Request) -> HttpResponseBase:
    """Every role as the program knows it, and who holds and held it from when to when. Mounted on both sides.

    Who holds a role depends on nobody's arm. Only administrators, on their own side, get from here to the accounts.
    """
    if request.GET.get("format") == "csv":
        return csv_response(presenters.role_table(), "roles")
    context = {
        "title": _("Roles"),
        "lead": _("What each role opens, and who holds and held it. One person holds roles of one side only."),
        "matrix": presenters.role_matrix(),
        "roles": SimpleLazyObject(presenters.role_table),
        "links_accounts": request.person.holds(Administrator),
    }
    return render(request, "accounts/roles.html", context)


@page(roles=(Administrator,))
def refusals(request: Request) -> HttpResponseBase:
    """Who was refused what, newest first: pages of other roles, wrong passwords and tokens. It names no participant."""
    found = list(Refusal.objects.order_by("-at", "id"))
    if request.GET.get("format") == "csv":
        return csv_response(presenters.refusal_table(found), "refused-attempts")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    context = {
        "title": _("Refused attempts"),
        "lead": _("Pages of other roles, and wrong passwords, names and tokens. Nothing was changed by any of them."),
        "table": presenters.refusal_table(rows, "?format=csv", position),
    }
    return render(request, "accounts/refusals.html", context)


@page(roles=EVERYBODY, opens_first=True)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def me(request: Request) -> HttpResponseBase:
    """Who I am here, and my password."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prove(person=request.person, password=form.cleaned_data["present"], place="me")
            user = User.objects.get(pk=request.person.user_id)
            actions.change_password(user=user, password=form.cleaned_data["password"], by=request.person)
            update_session_auth_hash(request, user)
            if side.current() == side.UNBLINDED:
                mark_reentry(request, request.person)
            messages.success(request, _("Your password is changed. Everywhere else you are signed out."))
            return redirect(request.path)
        except Refused as refusal:
            form.add_error("present" if refusal.code == "password_wrong" else "password", str(refusal.message))
    context = {
        "title": _("My account"),
        "facts": [(_("Name"), request.person.name), (_("User name"), request.person.username)],
        "lead": _("Choose a password that only you know; the one you were given has done its work.")
        if request.person.must_change_password
        else "",
        "roles": presenters.own_roles(request.person),
        "tokens_url": ""
        if request.person.must_change_password
        else reverse("tokens" if side.current() == side.OPEN else "unblinded_tokens"),
        "form": form,
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "accounts/me.html", context, status=status)
