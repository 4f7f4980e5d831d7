"""The filters of the history page, and the forms of a redaction."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core.models import RedactionBase
from trial.core.ui import forms
from trial.core.ui.text import Text

Named = Iterable[tuple[str, Text]]


class HistoryFilter(forms.Form):
    """Which lines of the history are seen."""

    def __init__(
        self,
        *args: Any,
        tables: Named,
        people: Named,
        actions: Named,
        months: list[dt.date],
        sites: Named,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        listed = [(f"{month:%Y-%m}", f"{month:%b %Y}") for month in months]
        for name, label, offered in (
            ("table_name", _("Record"), tables),
            ("actor", _("Person"), people),
            ("action", _("Step"), actions),
            ("since", _("From"), listed),
            ("until", _("Until"), listed),
            ("site", _("Site"), sites),
        ):
            self.fields[name] = forms.SelectField(label, choices=list(offered), blank=_("All"), required=False)
        self.fields["participant"] = forms.TextField(_("Participant"), required=False)


class AskForm(forms.Form):
    """Why a text is to be redacted; and which one, where the line holds several."""

    reason = forms.ChoiceField(_("Why must it go?"), choices=RedactionBase.Reason.choices)

    def __init__(self, *args: Any, fields: list[tuple[str, Text]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(fields) > 1:
            self.fields["field"] = forms.ChoiceField(_("Which text?"), choices=fields)


class DecideForm(forms.Form):
    """What becomes of it, signed."""

    decision = forms.ChoiceField(
        _("What becomes of the text?"),
        choices=[("redact", _("Redact it, for good")), ("leave", _("Leave it as it is"))],
    )
    password = forms.PasswordField(_("Your password"))
