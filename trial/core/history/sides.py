"""Redaction on each side: the same rules and the same steps, other people, other tables."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from trial.core import side
from trial.core.access.roles import DataManager, IndependentStatistician, Investigator, Role, UnblindedDataManager
from trial.core.history import search
from trial.core.history.rules import redactable_behind, redactable_fields
from trial.core.models import HistoryBase, RedactionBase
from trial.core.ui.text import Text


@dataclass(frozen=True)
class Redacting:
    """Who asks, who decides, and of which fields; ``waits`` and ``decides_then`` say so on pages."""

    asks: type[Role]
    decides: type[Role]
    fields: Callable[[HistoryBase], list[str]]
    waits: Text
    decides_then: Text
    submit: Text
    other_person: Text


SIDES: dict[str, Redacting] = {
    side.OPEN: Redacting(
        DataManager,
        Investigator,
        redactable_fields,
        _("Waits for the investigator"),
        _("The investigator decides. Redacted, the text is gone from the record and its history, for good."),
        _("Ask the investigator"),
        _("Who asks does not decide. The investigator, another person, does."),
    ),
    side.UNBLINDED: Redacting(
        UnblindedDataManager,
        IndependentStatistician,
        redactable_behind,
        _("Waits for the independent statistician"),
        _(
            "The independent statistician decides. Redacted, the text is gone from the record and its history, for good."
        ),
        _("Ask the independent statistician"),
        _("Who asks does not decide. The independent statistician, another person, does."),
    ),
}
"""Behind the wall the investigator, who is blind, cannot read what is to go."""


def here() -> Redacting:
    """That of the side of this unit of work."""
    return SIDES[side.current()]


def redaction_model() -> type[RedactionBase]:
    """The redactions of this side."""
    found: type[RedactionBase] = import_string(settings.REDACTIONS[side.current()])
    return found


def history_model() -> type[HistoryBase]:
    """The history of this side."""
    return search.source().model
