"""The form of an instrument, made from its definition; checking, signing and amending it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.forms import Field, HiddenInput
from django.forms import IntegerField as PlainInteger
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assessments.entry.models import Amendment, Answer
from assessments.entry.queries import Readiness
from trial.core import clock
from trial.core.errors import Refused
from trial.core.ui import forms
from trial.protocol.definition import Check, Instrument, Item, Protocol, Reason

AMENDMENT_REASONS = [
    (Amendment.Reason.TYPED_WRONG.value, gettext_lazy("It was typed wrongly")),
    (Amendment.Reason.SOURCE_DIFFERS.value, gettext_lazy("The paper or file says something else")),
    (Amendment.Reason.FOUND_LATER.value, gettext_lazy("The answer was found later")),
    (Amendment.Reason.PERSON_CORRECTED.value, gettext_lazy("The person who answered corrected it")),
    (Amendment.Reason.OTHER_FORM.value, gettext_lazy("It belongs to another form")),
]
"""Coded, so that no reason can say more than it should."""

SCALE_LEVELS = 11
"""A range of at most so many whole numbers is a row of radio buttons; a longer one is typed."""


class AnswerForm(forms.Form):
    """All items of one instrument. Open items are no error: answers are saved as they come.

    ``revision`` is the one that the page shows; the page writes it as a hidden field. ``answers()``: the text of each item that could be read.
    """

    def __init__(
        self,
        *args: Any,
        instrument: Instrument,
        answers: Mapping[str, Answer],
        revision: int,
        reasons: Sequence[Reason],
        **kwargs: Any,
    ) -> None:
        initial = {field_name(code): answer.value for code, answer in answers.items()}
        super().__init__(*args, initial=initial, **kwargs)
        self.instrument = instrument
        self.revision = revision
        texts = {reason.code: reason.text for reason in reasons}
        for place, item in enumerate(instrument.items, 1):
            answer = answers.get(item.code)
            without = texts.get(answer.missing, answer.missing) if answer and answer.missing else ""
            self.fields[field_name(item.code)] = item_field(item, place, without)

    def full_clean(self) -> None:
        """As Django's, except that an item left open is no error."""
        super().full_clean()
        drop_open(self, [field_name(item.code) for item in self.instrument.items])

    def answers(self) -> dict[str, str]:
        """The text of each item that could be read; "" for an open one. Items with an error are left out."""
        found = {}
        for item in self.instrument.items:
            name = field_name(item.code)
            if name in self.cleaned_data:
                found[item.code] = as_text(self.cleaned_data[name])
        return found

    @property
    def seen_revision(self) -> int:
        """The revision that the page was made from; 0 if it does not say. ``keep``: compared with this one, and meant."""
        said = self.data.get("keep") or self.data.get("revision") or ""
        return int(said) if said.isdecimal() else 0


def drop_open(form: forms.Form, names: Iterable[str]) -> None:
    """Take back the errors of fields in which nothing was typed: an open item is no error."""
    for name in names:
        if name not in form.errors:
            continue
        value = form.fields[name].widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        parts = value if isinstance(value, list | tuple) else [value]
        if not any(str(part or "").strip() for part in parts):
            del form.errors[name]
            form.cleaned_data[name] = None


def field_name(item: str) -> str:
    """The name of an item's field on the page."""
    return f"item_{item}"


def item_field(item: Item, place: int, without: str) -> Field:
    """The field of one item. ``without``: the reason, in words, why it has no answer so far."""
    common: dict[str, Any] = {"required": not item.optional}
    hint = _("No answer: %(reason)s") % {"reason": without} if without else ""
    match item.kind:
        case "yesno":
            return forms.ChoiceField(
                item.topic, choices=[("1", _("Yes")), ("0", _("No"))], inline=True, hint=hint, **common
            )
        case "choice":
            choices = [(str(value), label) for value, label in item.levels]
            if len(choices) > 7:
                return forms.SelectField(item.topic, choices=choices, hint=hint, **common)
            return forms.ChoiceField(item.topic, choices=choices, hint=hint, **common)
        case "integer":
            return _integer(item, place, hint, common)
        case "decimal":
            lowest, highest = item.limits
            return forms.DecimalField(
                item.topic,
                unit=item.unit,
                hint=hint or _range(item),
                min_value=Decimal(str(lowest)),
                max_value=Decimal(str(highest)),
                **common,
            )
        case "date":
            if hint:
                common["hint"] = hint
            return forms.DateField(item.topic, not_after=clock.today, **common)
        case "text":
            limit = int(item.max or 2000)
            if limit <= 100:
                return forms.TextField(item.topic, hint=hint, max_length=limit, **common)
            return forms.TextAreaField(item.topic, hint=hint, max_length=limit, **common)


