"""Forms of errors of randomization: coded, without free text."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock, ids
from trial.core.ui import forms
from trial.participants.randomization.models import RandomizationError

Kind, Reason = RandomizationError.Kind, RandomizationError.Reason

KINDS = {
    Kind.WRONG_STRATUM: _("Randomized in the wrong stratum"),
    Kind.INELIGIBLE: _("Not eligible"),
    Kind.DUPLICATE: _("The same person was randomized twice"),
    Kind.TOO_EARLY: _("Randomized too early"),
}
REASONS = {
    Reason.TYPING: _("Wrong entry"),
    Reason.WRONG_INFORMATION: _("Wrong information at that time"),
    Reason.PROCEDURE: _("Procedure not followed"),
    Reason.OTHER: _("Other"),
}


class ErrorForm(forms.Form):
    """What went wrong, and what should have been."""

    kind = forms.ChoiceField(_("What went wrong"), choices=list(KINDS.items()))

    def __init__(self, *args: Any, strata: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        self.fields["corrected_stratum"] = forms.SelectField(
            _("Stratum in which this person belonged"),
            choices=strata,
            required=False,
            hint=_("For a wrong stratum only. The stratum as randomized stays."),
        )
        self.fields["other_number"] = forms.TextField(
            _("Other study number of the same person"),
            required=False,
            width=10,
            hint=_("For a person randomized twice only."),
        )
        self.fields["day"] = forms.DateField(_("Found on"), not_after=clock.today)
        self.fields["reason"] = forms.ChoiceField(_("How it came"), choices=list(REASONS.items()))

    def clean_other_number(self) -> str:
        """The number without spaces."""
        return str(self.cleaned_data["other_number"]).replace(" ", "").replace("\N{NO-BREAK SPACE}", "")

    def clean(self) -> dict[str, Any]:
        """What the kind needs stands beside it."""
        given = super().clean() or {}
        if given.get("kind") == Kind.WRONG_STRATUM and not given.get("corrected_stratum"):
            self.add_error("corrected_stratum", _("Choose the stratum in which this person belonged."))
        if given.get("kind") == Kind.DUPLICATE and not ids.is_participant_number(str(given.get("other_number", ""))):
            self.add_error("other_number", _("Type the eight digits of the other study number."))
        return given
