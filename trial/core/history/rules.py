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
