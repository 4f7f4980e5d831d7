"""Forms of the accounts pages."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core.access.actions import NewAccount
from trial.core.access.presenters import role_choices
from trial.core.models import ANY_SITE
from trial.core.ui import forms


class SetupForm(forms.Form):
    """The first two administrators."""

    token = forms.TextField(_("One-time token"), hint=_("The command that started Equipoise printed it."), width=44)
    name_1 = forms.TextField(_("Full name of the first administrator"))
    username_1 = forms.TextField(
        _("User name of the first administrator"), hint=_("Lower-case letters, digits, point, dash and underscore.")
    )
    password_1 = forms.PasswordField(
        _("Password of the first administrator"), hint=_("At least 12 characters."), autocomplete="new-password"
    )
    name_2 = forms.TextField(_("Full name of the second administrator"))
    username_2 = forms.TextField(
        _("User name of the second administrator"), hint=_("Lower-case letters, digits, point, dash and underscore.")
    )
    password_2 = forms.PasswordField(
        _("Password of the second administrator"), hint=_("At least 12 characters."), autocomplete="new-password"
    )
    sections = (
        forms.Section(_("Token"), ["token"]),
        forms.Section(_("First administrator"), ["name_1", "username_1", "password_1"]),
        forms.Section(_("Second administrator"), ["name_2", "username_2", "password_2"]),
    )

    def clean(self) -> dict[str, Any]:
        """Two persons, two passwords: what takes both of them rests on it."""
        data = self.cleaned_data
        if data.get("password_1") and data.get("password_1") == data.get("password_2"):
            self.add_error(
                "password_2", _("The second administrator has a password of their own. Each types it alone.")
            )
        return data

    def accounts(self) -> tuple[NewAccount, NewAccount]:
        """The two accounts as typed."""
        d = self.cleaned_data
        return (
            NewAccount(d["username_1"], d["name_1"], d["password_1"]),
            NewAccount(d["username_2"], d["name_2"], d["password_2"]),
        )


class AccountForm(forms.Form):
    """One new account."""

    full_name = forms.TextField(_("Full name"), hint=_("As it is printed under signatures."))
    username = forms.TextField(
        _("User name"),
        hint=_("Lower-case letters, digits, point, dash and underscore. It is never given to somebody else."),
    )
    password = forms.PasswordField(
        _("First password"),
        hint=_("At least 12 characters. The person must change it before anything else."),
        autocomplete="new-password",
    )


class RoleForm(forms.Form):
    """A role for somebody, at a site where the role belongs to one."""

    role = forms.SelectField(
        _("Role"),
        choices=role_choices(),
        hint=_("In force at once on the open side; else a second administrator confirms it."),
    )
    site = forms.SelectField(_("Site"), choices=[], hint=_("Only for roles that belong to a site."), required=False)

    def __init__(self, *args: Any, sites: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["site"]
        field.choices = [(ANY_SITE, _("Whole trial")), *sites]


class FirstPasswordForm(forms.Form):
    """A first password for somebody else."""

    password = forms.PasswordField(
        _("First password"),
        hint=_("At least 12 characters. The person must change it before anything else."),
        autocomplete="new-password",
    )


class PasswordForm(forms.Form):
    """One's own password, changed."""

    present = forms.PasswordField(_("Present password"))
    password = forms.PasswordField(_("New password"), hint=_("At least 12 characters."), autocomplete="new-password")
