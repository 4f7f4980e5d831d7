"""The form that makes a token."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms

USUAL = dt.timedelta(days=90)


class TokenForm(forms.Form):
    """A name, a last day, and the password again."""

    name = forms.TextField(
        _("Name"), hint=_("Which program will use it, such as “monthly report”."), width=20, max_length=60
    )
    last_day = forms.DateField(_("Last day"), hint=_("At most a year from now."), initial=lambda: clock.today() + USUAL)
    password = forms.PasswordField(_("Your password"), hint=_("Whoever has the token acts in your name."))
