"""Forms of data queries. Only who asks writes words; answers and reasons are codes."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessments.cleaning.actions import MAX_TEXT
from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.states import State
from trial.core.ui import forms
from trial.protocol.definition import Item, Protocol

KINDS = {
    DataQuery.Kind.MISSING.value: gettext_lazy("An answer is missing"),
    DataQuery.Kind.IMPLAUSIBLE.value: gettext_lazy("A value is hard to believe"),
    DataQuery.Kind.INCONSISTENT.value: gettext_lazy("Answers do not go together"),
    DataQuery.Kind.DATE.value: gettext_lazy("A date looks wrong"),
    DataQuery.Kind.SOURCE.value: gettext_lazy("The paper or file says something else"),
    DataQuery.Kind.OTHER.value: gettext_lazy("Something else"),
}
ANSWERS = {
    QueryEvent.Answer.CORRECTED.value: gettext_lazy("It was wrong, and is corrected"),
    QueryEvent.Answer.CONFIRMED.value: gettext_lazy("It is right as it stands"),
    QueryEvent.Answer.UNRESOLVABLE.value: gettext_lazy("It cannot be found out any more"),
}
ACCEPTANCES = {
    QueryEvent.Acceptance.NOBODY_KNOWS.value: gettext_lazy("Nobody can answer it any more"),
    QueryEvent.Acceptance.NO_EFFECT.value: gettext_lazy("It does not touch any analysis"),
    QueryEvent.Acceptance.BY_MISTAKE.value: gettext_lazy("It was raised by mistake"),
}
STATES = {
    State.OPEN: gettext_lazy("Open"),
    State.ANSWERED: gettext_lazy("Answered"),
    State.CLOSED: gettext_lazy("Closed"),
    State.ACCEPTED: gettext_lazy("Accepted as it is"),
}
STEPS = {
    QueryEvent.What.CLOSED.value: gettext_lazy("Close it: the answer settles it"),
    QueryEvent.What.REOPENED.value: gettext_lazy("Ask again: reopen it"),
    QueryEvent.What.ACCEPTED.value: gettext_lazy("Accept it as it is, for a reason"),
}


class QueryForm(forms.Form):
    """A question about a visit or a form; ``item`` is chosen where there is a form."""

    def __init__(self, *args: Any, items: Sequence[Item], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if items:
            self.fields["item"] = forms.SelectField(
                _("Item"),
                choices=[(item.code, f"{item.code}: {item.topic}") for item in items],
                blank=_("The form as a whole"),
                required=False,
            )
        self.fields["kind"] = forms.ChoiceField(_("What is it about?"), choices=list(KINDS.items()))
        self.fields["text"] = forms.TextAreaField(
            _("Question"),
            hint=_("Never write an arm or anything from which one could be guessed: blinded people read this."),
            max_length=MAX_TEXT,
        )


class AnswerQueryForm(forms.Form):
    """The coded answer to a query."""

    def __init__(self, *args: Any, may_correct: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, words) for code, words in ANSWERS.items() if may_correct or code != "corrected"]
        self.fields["answer"] = forms.ChoiceField(_("Your answer"), choices=choices)


class SettleForm(forms.Form):
    """What becomes of a query; ``steps`` are the events that can follow."""

    def __init__(self, *args: Any, steps: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["step"] = forms.ChoiceField(
            _("What becomes of this query?"), choices=[(step, STEPS[step]) for step in steps]
        )
        if QueryEvent.What.ACCEPTED in steps:
            self.fields["reason"] = forms.SelectField(
                _("Reason, if you accept it as it is"), choices=list(ACCEPTANCES.items()), required=False
            )

    def clean(self) -> dict[str, Any]:
        """An acceptance needs its reason."""
        data = super().clean() or self.cleaned_data
        if data.get("step") == QueryEvent.What.ACCEPTED and not data.get("reason"):
            self.add_error("reason", _("Choose why it is accepted as it is."))
        return data


class AcceptForm(forms.Form):
    """Why every query that is left is accepted as it is."""

    reason = forms.ChoiceField(gettext_lazy("Why can they stay as they are?"), choices=list(ACCEPTANCES.items()))


class DataQueryFilter(forms.Form):
    """Which queries of the list are seen."""

    participant = forms.TextField(gettext_lazy("Participant"), width=10, required=False)

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists: dict[str, tuple[str, list[tuple[str, Any]]]] = {
            "state": (_("State"), [(state.value, words) for state, words in STATES.items()]),
            "kind": (_("Kind"), list(KINDS.items())),
            "visit": (_("Visit"), [(one.code, one.name) for one in protocol.visits]),
            "instrument": (_("Form"), [(one.code, one.name) for one in protocol.instruments]),
        }
        for name, (label, choices) in lists.items():
            self.fields[name] = forms.SelectField(label, choices=choices, blank=_("All"), required=False)
