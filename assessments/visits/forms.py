"""Forms about visits: who interviews, and why a visit did not take place."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.models import User
from trial.core.ui import forms
from trial.core.ui.text import Text
from trial.protocol.definition import Protocol, Reason


class AssignForm(forms.Form):
    """Who assesses this participant from now on. No reason is asked for: it could reveal an arm."""

    def __init__(self, *args: Any, interviewers: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(user.pk): user for user in interviewers}
        choices = [(key, user.full_name) for key, user in self.people.items()]
        self.fields["interviewer"] = forms.ChoiceField(_("Interviewer"), choices=choices)

    @property
    def interviewer(self) -> User:
        """The person chosen."""
        return self.people[self.cleaned_data["interviewer"]]


class MissedForm(forms.Form):
    """Why the visit did not take place. The reason belongs to the visit; it is no withdrawal."""

    def __init__(self, *args: Any, reasons: Sequence[Reason], window: str, **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        choices = [(reason.code, reason.text) for reason in reasons]
        self.fields["reason"] = forms.ChoiceField(_("Why did the visit not take place?"), choices=choices)
        self.fields["day"] = forms.DateField(_("Day on which it was given up"), not_after=clock.today, aside=window)


class VisitFilter(forms.Form):
    """Which visits of the calendar are seen."""

    def __init__(self, *args: Any, protocol: Protocol, states: Sequence[tuple[str, Text]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visits = [(visit.code, visit.name) for visit in protocol.visits]
        self.fields["visit"] = forms.SelectField(_("Visit"), choices=visits, blank=_("All"), required=False)
        self.fields["state"] = forms.SelectField(_("State"), choices=states, blank=_("All"), required=False)
