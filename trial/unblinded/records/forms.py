"""Forms of hospital records."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms
from trial.core.ui.tables import shown
from trial.unblinded.records.actions import Found
from trial.unblinded.records.models import Admission, Source, Ward
from trial.unblinded.records.stays import Period

LEFT, STILL_IN = "discharged", "still_in"


class AdmissionForm(forms.Form):
    """One admission. ``needs_reason``: it corrects what is on record, or comes after the sign-off."""

    def __init__(self, *args: Any, period: Period, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days = _("Days looked up: %(first)s to %(last)s") % {"first": shown(period.first), "last": shown(period.last)}
        self.fields["admitted_on"] = forms.DateField(_("Admitted on"), not_after=clock.today, aside=days)
        self.fields["left"] = forms.ChoiceField(
            _("Has the person left the hospital?"),
            choices=[(LEFT, _("Discharged")), (STILL_IN, _("Still in"))],
            inline=True,
        )
        self.fields["discharged_on"] = forms.DateField(
            _("Discharged on"), required=False, not_after=clock.today, hint=_("Empty while the person is still in.")
        )
        self.fields["ward"] = forms.ChoiceField(_("Kind of ward"), choices=Ward.choices)
        self.fields["source"] = forms.ChoiceField(_("Where did you read it?"), choices=Source.choices)
        if needs_reason:
            self.fields["reason"] = forms.TextField(_("Why do you change what is on record?"), max_length=200)

    def clean(self) -> dict[str, Any]:
        """A discharge has its day; who is still in has none."""
        data = self.cleaned_data
        left, day = data.get("left"), data.get("discharged_on")
        if left == LEFT and day is None and "discharged_on" not in self.errors:
            self.add_error("discharged_on", _("Give the day of the discharge, or choose Still in."))
        if left == STILL_IN and day is not None:
            self.add_error(
                "discharged_on", _("Who is still in has no day of discharge. Empty it, or choose Discharged.")
            )
        return data

    def found(self) -> Found:
        """What was typed."""
        data = self.cleaned_data
        return Found(data["admitted_on"], data["discharged_on"], data["ward"], data["source"])


class MistakeForm(forms.Form):
    """Why an admission is taken back."""

    reason = forms.TextField(_("Why do you change what is on record?"), max_length=200)


def initial_of(admission: Admission) -> dict[str, Any]:
    """An admission as its form begins with it."""
    return {
        "admitted_on": admission.admitted_on,
        "left": LEFT if admission.discharged_on else STILL_IN,
        "discharged_on": admission.discharged_on,
        "ward": admission.ward,
        "source": admission.source,
    }
