"""Forms: filled in, signed, amended; and recorded in one go by an import."""

from assessments.entry.actions.amending import amend_form
from assessments.entry.actions.filling import (
    AnswersConflict,
    Clash,
    confirm_checks,
    open_form,
    save_answers,
    skip_form,
)
from assessments.entry.actions.recording import record_form
from assessments.entry.actions.signing import content_of, sign_form, sign_visit

__all__ = [
    "AnswersConflict",
    "Clash",
    "amend_form",
    "confirm_checks",
    "content_of",
    "open_form",
    "record_form",
    "save_answers",
    "sign_form",
    "sign_visit",
    "skip_form",
]
