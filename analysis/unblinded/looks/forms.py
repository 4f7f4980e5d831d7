"""What the committee types."""

from django.utils.translation import gettext_lazy as _

from analysis.unblinded.looks.presenters import ASKED_FOR, WORDS
from trial.core.ui import forms


class RequestForm(forms.Form):
    """A written request for a comparison that no plan has."""

    asked_for = forms.ChoiceField(_("In whose name do you ask?"), choices=list(ASKED_FOR.items()))
    blind_timing = forms.YesNoField(
        _("Was the time chosen without knowledge of results by arm?"),
        hint=_(
            "If so, the look costs what the spending function says; otherwise the plan's price of an unplanned look."
        ),
    )
    words = forms.TextAreaField(
        _("Why are the arms to be compared now?"),
        hint=_("The independent statistician and the committee read it."),
        rows=6,
    )


class RecommendationForm(forms.Form):
    """The committee's word, and its reasons."""

    word = forms.ChoiceField(
        _("What does the committee recommend?"), choices=list(WORDS.items()), hint=_("The team hears this word and its day, and nothing else.")
    )  # fmt: skip
    words = forms.TextAreaField(_("Reasons"), hint=_("They stay behind the wall."), rows=6)
