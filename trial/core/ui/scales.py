"""Rating scales: rows with large targets, anchors above, number keys."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trial.core.ui.text import Text

ITEM = re.compile(r"Item \d+")
"""How an item is called whose text was not loaded."""


class ScaleRow(forms.RadioSelect):
    """The cells of one row of a scale; an answer whose text is its code is written once."""

    template_name = "components/widgets/scale.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for _group, options, _index in context["widget"]["optgroups"]:
            for option in options:
                option["bare"] = str(option["label"]) == str(option["value"])
        return context


class ScaleField(forms.ChoiceField):
    """One item of a rating scale.

    ``anchors`` gives the answers in order: pairs of code and text, or a mapping. Neighboring items with the same anchors are shown as one
    block with the anchors repeated every few rows. ``number`` is the item's number on the paper form. The cleaned value is the code as text,
    "" for an optional item left open.
    """

    label: Text

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

    @property
    def shown_number(self) -> str:
        """The number beside the label; none when the label is a number itself ("Item 12")."""
        return "" if ITEM.fullmatch(str(self.label)) else self.number

    @property
    def headings(self) -> list[Text]:
        """What stands above the answers: their texts, nothing above those whose text is the code; empty when all are."""
        texts = ["" if str(text) == code else text for code, text in self.anchors]
        return texts if any(texts) else []

    def prepare_value(self, value: Any) -> Any:
        return value if value is None else str(value)
