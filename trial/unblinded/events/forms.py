"""Forms of narratives."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core.ui import forms
from trial.unblinded.events.models import EventNarrative, Expectedness, Relatedness


class NarrativeForm(forms.Form):
    """What happened, and how it is judged. What was told before is filled in."""

    words = forms.TextAreaField(
        _("What happened"),
        hint=_(
            "Course, treatment, end. Unblinded staff alone read this. No names: write the participant, the therapist."
        ),
        rows=8,
        max_length=8000,
    )
    relatedness = forms.ChoiceField(_("Related to the treatment of the trial"), choices=Relatedness.choices)
    expectedness = forms.ChoiceField(
        _("Expected"),
        choices=Expectedness.choices,
        hint=_("By what the protocol says of the treatment and of the illness."),
    )

    def __init__(self, *args: Any, before: EventNarrative | None, **kwargs: Any) -> None:
        names = ("words", "relatedness", "expectedness")
        super().__init__(*args, initial={name: getattr(before, name) for name in names} if before else None, **kwargs)


class EventFilter(forms.Form):
    """Which events are seen."""

    state = forms.SelectField(
        _("State"),
        choices=[("missing", _("Narrative missing")), ("died", _("Of people who died"))],
        blank=_("All living"),
        required=False,
    )
