"""The filter of the ledger."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from trial.core.ui import forms
from trial.unblinded.disclosure.ledger import KINDS, Wanted

NAMES = ("person", "kind", "participant", "first", "last")


class LedgerFilter(forms.Form):
    """Which lines of the ledger are seen."""

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = forms.SelectField(_("Person"), choices=people, blank=_("All"), required=False)
        self.fields["kind"] = forms.SelectField(_("Kind"), choices=list(KINDS.items()), blank=_("All"), required=False)
        self.fields["participant"] = forms.TextField(_("Participant"), required=False, width=10)
        self.fields["first"] = forms.TextField(_("From (YYYY-MM-DD)"), required=False, width=10)
        self.fields["last"] = forms.TextField(_("Until (YYYY-MM-DD)"), required=False, width=10)

    def wanted(self) -> Wanted:
        """What was asked for; what is no person, kind, number or day filters nothing."""
        self.is_valid()
        said = self.cleaned_data
        return Wanted(
            person=said.get("person") or "",
            kind=said.get("kind") or "",
            participant="".join((said.get("participant") or "").split()),
            first=_day(said.get("first") or ""),
            last=_day(said.get("last") or ""),
        )

    def query(self) -> str:
        """The filters that are set, for an address."""
        return urlencode({name: self.data[name] for name in NAMES if self.data.get(name)})


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
