"""Reading histories and their seals for verification; needs a login that reads all of it: the owner's."""

from collections.abc import Iterator, Mapping

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from trial.core.history.chain import Seal, Verified, verify
from trial.core.models import History, HistoryBase, RedactedLine, SealBase

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


def redacted_lines() -> dict[int, tuple[int, str]]:
    """Number and digest of the last redaction of each line, of those redactions that stand in the history themselves.

    A row of redactions that no line of the history tells of was put there by hand, and excuses nothing.
    """
    told = {
        (row, (new or {}).get("history_row"), (new or {}).get("digest"))
        for row, new in History.objects.filter(table_name="core_redactedline", operation="INSERT").values_list(
            "row_id", "new"
        )
    }
    known = RedactedLine.objects.filter(redaction__state="done").order_by("redaction__number")
    return {
        row: (number, digest)
        for key, row, number, digest in known.values_list("pk", "history_row", "redaction__number", "digest")
        if (str(key), row, digest) in told
    }


def verified(source: type[HistoryBase], seals: type[SealBase], paper: Mapping[int, str] | None = None) -> Verified:
    """Verify one history from beginning to end."""
    redacted = redacted_lines() if source is History else {}
    return verify(source._meta.db_table, canonical_lines(source), seals_of(seals), redacted=redacted, paper=paper)
