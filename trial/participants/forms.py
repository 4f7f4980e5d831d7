"""Forms of the way in, made from the protocol."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.errors import Refused
from trial.core.ui import forms
from trial.core.ui.text import Text
from trial.protocol.definition import Protocol
from trial.protocol.models import Team

AGE_BANDS = [(band, band) for band in ("18-29", "30-39", "40-49", "50-59", "60-65")] + [
    ("other", _("Younger or older"))
]
SEXES = [("female", _("Female")), ("male", _("Male")), ("other", _("Other")), ("unknown", _("Not known"))]


class ScreeningForm(forms.Form):
    """Who is considered: never a name, a birth date or a number of the care system."""

    team = forms.SelectField(_("Team"), choices=[])
    month = forms.SelectField(_("Month of screening"), choices=[])
    age_band = forms.ChoiceField(_("Age"), choices=AGE_BANDS)
    sex = forms.ChoiceField(_("Sex"), choices=SEXES, inline=True)

    def __init__(self, *args: Any, teams: list[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = {team.code: team for team in teams}
        self.fields["team"].choices = [("", _("Choose a team")), *((t.code, t.name) for t in teams)]  # type: ignore[attr-defined]
        months = _last_months(clock.today(), 6)
        self.fields["month"].choices = [(m.isoformat(), m.strftime("%B %Y")) for m in months]  # type: ignore[attr-defined]

    def cleaned_month(self) -> dt.date:
        """The first day of the month."""
        return dt.date.fromisoformat(self.cleaned_data["month"])


def _last_months(day: dt.date, count: int) -> list[dt.date]:
    months = [day.replace(day=1)]
    while len(months) < count:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    return months


class ParticipantFilter(forms.Form):
    """Which participants are seen."""

    def __init__(self, *args: Any, teams: list[Team], states: Iterable[tuple[str, Text]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(team.code, team.name) for team in teams]
        self.fields["team"] = forms.SelectField(_("Team"), choices=named, blank=_("All"), required=False)
        self.fields["state"] = forms.SelectField(_("State"), choices=states, blank=_("All living"), required=False)


class ScreeningFilter(forms.Form):
    """Which entries of the screening log are seen."""

    def __init__(
        self,
        *args: Any,
        teams: list[Team],
        outcomes: Iterable[tuple[str, Text]],
        months: Iterable[dt.date],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        named = [(team.code, team.name) for team in teams]
        listed = [(f"{month:%Y-%m}", f"{month:%b %Y}") for month in months]
        self.fields["outcome"] = forms.SelectField(_("Outcome"), choices=outcomes, blank=_("All"), required=False)
        self.fields["team"] = forms.SelectField(_("Team"), choices=named, blank=_("All"), required=False)
        self.fields["month"] = forms.SelectField(_("Month"), choices=listed, blank=_("All"), required=False)


class ConsentForm(forms.Form):
    """The decisions on each part of the consent form in force, as the participant signed it."""

    signed_on = forms.DateField(_("Date of the signature"))

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["signed_on"] = forms.DateField(_("Date of the signature"), not_after=clock.today())
        parts = {part.code: part for part in protocol.consent_parts}
        self.codes = list(protocol.consent_version.parts)
        for code in self.codes:
            hint = parts[code].text
            self.fields[f"part_{code}"] = forms.YesNoField(parts[code].name, hint=hint)

    def given(self) -> dict[str, bool]:
        """The decision by part."""
        return {code: bool(self.cleaned_data[f"part_{code}"]) for code in self.codes}


class EligibilityForm(forms.Form):
    """Every criterion, answered with yes or no."""

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes = [criterion.code for criterion in protocol.criteria]
        for criterion in protocol.criteria:
            self.fields[f"criterion_{criterion.code}"] = forms.YesNoField(criterion.text)
        inclusion = [f"criterion_{c.code}" for c in protocol.criteria if c.kind == "inclusion"]
        exclusion = [f"criterion_{c.code}" for c in protocol.criteria if c.kind == "exclusion"]
        self.sections = [forms.Section(_("Must be so"), inclusion), forms.Section(_("Must not be so"), exclusion)]

    def answers(self) -> dict[str, bool]:
        """The answer by criterion."""
        return {code: bool(self.cleaned_data[f"criterion_{code}"]) for code in self.codes}


class CloseForm(forms.Form):
    """Why this person does not go on."""

    reason = forms.ChoiceField(_("Why does this person not take part?"), choices=[])

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        declined = [(f"declined:{r.code}", r.text) for r in protocol.reasons.decline]
        excluded = [(f"excluded:{r.code}", r.text) for r in protocol.reasons.exclusion]
        self.fields["reason"].choices = declined + excluded  # type: ignore[attr-defined]

    def decision(self) -> tuple[bool, str]:
        """Whether the person declined, and the code of the reason."""
        kind, _colon, code = self.cleaned_data["reason"].partition(":")
        return kind == "declined", code


class SignatureForm(forms.Form):
    """The password again: an electronic signature."""

    password = forms.PasswordField(_("Your password"), hint=_("Typing it signs this step with your name and the time."))

    def carries_out(self, act: Callable[..., object], **given: object) -> bool:
        """Whether the form was filled in rightly and the action ``act`` was done, with the password. What refuses it is said in the form."""
        if not self.is_valid():
            return False
        try:
            act(password=self.cleaned_data["password"], **given)
        except Refused as refusal:
            self.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
            return False
        return True
