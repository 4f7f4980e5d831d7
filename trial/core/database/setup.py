"""Setting up the database: logins, then tables, then rights. One idempotent program, run by the owner; never by a service.

What it promises: after it, each service login has the rights of the one list and no other, and each right that was revoked has been read
back as that login. What it refuses: a login that owns something, is superuser, bypasses row security or belongs to a role.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from trial.core.access.roles import ALL as ROLES
from trial.core.database import catalog
from trial.core.database.rights import DEFERRED, Table

LOCK = 7_305_131
"""Key of the advisory lock: one setup at a time."""
MAINTENANCE = ("postgres", "template1")
"""Databases that every server has and nobody works in."""


class SetupError(Exception):
    """The database could not be set up; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Plan:
    """What is to be set up. ``logins`` maps side to the login's address; the rest is the one list of rights."""

    owner: str
    logins: dict[str, str]
    tables: dict[str, Table]
    sequences: dict[str, tuple[str, ...]]
    functions: dict[str, tuple[str, ...]]
    views: dict[str, tuple[str, ...]]
    frozen_clock: bool = False
    clock_offset: float = 0.0
    accept_public_catalog: bool = False
    names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        names = {side: str(conninfo_to_dict(url).get("user", "")) for side, url in self.logins.items()}
        object.__setattr__(self, "names", names)
        if len(set(names.values())) != len(names) or "" in names.values():
            raise SetupError(
                "Each side needs a login of its own: DATABASE_URL, UNBLINDED_DATABASE_URL and ALLOCATOR_DATABASE_URL name the same user, or none."
            )


def set_up(plan: Plan, migrate: Callable[[], None], say: Callable[[str], None]) -> list[str]:
    """Do all of it. Returns the rights of PUBLIC that could not be taken away (managed servers), accepted explicitly."""
    with psycopg.connect(plan.owner, autocommit=True) as owner:
        owner.execute("select pg_advisory_lock(%s)", [LOCK])
        say("logins")
        make_logins(owner, plan)
        say("migrations")
        migrate()
        say("rights")
        with owner.transaction():
            apply_functions(owner, plan)
            write_registers(owner, plan)
            apply_triggers(owner, plan)
            apply_policies(owner, plan)
            apply_grants(owner, plan)
            close_catalog(owner, plan)
        left = read_back(plan)
        check_logins(owner, plan)
    if left and not plan.accept_public_catalog:
        raise SetupError(
            "These rights of PUBLIC are left; the owner of this database must be superuser to revoke them, and other databases of the"
            " server are closed by their owners (revoke connect on database ... from public): "
            + ", ".join(left)
            + ". On a server where that is impossible run setup_database --accept-public-catalog; the leak report will list them."
        )
    return left


