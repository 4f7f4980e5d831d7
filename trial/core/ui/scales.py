"""Rating scales: rows with large targets, anchors above, number keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trial.core.ui.text import Text


class ScaleRow(forms.RadioSelect):
    """The cells of one row of a scale."""

    template_name = "components/widgets/scale.html"


class ScaleField(forms.ChoiceField):
    """One item of a rating scale.

    ``anchors`` gives the answers in order: pairs of code and text, or a mapping. Neighboring items with the same anchors are shown as one
    block with the anchors repeated every few rows. ``number`` is the item's number on the paper form. The cleaned value is the code as text,
    "" for an optional item left open.
    """

    def __init__(
        self,
        label: Text,
        *,
        anchors: Mapping[Any, Text] | Sequence[tuple[Any, Text]],
        hint: Text = "",
        number: str = "",
        **kwargs: Any,
    ) -> None:
        pairs = anchors.items() if isinstance(anchors, Mapping) else anchors
        self.anchors: list[tuple[str, Text]] = [(str(code), text) for code, text in pairs]
        self.number = number
        self.aside = ""
        kwargs.setdefault(
            "error_messages", {"required": _("Choose one answer."), "invalid_choice": _("Choose one of the answers.")}
        )
        kwargs.setdefault("template_name", "components/forms/field.html")
        super().__init__(label=label, help_text=hint, choices=self.anchors, widget=ScaleRow(), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if value is None else str(value)
