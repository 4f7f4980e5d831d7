"""Forms of what becomes of a participant. Reasons are coded; nobody has to give one."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms
from trial.protocol.definition import Protocol
from trial.protocol.models import Team

NO_REASON = "none"


class WithdrawForm(forms.Form):
    """When, and why if the participant said so."""

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today(), "reason": NO_REASON}, **kwargs)
        reasons = [(NO_REASON, _("No reason given")), *((r.code, r.text) for r in protocol.reasons.withdrawal)]
        self.fields["day"] = forms.DateField(_("Day on which the participant said so"), not_after=clock.today)
        self.fields["reason"] = forms.ChoiceField(
            _("Reason"), choices=reasons, hint=_("Nobody has to give a reason. Do not ask for one.")
        )

    def reason_code(self) -> str:
        """The code, or "" where none was given."""
        given = str(self.cleaned_data["reason"])
        return "" if given == NO_REASON else given


class AgainForm(forms.Form):
    """The participant signs this part of the consent form again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        self.fields["day"] = forms.DateField(_("Date of the signature"), not_after=clock.today)


class TransferForm(forms.Form):
    """Which team treats the participant from now on."""

    def __init__(self, *args: Any, teams: Sequence[Team], **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        self.teams = {team.code: team for team in teams}
        choices = [(team.code, f"{team.site.name}: {team.name}") for team in teams]
        self.fields["team"] = forms.SelectField(_("Team"), choices=choices, blank=_("Choose a team"))
        self.fields["day"] = forms.DateField(_("In care there since"), not_after=clock.today)


class DeathForm(forms.Form):
    """The day of death, if it is known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"] = forms.DateField(
            _("Day of death"), hint=_("Leave it open if you do not know it."), not_after=clock.today, required=False
        )


class DecideForm(forms.Form):
    """What the second person found."""

    confirmed = forms.YesNoField(
        _("Has this participant died?"),
        hint=_("Look into the care record, or ask the care team, before you answer."),
        yes=_("Yes, I confirm the report"),
        no=_("No, the report is wrong"),
    )
