"""Forms of serious events: codes and days, no field for words."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms
from trial.participants.events.models import Kind, Outcome, SeriousEvent


class ReportForm(forms.Form):
    """What kind of event, and when it began."""

    kind = forms.ChoiceField(
        _("Kind"), choices=Kind.choices, hint=_("The first that fits. A death is reported on a page of its own.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["began_on"] = forms.DateField(
            _("Day on which it began"), hint=_("As the care record says."), not_after=clock.today
        )


class CorrectForm(ReportForm):
    """What became of it; or that there was no such event."""

    def __init__(self, *args: Any, event: SeriousEvent, **kwargs: Any) -> None:
        stands = {"kind": event.kind, "began_on": event.began_on, "outcome": event.outcome}
        super().__init__(*args, initial=stands, **kwargs)
        self.fields["outcome"] = forms.ChoiceField(_("What became of it"), choices=Outcome.choices)
        self.fields["void"] = forms.CheckField(_("It was reported by mistake: there was no such event"), required=False)


class EventFilter(forms.Form):
    """Which events are seen."""

    kind = forms.SelectField(_("Kind"), choices=Kind.choices, blank=_("All"), required=False)
    outcome = forms.SelectField(_("Outcome"), choices=Outcome.choices, blank=_("All"), required=False)
