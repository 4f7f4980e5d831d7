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
