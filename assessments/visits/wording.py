"""The words of what is stored in codes about visits, for the history beside one."""

from django.utils.translation import gettext_lazy

from trial.core.ui.text import Text
from trial.protocol.definition import Protocol

HISTORY: dict[str, Text] = {
    "assign_interviewer": gettext_lazy("Interviewer assigned"),
    "hand_over": gettext_lazy("Handed over to another interviewer"),
    "record_missed": gettext_lazy("Visit missed"),
    "reopen_visit": gettext_lazy("Visit reopened"),
    "close_visit": gettext_lazy("Visit closed"),
    "sign_form": gettext_lazy("Form signed"),
    "sign_visit": gettext_lazy("Forms signed"),
    "record_form": gettext_lazy("Form recorded"),
    "amend_form": gettext_lazy("Form amended"),
    "correct_query": gettext_lazy("Form amended"),
    "interviewer": gettext_lazy("interviewer"),
    "starts_at": gettext_lazy("from"),
    "visit": gettext_lazy("visit"),
    "number": gettext_lazy("step"),
    "outcome": gettext_lazy("outcome"),
    "reason": gettext_lazy("reason"),
    "day": gettext_lazy("day"),
    "outcome:attended": gettext_lazy("took place"),
    "outcome:missed": gettext_lazy("missed"),
    "outcome:reopened": gettext_lazy("came back"),
}


def history_words(protocol: Protocol, names: dict[str, str]) -> dict[str, Text]:
    """The words of the history beside a visit; ``names`` of interviewers by key."""
    reasons = {f"reason:{one.code}": one.text for one in protocol.reasons.missed_visit}
    return {**HISTORY, **reasons, **{f"visit:{visit.code}": visit.name for visit in protocol.visits}, **names}