def _integer(item: Item, place: int, hint: str, common: dict[str, Any]) -> Field:
    lowest, highest = (int(limit) for limit in item.limits)
    if highest - lowest < SCALE_LEVELS:
        labels = {anchor.value: anchor.label for anchor in item.anchors}
        anchors = [(value, labels.get(value, str(value))) for value in range(lowest, highest + 1)]
        return forms.ScaleField(item.topic, number=str(place), anchors=anchors, hint=hint, **common)
    return forms.IntegerField(
        item.topic, unit=item.unit, hint=hint or _range(item), min_value=lowest, max_value=highest, **common
    )


def _range(item: Item) -> str:
    lowest, highest = item.limits
    return _("%(low)s to %(high)s") % {"low": f"{lowest:g}", "high": f"{highest:g}"}


def as_text(value: Any) -> str:
    """A cleaned value as the text that an action takes; "" for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class CheckForm(forms.Form):
    """What stands between a form and its signature: a reason for each open item, and a second look at odd answers."""

    def __init__(
        self, *args: Any, left: Readiness, reasons: Sequence[Reason], given: Mapping[str, str], **kwargs: Any
    ) -> None:
        initial = {f"missing_{code}": reason for code, reason in given.items()}
        super().__init__(*args, initial=initial, **kwargs)
        self.open_items = left.open
        self.soft = [check for check in left.checks if check.strength == "soft"]
        choices = [(reason.code, reason.text) for reason in reasons]
        several = len(left.open) > 1
        if several:
            self.fields["rest"] = forms.SelectField(
                _("Reason for all items that get no reason of their own below"), choices=choices, required=False
            )
        for item in left.open:
            self.fields[f"missing_{item.code}"] = forms.SelectField(item.topic, choices=choices, required=not several)
        for check in self.soft:
            self.fields[f"check_{check.code}"] = forms.CheckField(
                _("I have looked again: this is right."),
                hint=check.text,
                error_messages={"required": _("Tick this if it is right, or go back and correct the answers.")},
            )
        names = [*(["rest"] if several else []), *(f"missing_{item.code}" for item in left.open)]
        missing = forms.Section(_("Items without an answer"), names, _("Say why, or go back and answer them."))
        odd = forms.Section(_("Answers to look at again"), [f"check_{check.code}" for check in self.soft])
        self.sections = [*([missing] if left.open else []), *([odd] if self.soft else [])]

    def clean(self) -> dict[str, Any]:
        """Every open item needs a reason: its own, or the one for the rest."""
        data = super().clean() or self.cleaned_data
        left = [item for item in self.open_items if not data.get(f"missing_{item.code}")]
        if len(self.open_items) > 1 and left and not data.get("rest"):
            text = ngettext(
                "Say why %(n)d item has no answer: choose a reason here or beside it, or go back and answer it.",
                "Say why %(n)d items have no answer: choose a reason here or beside each, or go back and answer them.",
                len(left),
            )
            self.add_error("rest", text % {"n": len(left)})
        return data

    def missing(self) -> dict[str, str]:
        """The reason of each open item, by item code."""
        rest = self.cleaned_data.get("rest") or ""
        return {item.code: self.cleaned_data.get(f"missing_{item.code}") or rest for item in self.open_items}

    def confirmed(self) -> list[str]:
        """The codes of the checks that were ticked."""
        return [check.code for check in self.soft]


class NotAskedForm(forms.Form):
    """Why a whole form was not asked."""

    def __init__(self, *args: Any, reasons: Sequence[Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(reason.code, reason.text) for reason in reasons]
        self.fields["reason"] = forms.ChoiceField(_("Why was this form not asked?"), choices=choices)


class SignatureFields(forms.Form):
    """The proof of who signs: user name and password at the first signing of a session, later the password."""

    def __init__(self, *args: Any, first: bool, what: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proof = [*(["username"] if first else []), "password"]
        if first:
            self.fields["username"] = forms.TextField(_("Your user name"), autocomplete="username")
        self.fields["password"] = forms.PasswordField(_("Your password"), hint=what)

    def typed(self) -> dict[str, Any]:
        """The arguments of a signature."""
        return {name: self.cleaned_data[name] for name in self.proof}

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal where it belongs."""
        place = {"password_wrong": "password", "name_wrong": "username"}.get(refusal.code)
        self.add_error(place if place in self.fields else None, str(refusal.message))


class VisitSignForm(SignatureFields):
    """The day of the assessment and the proof of who signs, once for all complete forms of a visit.

    What is signed is what the page listed: the revision of each form travels with it.
    """

    def __init__(
        self, *args: Any, revisions: Mapping[str, int], day: dt.date, window: str, first: bool, **kwargs: Any
    ) -> None:
        what = _("Typing it signs each of these forms with your name and the time.")
        listed = {f"revision_{code}": revision for code, revision in revisions.items()}
        super().__init__(*args, first=first, what=what, initial={**listed, "held_on": day}, **kwargs)
        for name in listed:
            self.fields[name] = PlainInteger(min_value=0, widget=HiddenInput, required=False)
        self.codes = list(revisions)
        self.fields["held_on"] = forms.DateField(_("Day of the assessment"), not_after=clock.today, aside=window)
        self.sections = [forms.Section(_("Signature"), ["held_on", *self.proof])]

    def revisions(self) -> dict[str, int]:
        """The forms that the page listed, with the revision of each."""
        seen = {code: self.cleaned_data.get(f"revision_{code}") for code in self.codes}
        return {code: revision for code, revision in seen.items() if revision is not None}