def make_logins(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Make each service login, or set its password anew; plain logins, members of nothing."""
    for side, url in plan.logins.items():
        name = plan.names[side]
        known = owner.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
        verb = sql.SQL("alter" if known else "create")
        password = sql.Literal(str(conninfo_to_dict(url).get("password", "")))
        owner.execute(
            sql.SQL(
                "{} role {} login nosuperuser nocreatedb nocreaterole nobypassrls noreplication noinherit password {}"
            ).format(verb, sql.Identifier(name), password)
        )
    database = owner.info.dbname
    owner.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
    for name in plan.names.values():
        owner.execute(
            sql.SQL("revoke all on database {} from {}").format(sql.Identifier(database), sql.Identifier(name))
        )
        owner.execute(
            sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), sql.Identifier(name))
        )
    # the tables' defaults and triggers refer to functions that must stand before the first migration
    owner.execute(
        _file("clock_frozen.sql" if plan.frozen_clock else "clock_real.sql").format(offset=float(plan.clock_offset))
    )


def _file(name: str) -> str:
    return resources.files("trial.core.database").joinpath("sql", name).read_text(encoding="utf-8")


def apply_functions(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Put the functions back to what they should be, whatever a migration did to them."""
    owner.execute(_file("functions.sql"))


def write_registers(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Tell the triggers which login is on which side, and which role."""
    owner.execute("delete from core_login")
    owner.execute("delete from core_rolesiderow")
    with owner.cursor() as c:
        c.executemany("insert into core_login(name, side) values (%s, %s)", [(n, s) for s, n in plan.names.items()])
        c.executemany(
            "insert into core_rolesiderow(role, side, excludes) values (%s, %s, %s)",
            [(r.code, r.side, ",".join(sorted(r.excludes))) for r in ROLES],
        )


def apply_triggers(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """History on every table with trial data; refusals of what must not change; the guards. Old ones are dropped first."""
    stale = owner.execute(
        "select t.tgname, c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where not t.tgisinternal and t.tgname like 'equipoise_%' and c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    for trigger, table_name in stale:
        owner.execute(sql.SQL("drop trigger {} on {}").format(sql.Identifier(trigger), sql.Identifier(table_name)))
    for table_name, table in plan.tables.items():
        for function, when, arguments in _triggers_of(table, plan.tables):
            deferred = "deferrable" in when
            owner.execute(
                sql.SQL("create {} {} {} on {} {} for each row execute function {}({})").format(
                    sql.SQL("constraint trigger" if deferred else "trigger"),
                    sql.Identifier(function),
                    sql.SQL(when.removesuffix(DEFERRED)),
                    sql.Identifier(table_name),
                    sql.SQL(DEFERRED if deferred else ""),
                    sql.Identifier(function),
                    sql.SQL(", ").join(sql.Literal(a) for a in arguments),
                )
            )


def _triggers_of(table: Table, tables: dict[str, Table]) -> list[tuple[str, LiteralString, tuple[str, ...]]]:
    triggers: list[tuple[str, LiteralString, tuple[str, ...]]] = []
    if table.has_history:
        arguments = (table.side, table.key, table.site, ",".join(table.secret), ",".join(table.silent))
        triggers.append(("equipoise_history", "after insert or update or delete", arguments))
    if table.append_only:
        triggers.append(("equipoise_append_only", "before update or delete", ()))
    if table.stops_at_lock:
        triggers.append(("equipoise_guard_lock", "before insert or update or delete", ()))
    if table.write_once:
        triggers.append(("equipoise_write_once", "before update", table.write_once))
    if table.states:
        triggers.append(("equipoise_states", "before update", table.states))
    if table.same_site:
        listed = [
            part for column, other in table.same_site for part in (column, other, tables[other].site or "site_id")
        ]
        # no login may change a foreign key or a site afterwards
        triggers.append(("equipoise_same_site", "before insert", (table.site, *listed)))
    if table.declassified:
        triggers.append(("equipoise_declassified", "before insert or update", table.declassified))
    triggers += [(function, when, ()) for function, when in table.guards]
    return triggers


def apply_policies(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Row-level security by site: enabled, not forced, so that the owner can migrate and dump."""
    for name, table in plan.tables.items():
        t = sql.Identifier(name)
        owner.execute(sql.SQL("drop policy if exists equipoise_site on {}").format(t))
        if not table.site:
            owner.execute(sql.SQL("alter table {} disable row level security").format(t))
            continue
        column = sql.Identifier(table.site)
        test = sql.SQL("({0} is null or {0} = any ((select equipoise_sites())::text[]))").format(column)
        owner.execute(sql.SQL("alter table {} enable row level security").format(t))
        owner.execute(sql.SQL("create policy equipoise_site on {} using {} with check {}").format(t, test, test))


def apply_grants(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Revoke everything, then grant what the list says. Rights of the blinded login are by column, never by table."""
    columns = _columns(owner)
    _revoke_all(owner, plan, columns)
    for side, name in plan.names.items():
        login = sql.Identifier(name)
        owner.execute(sql.SQL("grant usage on schema public to {}").format(login))
        for table_name, table in plan.tables.items():
            if table_name not in columns:
                raise SetupError(f"The list of rights names the table {table_name}, which does not exist.")
            _grant_table(owner, side, login, table_name, table, columns[table_name])
        for sequence, sides in plan.sequences.items():
            if side in sides:
                owner.execute(sql.SQL("grant usage on sequence {} to {}").format(sql.Identifier(sequence), login))
        for function, sides in plan.functions.items():
            if side in sides:
                owner.execute(sql.SQL("grant execute on function {} to {}").format(sql.Identifier(function), login))


def _grant_table(
    owner: psycopg.Connection[Any], side: str, login: sql.Identifier, name: str, table: Table, columns: list[str]
) -> None:
    t = sql.Identifier(name)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    for letter, verb in (("s", "select"), ("i", "insert")):
        if letter in table.letters(side):
            owner.execute(sql.SQL("grant {} ({}) on {} to {}").format(sql.SQL(verb), listed, t, login))
    if "s" not in table.letters(side) and table.reads(side):
        some = sql.SQL(", ").join(map(sql.Identifier, table.reads(side)))
        owner.execute(sql.SQL("grant select ({}) on {} to {}").format(some, t, login))
    if "d" in table.letters(side):
        if table.side != "infrastructure":
            raise SetupError(f"{name}: no service login deletes trial data.")
        owner.execute(sql.SQL("grant delete on {} to {}").format(t, login))
    updates = [c for c in columns if c != table.key] if table.updates(side) == ("*",) else list(table.updates(side))
    if table.key in updates:
        raise SetupError(f"{name}: no service login changes a key.")
    if updates:
        owner.execute(
            sql.SQL("grant update ({}) on {} to {}").format(sql.SQL(", ").join(map(sql.Identifier, updates)), t, login)
        )


def _columns(owner: psycopg.Connection[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in owner.execute(
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped order by 1, a.attnum"
    ):
        found.setdefault(table, []).append(column)
    return found


def _revoke_all(owner: psycopg.Connection[Any], plan: Plan, columns: dict[str, list[str]]) -> None:
    everybody = [sql.SQL("public"), *map(sql.Identifier, plan.names.values())]
    for who in everybody:
        owner.execute(sql.SQL("revoke all on all tables in schema public from {}").format(who))
        owner.execute(sql.SQL("revoke all on all sequences in schema public from {}").format(who))
        owner.execute(sql.SQL("revoke all on all functions in schema public from {}").format(who))
        owner.execute(sql.SQL("revoke all on schema public from {}").format(who))
    # revoking on the table does not take back rights by column
    rows = owner.execute(
        "select distinct c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and a.attacl is not null and not a.attisdropped"
    ).fetchall()
    for table, column in rows:
        for who in everybody:
            owner.execute(
                sql.SQL("revoke all ({}) on {} from {}").format(sql.Identifier(column), sql.Identifier(table), who)
            )


def close_catalog(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Take from PUBLIC what counts, dates or sizes rows. Takes a superuser; for anybody else it only warns, hence :func:`read_back`."""
    for signature in _catalog_functions(owner):
        owner.execute(f"revoke all on function {signature} from public")
    for side, kept in catalog.KEPT_FOR.items():
        for signature in kept:
            owner.execute(
                sql.SQL("grant execute on function {} to {}").format(
                    sql.SQL(signature), sql.Identifier(plan.names[side])
                )
            )
    for view in _catalog_views(owner):
        owner.execute(sql.SQL("revoke all on pg_catalog.{} from public").format(sql.Identifier(view)))
    for table in sorted({*_whole_tables(owner), *catalog.HIDDEN_COLUMNS}):
        shown = [
            r[0]
            for r in owner.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                [f"pg_catalog.{table}"],
            )
            if r[0] not in catalog.HIDDEN_COLUMNS.get(table, ())
        ]
        t = sql.Identifier(table)
        owner.execute(sql.SQL("revoke all on pg_catalog.{} from public").format(t))
        owner.execute(
            sql.SQL("grant select ({}) on pg_catalog.{} to public").format(
                sql.SQL(", ").join(map(sql.Identifier, shown)), t
            )
        )
    for other in MAINTENANCE:
        if owner.execute("select 1 from pg_database where datname = %s", [other]).fetchone():
            owner.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(other)))


