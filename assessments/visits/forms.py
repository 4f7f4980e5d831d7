"""Forms about visits: who interviews, why a visit did not take place, and whether the arm became known."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import clock
from trial.core.models import User
from trial.core.ui import forms
from trial.core.ui.text import Text
from trial.participants.wording import CERTAINTIES, SOURCES
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


UNKNOWN = "?"
"""The answer "I do not know" to the question for the arm; no code of an arm can be this."""


class ReportForm(forms.Form):
    """What an assessor was told of the arm. It leaves through a drop box: it can't be read again on this side."""

    source = forms.ChoiceField(gettext_lazy("How did you learn it?"), choices=SOURCES)
    words = forms.TextAreaField(
        gettext_lazy("What happened"),
        hint=gettext_lazy("Only unblinded staff read this. You can't read it again."),
        required=False,
        max_length=2000,
    )

    def __init__(self, *args: Any, arms: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [*arms, (UNKNOWN, _("I do not know"))]
        self.fields["believed_arm"] = forms.ChoiceField(
            _("Which arm do you think it is?"), choices=choices, required=False
        )
        self.fields["certainty"] = forms.ScaleField(
            _("How sure are you?"),
            anchors=list(CERTAINTIES.items()),
            required=False,
        )
        self.order_fields(["source", "believed_arm", "certainty", "words"])

    def report(self) -> dict[str, Any]:
        """The arguments of the report."""
        data = self.cleaned_data
        return {
            "source": data["source"],
            "believed_arm": "" if data.get("believed_arm") == UNKNOWN else data.get("believed_arm") or "",
            "certainty": int(data["certainty"]) if data.get("certainty") else None,
            "words": data.get("words") or "",
        }


class VisitDoneForm(ReportForm):
    """After a follow-up visit: did the arm become known? Only a yes is told, and only to the unblinded side."""

    known = forms.YesNoField(
        gettext_lazy("Did you learn, from anybody, which treatment this participant has?"),
        hint=gettext_lazy("Your answer is not shown on this side of the trial, not even to you."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].required = False
        self.order_fields(["known", "source", "believed_arm", "certainty", "words"])
        self.sections = [
            forms.Section(_("The treatment"), ["known"]),
            forms.Section(_("If yes"), ["source", "believed_arm", "certainty", "words"]),
        ]

    def ask_for_guess(self, arms: Sequence[tuple[str, str]]) -> None:
        """At the end of follow-up, when the forms are signed: what the interviewer guesses, told or not."""
        self.fields["guess"] = forms.ChoiceField(
            _("Which treatment do you guess?"),
            hint=_("Your guess is not shown on this side of the trial, not even to you."),
            choices=[*arms, (UNKNOWN, _("I do not know"))],
        )
        self.fields["guess_certainty"] = forms.ScaleField(
            _("How sure is your guess?"), anchors=list(CERTAINTIES.items()), required=False
        )
        self.sections = [*self.sections, forms.Section(_("Your guess"), ["guess", "guess_certainty"])]

    def guessed(self) -> dict[str, Any]:
        """The arguments of the guess."""
        guess, sure = self.cleaned_data["guess"], self.cleaned_data.get("guess_certainty")
        return {"guess": "" if guess == UNKNOWN else guess, "certainty": int(sure) if sure else None}

    def clean(self) -> dict[str, Any]:
        """A yes needs to say how."""
        data = super().clean() or self.cleaned_data
        if data.get("known") and not data.get("source"):
            self.add_error("source", _("Say how you learned it."))
        return data