class ItemsForm(forms.Form):
    """Which items of a signed form are wrong. Nothing that was answered is shown."""

    def __init__(self, *args: Any, instrument: Instrument, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes = {field_name(item.code): item.code for item in instrument.items}
        for place, item in enumerate(instrument.items, 1):
            label = _("%(n)d. %(topic)s") % {"n": place, "topic": item.topic}
            self.fields[field_name(item.code)] = forms.CheckField(label, required=False)
        self.fields["day"] = forms.CheckField(_("The day of the assessment"), required=False)

    def clean(self) -> dict[str, Any]:
        """Something must be wrong."""
        data = super().clean() or self.cleaned_data
        if not any(data.values()):
            self.add_error(None, _("Tick what is wrong."))
        return data

    def chosen(self) -> list[tuple[str, str]]:
        """The choice as the parts of an address."""
        items = [("item", code) for name, code in self.codes.items() if self.cleaned_data.get(name)]
        return [*items, *([("day", "1")] if self.cleaned_data.get("day") else [])]


class AmendForm(SignatureFields):
    """What some items of a signed form should have been, why, and the proof of who signs. It starts empty."""

    def __init__(
        self,
        *args: Any,
        items: Sequence[Item],
        day: bool,
        reasons: Sequence[Reason],
        checks: Sequence[Check],
        first: bool,
        window: str = "",
        **kwargs: Any,
    ) -> None:
        what = _("Typing it signs the amended form with your name and the time.")
        super().__init__(*args, first=first, what=what, **kwargs)
        self.items = items
        self.checks = list(checks)
        choices = [(reason.code, reason.text) for reason in reasons]
        for place, item in enumerate(items, 1):
            self.fields[field_name(item.code)] = item_field(item, place, "")
            self.fields[f"missing_{item.code}"] = forms.SelectField(
                _("Or: there is no answer to “%(topic)s”, because") % {"topic": item.topic},
                choices=choices,
                required=False,
            )
        if day:
            self.fields["held_on"] = forms.DateField(_("Day of the assessment"), not_after=clock.today, aside=window)
        for check in self.checks:
            self.fields[f"check_{check.code}"] = forms.CheckField(
                _("I have looked again: this is right."), hint=check.text
            )
        self.fields["reason"] = forms.ChoiceField(_("Why is the form amended?"), choices=AMENDMENT_REASONS)
        self.sections = [
            forms.Section(_("As it should have been"), [n for n in self.fields if n.startswith(("item_", "missing_", "held_on"))]),
            *([forms.Section(_("Answers to look at again"), [f"check_{c.code}" for c in self.checks])] if checks else []),
            forms.Section(_("Why, and who says so"), ["reason", *self.proof]),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Each item needs a value or a reason, and not both."""
        data = super().clean() or self.cleaned_data
        drop_open(self, [field_name(item.code) for item in self.items])
        for item in self.items:
            name = field_name(item.code)
            value, reason = as_text(data.get(name)), data.get(f"missing_{item.code}")
            if name in self.errors:
                continue
            if value and reason:
                self.add_error(name, _("Give an answer or a reason, not both."))
            elif not value and not reason and not item.optional:
                self.add_error(name, _("Give the right answer, or the reason why there is none."))
        return data

    def changes(self) -> dict[str, Any]:
        """The arguments of the amendment."""
        data = self.cleaned_data
        missing = {item.code: data[f"missing_{item.code}"] for item in self.items if data.get(f"missing_{item.code}")}
        answers = {
            item.code: as_text(data.get(field_name(item.code))) for item in self.items if item.code not in missing
        }
        return {
            "answers": answers,
            "missing": missing,
            "held_on": data.get("held_on"),
            "reason_code": data["reason"],
            "confirm": [check.code for check in self.checks],
            **self.typed(),
        }


class RecordFilter(forms.Form):
    """Which forms of the list are seen."""

    participant = forms.TextField(gettext_lazy("Participant"), width=10, required=False)

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = {
            "visit": (_("Visit"), [(one.code, one.name) for one in protocol.visits]),
            "instrument": (_("Form"), [(one.code, one.name) for one in protocol.instruments]),
            "state": (_("State"), [("draft", _("Draft")), ("signed", _("Signed"))]),
        }
        for name, (label, choices) in lists.items():
            self.fields[name] = forms.SelectField(label, choices=choices, blank=_("All"), required=False)