def _whole_tables(owner: psycopg.Connection[Any]) -> list[str]:
    """The tables of the catalog that PUBLIC may read as wholes, and so with the transaction numbers of their rows."""
    rows = owner.execute(
        "select c.relname from pg_class c where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and exists ("
        " select 1 from aclexplode(c.relacl) a where a.grantee = 0 and a.privilege_type = 'SELECT') order by 1"
    ).fetchall()
    return [n for (n,) in rows if not catalog.VIEW_PATTERN.match(n)]


def _catalog_functions(owner: psycopg.Connection[Any]) -> list[str]:
    rows = owner.execute(
        "select p.proname, p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace order by 2"
    ).fetchall()
    return [s for n, s in rows if catalog.FUNCTION_PATTERN.match(n) or s in catalog.FUNCTION_SIGNATURES]


def _catalog_views(owner: psycopg.Connection[Any]) -> list[str]:
    rows = owner.execute(
        "select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('v', 'r') order by 1"
    ).fetchall()
    return [n for (n,) in rows if catalog.VIEW_PATTERN.match(n)]


def read_back(plan: Plan) -> list[str]:
    """Ask, as each login, for each right that was revoked from PUBLIC; the ones that are left, by name."""
    with psycopg.connect(plan.owner, autocommit=True) as owner:
        functions, views = _catalog_functions(owner), _catalog_views(owner)
        left = {f"system columns of {table}" for table in _whole_tables(owner)}
        left |= {f"connect to database {name}" for name in _open_databases(owner)}
    for side, url in plan.logins.items():
        kept = catalog.KEPT_FOR.get(side, ())
        with psycopg.connect(url, autocommit=True) as login:
            left |= _granted(
                login,
                "select f from unnest(%s::text[]) f where has_function_privilege(f, 'execute')",
                [f for f in functions if f not in kept],
            )
            left |= _granted(
                login,
                "select v from unnest(%s::text[]) v where has_any_column_privilege('pg_catalog.' || v, 'select')",
                views,
            )
            left |= _granted(
                login,
                "select c from unnest(%s::text[]) c join pg_attribute on attrelid = ('pg_catalog.' || split_part(c, '.', 1))::regclass"
                " and attname = split_part(c, '.', 2) where has_column_privilege(attrelid, attnum, 'select')",
                [f"{table}.{column}" for table, columns in catalog.HIDDEN_COLUMNS.items() for column in columns],
            )
    return sorted(left)


