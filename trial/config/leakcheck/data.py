"""What the blinded login reads: tables, views, the catalog, sequences and functions, as the catalog lists them to that login.

Nothing is listed by hand but what is left out, each with its reason.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from trial.core.management.commands.setup_database import current_plan

OURS = "public"
"""The schema of our own tables."""

LEFT_OUT: dict[str, str] = {
    "pg_catalog.pg_database.oid": "the number of the scratch database itself, drawn when it is made",
    "pg_catalog.pg_shdepend.dbid": "the same number",
    "pg_catalog.pg_shdepend.objid": "the same number, where it is the database on which a right was granted",
    "pg_catalog.pg_settings": "settings of the server and of this session; no event of a trial moves them",
    "pg_catalog.pg_timezone_names": "a file of the server",
    "pg_catalog.pg_timezone_abbrevs": "a file of the server",
}
"""Columns (and relations) that are not compared, each with its reason."""

SESSION_COLUMNS: dict[str, str] = {
    "public.django_session.session_key": "drawn from the system's secure source at each sign-in, stored hashed",
    "public.django_session.session_data": "signed together with that key",
}
"""Left out as well once somebody has signed in."""

FUNCTIONS_LEFT_OUT: dict[str, str] = {
    "^(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|equipoise_now)$": "the clock of the server",
    "^(pg_postmaster_start_time|pg_conf_load_time)$": "when the server was started",
    "^(random|random_normal|gen_random_uuid|uuidv4|uuidv7)$": "chance",
    "^equipoise_seal_history$": "it writes the next seal of the history, which stands in its table and is compared there",
    "^(pg_backend_pid|inet_(client|server)_(addr|port)|pg_my_temp_schema|pg_jit_available)$": "this session",
    "^(pg_timezone_.*|pg_show_all_(file_)?settings|pg_get_wait_events|pg_config|pg_hba_file_rules)$": "the server's files and settings",
    "^(current_database)$": "the name of the scratch database, which is the same in both worlds",
}
"""Functions without arguments that are not called, by pattern, each with its reason."""

RELATIONS = """
    select n.nspname, c.relname, array(
        select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and has_column_privilege(c.oid, a.attnum, 'select') order by a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname !~ '^pg_(toast|temp)' and has_schema_privilege(n.oid, 'usage')
    order by 1, 2
"""
CALLABLE = """
    select n.nspname, p.proname, array(select format_type(t, null) from unnest(p.proargtypes) t)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_type r on r.oid = p.prorettype
    where p.prokind = 'f' and has_function_privilege(p.oid, 'execute') and has_schema_privilege(n.oid, 'usage')
    and (p.pronargs = 0 or n.nspname = 'public') and r.typname not in ('trigger', 'event_trigger', 'internal', 'language_handler')
    order by 1, 2, 3
"""
SEQUENCES = """
    select c.relname, has_sequence_privilege(c.oid, 'select'), has_sequence_privilege(c.oid, 'usage')
    from pg_class c where c.relkind = 'S' and c.relnamespace = 'public'::regnamespace order by 1
"""


@dataclass
class Seen:
    """Everything that the login can read: the rows of each relation, sequence and function, as text."""

    tables: dict[str, list[str]] = field(default_factory=dict)

    def differences(self, other: "Seen") -> dict[str, tuple[list[str], list[str]]]:
        """What differs, with the rows that only one world has."""
        return {
            name: (
                sorted(set(self.tables.get(name, ())) - set(other.tables.get(name, ()))),
                sorted(set(other.tables.get(name, ())) - set(self.tables.get(name, ()))),
            )
            for name in sorted({*self.tables, *other.tables})
            if self.tables.get(name) != other.tables.get(name)
        }


def look(*, after_sign_in: bool = False, catalog: bool = True) -> Seen:
    """Read it all, as the blinded login of this process.

    ``after_sign_in``: sessions stand in their table, which hold chance. Without ``catalog`` our own schema alone is read, which is quick.
    """
    seen = Seen()
    left_out = {**LEFT_OUT, **(SESSION_COLUMNS if after_sign_in else {})}
    with psycopg.connect(current_plan().logins["default"], autocommit=True) as login:
        login.execute("select set_config('equipoise.sites', '*', false)")
        _relations(login, seen, left_out, catalog)
        _functions(login, seen, catalog)
        _sequences(login, seen)
    return seen


def _relations(login: psycopg.Connection[Any], seen: Seen, left_out: dict[str, str], catalog: bool) -> None:
    """Each readable relation. One of the schema ``public`` goes by its name alone."""
    for schema, name, columns in login.execute(RELATIONS).fetchall():
        full = f"{schema}.{name}"
        shown = [one for one in columns if f"{full}.{one}" not in left_out]
        if full in left_out or not shown or not (catalog or schema == OURS):
            continue
        statement = sql.SQL("select row({})::text from {}").format(
            sql.SQL(", ").join(map(sql.Identifier, shown)), sql.Identifier(schema, name)
        )
        seen.tables[full.removeprefix(f"{OURS}.")] = sorted(_asked(login, statement))


def _functions(login: psycopg.Connection[Any], seen: Seen, catalog: bool) -> None:
    """Each function that takes nothing, and ours with nothing in every argument; a refusal is an answer as well."""
    for schema, name, types in login.execute(CALLABLE).fetchall():
        if any(re.match(pattern, name) for pattern in FUNCTIONS_LEFT_OUT) or not (catalog or schema == OURS):
            continue
        nothing = sql.SQL(", ").join(sql.SQL("null::" + one) for one in types)
        statement = sql.SQL("select f::text from {}({}) f").format(sql.Identifier(schema, name), nothing)
        seen.tables[f"{schema}.{name}({', '.join(types)})"] = sorted(_asked(login, statement))


def _sequences(login: psycopg.Connection[Any], seen: Seen) -> None:
    """What may be drawn only is drawn, and put back by the owner, so that reading leaves no trace."""
    for name, may_read, may_draw in login.execute(SEQUENCES).fetchall():
        if may_read:
            seen.tables[f"sequence {name}"] = _asked(
                login, sql.SQL("select last_value::text from {}").format(sql.Identifier(name))
            )
        elif may_draw:
            drawn = _asked(login, sql.SQL("select nextval({})::text").format(sql.Literal(name)))
            seen.tables[f"sequence {name}"] = drawn
            with psycopg.connect(current_plan().owner) as owner:
                owner.execute("select setval(%s, %s, false)", [name, int(drawn[0])])


def _asked(login: psycopg.Connection[Any], statement: sql.Composed | sql.SQL) -> list[str]:
    try:
        return [str(one) for (one,) in login.execute(statement)]
    except psycopg.Error as error:
        return [f"{error.sqlstate}: {str(error).partition(chr(10))[0]}"]
