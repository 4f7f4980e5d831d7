"""Forms of the vault and of attempts. Nothing asks for remarks: words about somebody's week may be the arm."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.forms import HiddenInput
from django.forms import IntegerField as PlainInteger
from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.ui import forms
from trial.participants.contact.actions import Details
from trial.participants.models import Contact, ContactAttempt

WAYS = [
    (Contact.Way.PHONE, _("Telephone")),
    (Contact.Way.LETTER, _("Letter")),
    (Contact.Way.VISIT, _("Visit")),
    (Contact.Way.EMAIL, _("E-mail")),
]
TIMES = [
    (Contact.Time.MORNING, _("Morning")),
    (Contact.Time.AFTERNOON, _("Afternoon")),
    (Contact.Time.EVENING, _("Evening")),
]
OUTCOMES = [
    (ContactAttempt.Outcome.REACHED, _("Reached")),
    (ContactAttempt.Outcome.NO_ANSWER, _("No answer")),
    (ContactAttempt.Outcome.APPOINTMENT, _("Appointment made")),
    (ContactAttempt.Outcome.REFUSED_TODAY, _("Not today")),
    (ContactAttempt.Outcome.WRONG_NUMBER, _("Wrong number or address")),
]


class ContactForm(forms.Form):
    """Who a participant is and how to reach them."""

    name = forms.TextField(_("Name"), max_length=120)
    birth_date = forms.DateField(_("Date of birth"), required=False)
    phone = forms.TextField(_("Telephone"), width=20, max_length=40, required=False)
    email = forms.TextField(_("E-mail"), max_length=254, required=False)
    address = forms.TextAreaField(_("Address"), rows=3, max_length=500, required=False)
    contact_person = forms.TextField(
        _("Contact person"), hint=_("Who may be asked where the participant is."), max_length=120, required=False
    )
    contact_phone = forms.TextField(_("Telephone of the contact person"), width=20, max_length=40, required=False)
    preferred_way = forms.SelectField(_("Preferred way"), choices=WAYS, blank=_("No preference"), required=False)
    best_time = forms.SelectField(_("Best time"), choices=TIMES, blank=_("Any time"), required=False)

    sections = [
        forms.Section(_("Person"), ["name", "birth_date"]),
        forms.Section(
            _("How to reach them"),
            ["phone", "email", "address", "preferred_way", "best_time"],
            _("Nothing about treatment belongs here: not why or when somebody is somewhere."),
        ),
        forms.Section(_("If they cannot be found"), ["contact_person", "contact_phone"]),
    ]

    def __init__(self, *args: Any, contact: Contact | None, **kwargs: Any) -> None:
        names = list(self.base_fields)
        initial = {name: getattr(contact, name) for name in names} if contact else {}
        super().__init__(*args, initial={**initial, "seen": contact.number if contact else 0}, **kwargs)
        self.names = names
        self.fields["seen"] = PlainInteger(min_value=0, widget=HiddenInput)

    def clean_email(self) -> str:
        """An address that mail can be sent to, or nothing."""
        given = str(self.cleaned_data["email"])
        if given:
            try:
                validate_email(given)
            except ValidationError:
                raise forms.refuse(_("Type an e-mail address, such as name@example.org.")) from None
        return given

    def details(self) -> Details:
        """What was typed."""
        return Details(**{name: self.cleaned_data[name] for name in self.names})


class AttemptForm(forms.Form):
    """One attempt to reach a participant, in codes."""

    way = forms.ChoiceField(_("How did you try?"), choices=WAYS, inline=True)
    outcome = forms.ChoiceField(_("What came of it?"), choices=OUTCOMES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": clock.today()}, **kwargs)
        self.fields["day"] = forms.DateField(_("Day"), not_after=clock.today)
        self.fields["next_on"] = forms.DateField(
            _("Next step on"),
            hint=_("The day of the appointment, or when you try again. It comes back in your work on that day."),
            required=False,
        )
        self.order_fields(["day", "way", "outcome", "next_on"])
