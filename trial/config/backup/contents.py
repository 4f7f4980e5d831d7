"""What a database holds, in a form that can be compared: per table the number of rows and a hash of their contents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection, sql

# The text of a value must not depend on who asks.
_SESSION = """
set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
set extra_float_digits = 1; set row_security = off
"""


@dataclass(frozen=True)
class Contents:
    """``tables``: by name (schema.table) rows and SHA-256; ``sequences``: last values; ``logins``: those that rights name."""

    tables: dict[str, tuple[int, str]]
    sequences: dict[str, int | None]
    logins: list[str]

    def as_json(self) -> dict[str, Any]:
        """For the header of a backup."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Contents:
        """Back from the header."""
        tables = {name: (int(rows), str(digest)) for name, (rows, digest) in given["tables"].items()}
        return cls(tables, dict(given["sequences"]), list(given["logins"]))

    def differences(self, other: Contents) -> list[str]:
        """One line for each table or sequence in which ``other`` differs; empty when nothing does."""
        lines = []
        for name in sorted({*self.tables, *other.tables}):
            mine, theirs = self.tables.get(name), other.tables.get(name)
            if mine is None or theirs is None:
                lines.append(f"{name}: only in the {'restored database' if mine is None else 'backup'}")
            elif mine != theirs:
                lines.append(f"{name}: {mine[0]} rows in the backup, {theirs[0]} restored" + _same_count(mine, theirs))
        for name in sorted({*self.sequences, *other.sequences}):
            if self.sequences.get(name) != other.sequences.get(name):
                lines.append(
                    f"{name}: at {self.sequences.get(name)} in the backup, {other.sequences.get(name)} restored"
                )
        return lines


def prepare(connection: Connection[Any]) -> None:
    """Make the session write values the same way everywhere. Call it outside a transaction."""
    connection.execute(_SESSION)


def read(connection: Connection[Any]) -> Contents:
    """The contents as this connection's transaction sees them; the caller has called ``prepare``."""
    tables = connection.execute(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')"
        " and n.nspname not like 'pg\\_%' order by 1, 2"
    ).fetchall()
    sequences = connection.execute("select schemaname || '.' || sequencename, last_value from pg_sequences").fetchall()
    logins = connection.execute(
        "select rolname from pg_roles where rolname not like 'pg\\_%' and not rolsuper order by 1"
    )
    return Contents(
        {f"{schema}.{table}": _table(connection, schema, table) for schema, table in tables},
        dict(sequences),
        [name for (name,) in logins.fetchall()],
    )


def is_empty(connection: Connection[Any]) -> bool:
    """Whether the database has no table of its own."""
    return not read(connection).tables


def _table(connection: Connection[Any], schema: str, table: str) -> tuple[int, str]:
    query = sql.SQL(
        "select count(*), encode(sha256(convert_to(coalesce(string_agg(digest, '' order by digest), ''), 'UTF8')), 'hex')"
        " from (select encode(sha256(convert_to(row::text, 'UTF8')), 'hex') as digest from {} row) rows"
    ).format(sql.Identifier(schema, table))
    found = connection.execute(query).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has one row
    return int(found[0]), str(found[1])


def _same_count(mine: tuple[int, str], theirs: tuple[int, str]) -> str:
    return ", with other contents" if mine[0] == theirs[0] else ""
