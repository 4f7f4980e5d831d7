"""Forms around the allocation: coded, without free text."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms
from trial.unblinded.randomization.models import ContingencyRequest, WrongTreatment

TREATMENT_REASONS = {
    WrongTreatment.Reason.MIXED_UP: _("Two participants were mixed up"),
    WrongTreatment.Reason.TOLD_WRONG: _("The wrong arm was told"),
    WrongTreatment.Reason.WISH: _("Wish of the participant or the care team"),
    WrongTreatment.Reason.OTHER: _("Other"),
}
DOWNTIME_REASONS = {
    ContingencyRequest.Reason.ALLOCATOR: _("The allocator does not answer"),
    ContingencyRequest.Reason.BROKER: _("Requests do not reach the allocator"),
    ContingencyRequest.Reason.SEQUENCE: _("The list of this stratum is used up"),
}


class WrongTreatmentForm(forms.Form):
    """Which treatment was given instead, since when, and why."""

    def __init__(self, *args: Any, arms: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        self.fields["given_arm"] = forms.ChoiceField(_("Treatment that was given"), choices=arms)
        self.fields["day"] = forms.DateField(_("For the first time on"), not_after=clock.today)
        self.fields["reason"] = forms.ChoiceField(_("How it came"), choices=list(TREATMENT_REASONS.items()))


class DowntimeForm(forms.Form):
    """Why the way through the allocator cannot be used."""

    reason = forms.ChoiceField(_("Why the allocator cannot be used"), choices=list(DOWNTIME_REASONS.items()))
