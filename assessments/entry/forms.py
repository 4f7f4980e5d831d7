"""The form of an instrument, made from its definition; signing; the question whether the arm became known."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.forms import Field, HiddenInput
from django.forms import IntegerField as PlainInteger
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assessments.entry.models import Answer
from trial.core import clock
from trial.core.ui import forms
from trial.protocol.definition import Instrument, Item, Protocol, Reason

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
            self.fields[field_name(item.code)] = _field(item, place, without)

    def full_clean(self) -> None:
        """As Django's, except that an item left open is no error."""
        super().full_clean()
        for name in list(self.errors):
            if name in self.fields and not self._typed(name):
                del self.errors[name]
                self.cleaned_data[name] = None

    def answers(self) -> dict[str, str]:
        """The text of each item that could be read; "" for an open one. Items with an error are left out."""
        found = {}
        for item in self.instrument.items:
            name = field_name(item.code)
            if name in self.cleaned_data:
                found[item.code] = _text(self.cleaned_data[name])
        return found

    @property
    def seen_revision(self) -> int:
        """The revision that the page was made from; 0 if it does not say. ``keep``: compared with this one, and meant."""
        said = self.data.get("keep") or self.data.get("revision") or ""
        return int(said) if said.isdecimal() else 0

    def _typed(self, name: str) -> bool:
        value = self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        parts = value if isinstance(value, list | tuple) else [value]
        return any(str(part or "").strip() for part in parts)


def field_name(item: str) -> str:
    """The name of an item's field on the page."""
    return f"item_{item}"


def _field(item: Item, place: int, without: str) -> Field:
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


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class SignForm(forms.Form):
    """The day of the assessment, a reason for each open item, and the password."""

    def __init__(
        self,
        *args: Any,
        open_items: Sequence[Item],
        reasons: Sequence[Reason],
        revision: int,
        day: dt.date,
        window: str,
        given: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        initial = {f"missing_{code}": reason for code, reason in given.items()}
        super().__init__(*args, initial={**initial, "revision": revision, "held_on": day}, **kwargs)
        self.open_items = open_items
        self.fields["revision"] = PlainInteger(min_value=0, widget=HiddenInput)
        choices = [(reason.code, reason.text) for reason in reasons]
        if len(open_items) > 1:
            self.fields["rest"] = forms.SelectField(
                _("Reason for all items that get no reason of their own below"), choices=choices, required=False
            )
        for item in open_items:
            self.fields[f"missing_{item.code}"] = forms.SelectField(
                item.topic, choices=choices, required=len(open_items) == 1
            )
        names = [*(["rest"] if len(open_items) > 1 else []), *(f"missing_{item.code}" for item in open_items)]
        title = _("Items without an answer")
        intro = _("Say why, or go back and answer them.")
        self.fields["held_on"] = forms.DateField(_("Day of the assessment"), not_after=clock.today, aside=window)
        self.fields["password"] = forms.PasswordField(
            _("Your password"), hint=_("Typing it signs this form with your name and the time.")
        )
        signing = forms.Section(_("Signature"), ["held_on", "password"])
        self.sections = [forms.Section(title, names, intro), signing] if open_items else [signing]

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


UNKNOWN = "?"
"""The answer "I do not know" to the question for the arm; no code of an arm can be this."""

SOURCES = [
    ("participant", gettext_lazy("The participant said it")),
    ("family", gettext_lazy("Family or friends said it")),
    ("staff", gettext_lazy("Somebody of the staff said it")),
    ("document", gettext_lazy("A letter, file or calendar")),
    ("guess", gettext_lazy("Nobody said it; I am fairly sure by what I saw or heard")),
    ("other", gettext_lazy("Otherwise")),
]


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
            anchors=[(1, _("A guess")), (2, "2"), (3, "3"), (4, "4"), (5, _("Certain"))],
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

    def clean(self) -> dict[str, Any]:
        """A yes needs to say how."""
        data = super().clean() or self.cleaned_data
        if data.get("known") and not data.get("source"):
            self.add_error("source", _("Say how you learned it."))
        return data


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
