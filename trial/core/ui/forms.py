"""Forms that render themselves: one question one fieldset, label, hint, error, control, and a summary of errors.

A page author derives from ``Form``, uses the fields of this module and writes ``{% form form submit=... %}``. Fields that are not
required say "optional"; what was typed stays, whatever happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.forms.renderers import BaseRenderer, DjangoTemplates, TemplatesSetting
from django.http import HttpRequest, QueryDict
from django.template.exceptions import TemplateDoesNotExist
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trial.core.ui.dates import DateBoxes, DateField
from trial.core.ui.scales import ScaleField
from trial.core.ui.text import Text

__all__ = [
    "CheckField",
    "ChoiceField",
    "DateField",
    "DecimalField",
    "FileField",
    "Form",
    "IntegerField",
    "PasswordField",
    "ScaleField",
    "Section",
    "SelectField",
    "TextAreaField",
    "TextField",
    "YesNoField",
    "posted",
    "status_of",
]


PASSWORD, CHOOSE, YES, NO = _("Password"), _("Choose …"), _("Yes"), _("No")


class Renderer(BaseRenderer):
    """Takes the templates of the project first and Django's own for a widget that has none here."""

    def __init__(self) -> None:
        self._ours = TemplatesSetting()
        self._django = DjangoTemplates()

    def get_template(self, template_name: str) -> Any:
        try:
            return self._ours.get_template(template_name)
        except TemplateDoesNotExist:
            return self._django.get_template(template_name)


@dataclass(frozen=True)
class Section:
    """A titled part of a form; ``fields`` are names. Fields in no section come last."""

    title: Text
    fields: Sequence[str]
    intro: Text = ""


class Form(forms.Form):
    """Base of all forms. ``sections`` divides a long one; ``errors_for_summary`` lists what the summary links to."""

    default_renderer = Renderer
    template_name = "components/forms/form.html"
    use_required_attribute = False
    required_css_class = ""
    sections: Sequence[Section] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    @property
    def blocks(self) -> list["Block"]:
        """The visible fields in order, cut at section titles; neighboring scales with the same anchors make one block."""
        return _blocks(self)

    @property
    def errors_for_summary(self) -> list[tuple[str, str]]:
        """Pairs of anchor (empty for an error of the whole form) and text, in the order of the page."""
        found = [("", str(error)) for error in self.non_field_errors()]
        for bound in self:
            found += [(focus_id(bound), f"{_called(bound)} {error}") for error in bound.errors]
        return found

    @property
    def scale_count(self) -> int:
        """How many scale items the form has; the page shows "31 of 53" from it."""
        return sum(isinstance(field, ScaleField) for field in self.fields.values())

    @property
    def answered_count(self) -> int:
        """How many scale items have an answer in what is shown now."""
        return sum(isinstance(self.fields[b.name], ScaleField) and b.value() not in (None, "") for b in self)


@dataclass
class Block:
    """Fields that stand together: one ordinary field, or neighboring scale items. ``section`` starts a titled part."""

    fields: list[BoundField]
    is_scale: bool = False
    section: Section | None = None

    @property
    def anchors(self) -> list[tuple[str, Text]]:
        """Code and text of each answer of a scale block."""
        field = self.fields[0].field
        return field.anchors if isinstance(field, ScaleField) else []

    @property
    def headings(self) -> list[Text]:
        """What stands above the answers of a scale block."""
        field = self.fields[0].field
        return field.headings if isinstance(field, ScaleField) else []


def _blocks(form: Form) -> list[Block]:
    bound = {field.name: field for field in form.visible_fields()}
    order: list[tuple[Section | None, list[str]]] = [(s, [n for n in s.fields if n in bound]) for s in form.sections]
    named = {name for _section, names in order for name in names}
    order.append((None, [name for name in bound if name not in named]))
    blocks: list[Block] = []
    for section, names in order:
        opening = section
        for name in names:
            one = bound[name]
            joins = (
                opening is None
                and bool(blocks)
                and isinstance(one.field, ScaleField)
                and blocks[-1].is_scale
                and blocks[-1].anchors == one.field.anchors
            )
            if joins:
                blocks[-1].fields.append(one)
            else:
                blocks.append(Block([one], isinstance(one.field, ScaleField), opening))
            opening = None
    return blocks


