"""What may be redacted: fields that hold what people typed in words of their own. Codes, numbers and dates are corrected instead."""

from trial.core.models import HistoryBase

REDACTABLE: dict[str, tuple[str, ...]] = {
    "entry_answer": ("value",),
    "entry_amendedanswer": ("value",),
    "cleaning_dataquery": ("text",),
}
"""By table of the open side; the database holds the same list (``equipoise_redactable``)."""
KEPT_OUT = frozenset({("cleaning_dataquery", "text")})
"""Fields whose words stand in no history, only in their record."""
MARK = "[redacted "


def redactable_fields(line: HistoryBase) -> list[str]:
    """The fields of this line of the open history that may be redacted."""
    return [field for field in REDACTABLE.get(line.table_name, ()) if _is_typed(line, field)]


def _is_typed(line: HistoryBase, field: str) -> bool:
    if (line.table_name, field) in KEPT_OUT:
        return line.operation == "INSERT"
    typed = (line.new or {}).get(field) or (line.old or {}).get(field)
    return isinstance(typed, str) and not typed.startswith(MARK) and any(letter.isalpha() for letter in typed)


REDACTABLE_BEHIND: dict[str, tuple[str, ...]] = {
    "dropbox_unblinding_report": ("words",),
    "unblinded_code_break_reason": ("words",),
    "unblinded_group": ("name",),
    "unblinded_admission": ("reason",),
}
"""By table of the unblinded side and of the drop boxes; the database holds the same list (``equipoise_redactable_behind``)."""
CHANGE_REASON = "change_reason"
"""The reason that was typed for a change: behind the wall it stands in the history, in no record but an admission's."""


def redactable_behind(line: HistoryBase) -> list[str]:
    """The fields of this line of the unblinded side's history that may be redacted, and the reason of the change."""
    found = [field for field in REDACTABLE_BEHIND.get(line.table_name, ()) if _is_typed(line, field)]
    has_reason = line.reason and not line.reason.startswith(MARK) and "reason" not in found
    return [*found, CHANGE_REASON] if has_reason else found
