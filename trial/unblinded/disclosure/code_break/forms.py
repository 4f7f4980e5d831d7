"""Forms of the code-break: one number, and the password; later the reason."""

from django.utils.translation import gettext_lazy as _

from trial.core.ui import forms


class BreakForm(forms.Form):
    """Whose arm. One participant; the password again."""

    number = forms.TextField(
        _("Number of the participant"), hint=_("Eight digits, such as 0147 2231."), width=12, max_length=20
    )
    password = forms.PasswordField(
        _("Your password"), hint=_("Typing it breaks the code with your name and the time, in the ledger for good.")
    )


class ReasonForm(forms.Form):
    """Why the code was broken."""

    number = forms.TextField(_("Number of the participant"), width=12, max_length=20)
    words = forms.TextAreaField(
        _("Reason"), hint=_("Only unblinded staff read this. You can't read it again."), max_length=2000
    )