def _open_databases(owner: psycopg.Connection[Any]) -> list[str]:
    """Other databases of the server that everybody may connect to: from there the whole server's statistics can be read.

    They may be somebody else's: it is for their owner to close them.
    """
    rows = owner.execute(
        "select datname from pg_database where datallowconn and datname <> current_database() and exists ("
        " select 1 from aclexplode(coalesce(datacl, acldefault('d', datdba))) a where a.grantee = 0 and a.privilege_type = 'CONNECT') order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def _granted(login: psycopg.Connection[Any], query: str, names: Iterable[str]) -> set[str]:
    return {row[0] for row in login.execute(query, [list(names)])}


def check_logins(owner: psycopg.Connection[Any], plan: Plan) -> None:
    """Refuse a service login that could step over the walls."""
    for name in plan.names.values():
        row = owner.execute(
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication,"
            " exists (select 1 from pg_class where relowner = r.oid) or exists (select 1 from pg_proc where proowner = r.oid)"
            " or exists (select 1 from pg_database where datdba = r.oid) or exists (select 1 from pg_namespace where nspowner = r.oid),"
            " exists (select 1 from pg_auth_members where member = r.oid) from pg_roles r where rolname = %s",
            [name],
        ).fetchone()
        if row is None or any(row):
            raise SetupError(
                f"The login {name} is superuser, owns something, or belongs to another role; no wall would hold."
                " Take a plain login for it, then run setup_database again."
            )