def _called(bound: BoundField) -> str:
    """What a field is called in the summary: the number of a scale item, else its label, shortened."""
    number = getattr(bound.field, "shown_number", "")
    if number:
        return gettext("Item %(number)s:") % {"number": number}
    label = Truncator(str(bound.label)).chars(60).rstrip(". ")
    return label if label.endswith("?") else f"{label}:"


def focus_id(bound: BoundField) -> str:
    """The id of the first control of a field: what a link in the error summary leads to."""
    base = bound.auto_id
    widget = bound.field.widget
    if isinstance(widget, DateBoxes):
        return f"{base}_{widget.first_box}"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return f"{base}_0"
    return str(base)


def _prepare(kwargs: dict[str, Any], hint: Text) -> dict[str, Any]:
    """The arguments that every field here gives to Django's own."""
    kwargs.setdefault("help_text", hint)
    kwargs.setdefault("template_name", "components/forms/field.html")
    return kwargs


class TextField(forms.CharField):
    """One line of text. ``width`` is the number of characters that are expected; ``aside`` stands beside the box."""

    def __init__(
        self,
        label: Text,
        *,
        hint: Text = "",
        aside: Text = "",
        width: int = 0,
        autocomplete: str = "off",
        **kwargs: Any,
    ) -> None:
        self.aside = aside
        attrs = {"autocomplete": autocomplete, "class": _box(width)}
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        kwargs.setdefault("error_messages", {"required": _("Fill this in.")})
        super().__init__(label=label, **_prepare(kwargs, hint))


class PasswordField(forms.CharField):
    """A password: never shown again, never trimmed; ``autocomplete`` "current-password" or "new-password"."""

    def __init__(
        self, label: Text = PASSWORD, *, hint: Text = "", autocomplete: str = "current-password", **kwargs: Any
    ) -> None:
        self.aside = ""
        kwargs.setdefault("strip", False)
        kwargs.setdefault("error_messages", {"required": _("Type your password.")})
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete, "class": _box(0)})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))


class TextAreaField(forms.CharField):
    """Several lines of text."""

    def __init__(self, label: Text, *, hint: Text = "", rows: int = 4, **kwargs: Any) -> None:
        self.aside = ""
        kwargs.setdefault("error_messages", {"required": _("Fill this in.")})
        widget = forms.Textarea(attrs={"rows": rows, "class": "form-control", "autocomplete": "off"})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))


class IntegerField(forms.IntegerField):
    """A whole number in a short box with its ``unit`` beside it; limits are said in the hint by the author."""

    def __init__(self, label: Text, *, hint: Text = "", unit: Text = "", width: int = 4, **kwargs: Any) -> None:
        self.aside = unit
        kwargs.setdefault(
            "error_messages", {"required": _("Type a number."), "invalid": _("Type a whole number in digits.")}
        )
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": _box(width)})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))


class DecimalField(forms.DecimalField):
    """A decimal number; the decimal mark of the language and the point are both understood."""

    def __init__(self, label: Text, *, hint: Text = "", unit: Text = "", width: int = 6, **kwargs: Any) -> None:
        self.aside = unit
        kwargs.setdefault(
            "error_messages", {"required": _("Type a number."), "invalid": _("Type a number, such as 2.5.")}
        )
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": _box(width)})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str) and value.count(",") == 1 and "." not in value:
            value = value.replace(",", ".")
        return super().to_python(value)


