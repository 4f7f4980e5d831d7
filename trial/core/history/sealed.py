"""Reading histories and their seals for verification; needs a login that reads all of it: the owner's."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.utils.module_loading import import_string

from trial.core.history.chain import Seal, Verified, verify
from trial.core.models import HistoryBase, SealBase

CANONICAL = (
    "jsonb_build_array(id, at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt)::text"
)
"""A line as it is hashed. The connection's time zone is UTC."""


def canonical_lines(source: type[HistoryBase]) -> Iterator[tuple[int, str]]:
    """Every line of a history as number and canonical text, in order."""
    text = RawSQL(CANONICAL, (), output_field=TextField())  # noqa: S611 - a constant, no input
    found = source._default_manager.annotate(text=text)
    yield from found.order_by("id").values_list("id", "text").iterator(chunk_size=2000)


def seals_of(source: type[SealBase]) -> Iterator[Seal]:
    """Every seal in order."""
    written = RawSQL("to_jsonb(at) #>> '{}'", (), output_field=TextField())
    for seal in source._default_manager.annotate(written=written).order_by("number").iterator(chunk_size=50):
        yield Seal(
            seal.number,
            seal.first_row,
            seal.last_row,
            seal.rows,
            seal.written,
            bytes(seal.digests),
            seal.head,
        )


def redacted_lines(source: type[HistoryBase]) -> dict[int, tuple[int, str]]:
    """Number and digest of the last redaction of each line of a history, of those redactions that stand in it themselves.

    A row of redactions that no line of the history tells of was put there by hand, and excuses nothing.
    """
    changed = _redacted_lines_of(source)
    if changed is None:
        return {}
    told = {
        (row, (new or {}).get("history_row"), (new or {}).get("digest"))
        for row, new in source._default_manager.filter(
            table_name=changed._meta.db_table, operation="INSERT"
        ).values_list("row_id", "new")
    }
    known = changed._default_manager.filter(redaction__state="done").order_by("redaction__number")
    return {
        row: (number, digest)
        for key, row, number, digest in known.values_list("pk", "history_row", "redaction__number", "digest")
        if (str(key), row, digest) in told
    }


def _redacted_lines_of(source: type[HistoryBase]) -> Any:
    """The model of a history's redacted lines (each refers to the redactions of its side); None of the concealed one, where nothing is typed."""
    for on, name in settings.HISTORIES.items():
        if import_string(name) is source:
            return import_string(settings.REDACTED_LINES[on])
    return None


def verified(source: type[HistoryBase], seals: type[SealBase], paper: Mapping[int, str] | None = None) -> Verified:
    """Verify one history from beginning to end."""
    redacted = redacted_lines(source)
    return verify(source._meta.db_table, canonical_lines(source), seals_of(seals), redacted=redacted, paper=paper)
