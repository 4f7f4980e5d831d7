"""What may be redacted: free text of the open side's sites. Codes, numbers and dates are corrected instead."""

from trial.core.classified import free_text_of_sites, kept_out_of_history
from trial.core.models import HistoryBase

MARK = "[redacted "


def redactable() -> dict[str, tuple[str, ...]]:
    """The fields that may be redacted, by table, as they are classified; the database holds the same list (``equipoise_redactable``)."""
    return free_text_of_sites()


def redactable_fields(line: HistoryBase) -> list[str]:
    """The fields of this line of the open history that may be redacted."""
    return [field for field in redactable().get(line.table_name, ()) if _is_typed(line, field)]


def _is_typed(line: HistoryBase, field: str) -> bool:
    if kept_out_of_history(f"{line.table_name}.{field}"):
        return line.operation == "INSERT"
    typed = (line.new or {}).get(field) or (line.old or {}).get(field)
    return isinstance(typed, str) and not typed.startswith(MARK) and any(letter.isalpha() for letter in typed)


REDACTABLE_BEHIND: dict[str, tuple[str, ...]] = {
    "dropbox_unblinding_report": ("words",),
    "unblinded_code_break_reason": ("words",),
    "unblinded_group": ("name",),
    "unblinded_admission": ("reason",),
    "unblinded_event_narrative": ("words",),
    "unblinded_look_request": ("words",),
    "unblinded_recommendation": ("words",),
}
"""By table of the unblinded side and of the drop boxes; the database holds the same list (``equipoise_redactable_behind``)."""
CHANGE_REASON = "change_reason"
"""The reason that was typed for a change: behind the wall it stands in the history, in no record but an admission's."""


def redactable_behind(line: HistoryBase) -> list[str]:
    """The fields of this line of the unblinded side's history that may be redacted, and the reason of the change."""
    found = [field for field in REDACTABLE_BEHIND.get(line.table_name, ()) if _is_typed(line, field)]
    has_reason = line.reason and not line.reason.startswith(MARK) and "reason" not in found
    return [*found, CHANGE_REASON] if has_reason else found