class Radios(forms.RadioSelect):
    """Radio buttons, one a line, or side by side when there are few short ones."""

    template_name = "components/widgets/radios.html"

    def __init__(
        self, *args: Any, inline: bool = False, hints: Mapping[str, Text] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.inline = inline
        self.hints = dict(hints or {})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["inline"] = self.inline
        for _group, options, _index in context["widget"]["optgroups"]:
            for option in options:
                option["hint"] = self.hints.get(str(option["value"]), "")
        return context


class ChoiceField(forms.ChoiceField):
    """One of a few answers as radio buttons; ``hints`` by answer code. For more than about seven use ``SelectField``."""

    def __init__(
        self,
        label: Text,
        *,
        choices: Any,
        hint: Text = "",
        inline: bool = False,
        hints: Mapping[str, Text] | None = None,
        **kwargs: Any,
    ) -> None:
        self.aside = ""
        kwargs.setdefault(
            "error_messages", {"required": _("Choose one."), "invalid_choice": _("Choose one of the answers.")}
        )
        widget = Radios(inline=inline, hints=hints)
        super().__init__(label=label, choices=choices, widget=widget, **_prepare(kwargs, hint))


class SelectField(forms.ChoiceField):
    """One of many answers as a list that opens."""

    def __init__(self, label: Text, *, choices: Any, hint: Text = "", blank: Text = CHOOSE, **kwargs: Any) -> None:
        self.aside = ""
        kwargs.setdefault(
            "error_messages", {"required": _("Choose one."), "invalid_choice": _("Choose one of the list.")}
        )
        widget = forms.Select(attrs={"class": "form-select"})
        listed = [("", blank), *choices]
        super().__init__(label=label, choices=listed, widget=widget, **_prepare(kwargs, hint))


class YesNoField(forms.TypedChoiceField):
    """Yes or no, as two radio buttons; the cleaned value is True or False (None when optional and left open)."""

    def __init__(self, label: Text, *, hint: Text = "", yes: Text = YES, no: Text = NO, **kwargs: Any) -> None:
        self.aside = ""
        kwargs.setdefault(
            "error_messages", {"required": _("Answer yes or no."), "invalid_choice": _("Answer yes or no.")}
        )
        super().__init__(
            label=label,
            choices=[("yes", yes), ("no", no)],
            coerce=lambda value: value == "yes",
            empty_value=None,
            widget=Radios(inline=True),
            **_prepare(kwargs, hint),
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


class CheckField(forms.BooleanField):
    """One box to tick: something that the person declares. Required unless said otherwise."""

    def __init__(self, label: Text, *, hint: Text = "", **kwargs: Any) -> None:
        self.aside = ""
        kwargs.setdefault("error_messages", {"required": _("Tick this to go on.")})
        widget = forms.CheckboxInput(attrs={"class": "form-check-input"})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))


class FileField(forms.FileField):
    """A file to be read; nothing is stored by the form itself."""

    def __init__(self, label: Text, *, hint: Text = "", accept: str = "", **kwargs: Any) -> None:
        self.aside = ""
        kwargs.setdefault("error_messages", {"required": _("Choose a file."), "empty": _("This file is empty.")})
        widget = forms.FileInput(attrs={"class": "form-control", **({"accept": accept} if accept else {})})
        super().__init__(label=label, widget=widget, **_prepare(kwargs, hint))


def _box(width: int) -> str:
    """The class of a box as wide as what is expected in it (4, 6, 10, 20 characters), else as wide as the form."""
    fitting = next((size for size in (2, 4, 6, 10, 20) if width and width <= size), 0)
    return f"form-control box-{fitting}" if fitting else "form-control"


def refuse(text: Text) -> ValidationError:
    """A refusal for ``clean_...`` methods that a page shows as it is."""
    return ValidationError(text)


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent; None when the page is only read. Nothing chosen is sent too."""
    return request.POST if request.method == "POST" else None


def status_of(form: forms.BaseForm | None) -> int:
    """422 for a form that was sent and is not valid; 200 for any other, and where there is none."""
    return 422 if form is not None and form.is_bound and form.errors else 200
