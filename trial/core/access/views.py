"""The sign-in forms of both sides."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from trial.core import db, side
from trial.core.access.actions import record_sign_in
from trial.core.access.pages import page, public
from trial.core.access.person import Person, Request, person_of
from trial.core.access.refusals import VISITOR, note_refusal
from trial.core.access.roles import ALL, BY_CODE, EVERYBODY
from trial.core.models import Membership, Refusal, User
from trial.core.sessions import hashed
from trial.core.ui import forms

# Django's own receiver would write without an actor, and on the side of the form instead of the person's.
user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")


class SignInForm(forms.Form):
    """User name and password."""

    username = forms.TextField(
        gettext_lazy("User name"),
        max_length=60,
        autocomplete="username",
        error_messages={"required": gettext_lazy("Type your user name.")},
    )
    password = forms.PasswordField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}


def _sign_in_page(request: HttpRequest, form: SignInForm, **more: Any) -> HttpResponse:
    context = {
        "form": form,
        "title": _("Sign in"),
        "sent_here": side.current() == side.OPEN and request.GET.get("side") == "other",
        "demo_accounts": _demo_accounts() if settings.DEMO else [],
        **more,
    }
    return render(request, "login.html", context)


def _demo_accounts() -> list[tuple[str, str]]:
    """User name and role of the accounts that sign in at this form, for the page of a demo world."""
    codes = [role.code for role in ALL if (role.side == "open") == (side.current() == side.OPEN)]
    held = Membership.objects.filter(role__in=codes, confirmed_at__isnull=False, ended_at=None)
    found = held.order_by("user__username").values_list("user__username", "role").distinct()
    return sorted(((name, str(BY_CODE[role].title)) for name, role in found), key=lambda pair: pair[1])


@public(keeps_on_refusal=True)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in form, on either side. Somebody of the open side is checked at the other form without any write, and sent to their own.

    The open side cannot check anybody of the unblinded side: to it their password is a wrong one.
    """
    form = SignInForm(request.POST or None)
    if request.method != "POST":
        return _sign_in_page(request, form)
    if not form.is_valid():
        return _sign_in_page(request, form)
    user = authenticate(request, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
    if user is None:
        if getattr(request, "axes_locked_out", False):
            _note(Refusal.What.LOCKED_OUT, form)
            return locked_out(request, {})
        _note(Refusal.What.SIGN_IN, form)
        form.add_error(
            None,
            _("User name and password do not belong together. Check both, or use the form of the other side, below."),
        )
        return _sign_in_page(request, form)
    assert isinstance(user, User)  # noqa: S101 - our only backend returns our only account model
    person = person_of(user)
    if not person.roles:
        _note(Refusal.What.SIGN_IN, form)
        form.add_error(None, _("This account has no role in force. Ask an administrator of the trial."))
        return _sign_in_page(request, form)
    here = side.current()
    if person.side != here:
        return redirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'side': 'other'})}")
    login(request, user, backend="trial.core.access.sign_in.Backend")
    with db.identity(person):
        if here == side.UNBLINDED:
            mark_reentry(request, person)
        else:
            record_sign_in(user=user, by=person)
    return HttpResponseRedirect(_target(request))


def _note(what: Refusal.What, form: SignInForm) -> None:
    place = settings.LOGIN_URL if side.current() == side.OPEN else settings.UNBLINDED_LOGIN_URL
    note_refusal(what, place=place, about=form.cleaned_data["username"], by=VISITOR)


def mark_reentry(request: HttpRequest, person: Person) -> None:
    """Bind the session, under the key that it has now, to this person's proof at the form of the unblinded side."""
    import_string(settings.ON_REENTRY)(session=hashed(request.session.session_key or ""), by=person)


def _target(request: HttpRequest) -> str:
    """Where to go after signing in: what ``next`` names, as long as it stays on this host and this side."""
    wanted = request.GET.get("next", "")
    home = reverse("home") if side.current() == side.OPEN else reverse("unblinded_home")
    if not wanted or not url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
        return home
    path = unquote(urlsplit(wanted).path)
    # a browser resolves these steps, and could leave the side by them
    if {".", ".."} & set(path.split("/")) or side.of_path(path) != side.current():
        return home
    return wanted


@page(roles=EVERYBODY, opens_first=True)
@require_POST
def sign_out(request: Request) -> HttpResponseBase:
    """End the session and go back to the form."""
    if side.current() == side.UNBLINDED:
        import_string(settings.ON_LEAVING)(session=hashed(request.session.session_key or ""), by=request.person)
    logout(request)
    return redirect(settings.LOGIN_URL if side.current() == side.OPEN else settings.UNBLINDED_LOGIN_URL)


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many failed attempts: what happened and what to do, with status 429."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    response = _sign_in_page(request, SignInForm(), locked_minutes=minutes, has_errors=True)
    response.status_code = 429
    response.headers["Retry-After"] = str(minutes * 60)
    return response
