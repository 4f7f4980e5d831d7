"""Attacks with SQL: whatever somebody types on the blinded login is refused, or answers with nothing; what the unblinded login forges is refused.

Each statement says how it ends: with which error (SQLSTATE), or with no row. Rights by table are tested one by one in
``tests/unit/core/test_walls.py``; here stand the ways around them.
"""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from psycopg import sql

from tests import world
from tests.blinding.one_database import reset
from tests.treatment import START, Treatment
from trial.core import clock, db, side
from trial.core.access.actions import create_account
from trial.core.models import User
from trial.core.sessions import SessionStore, hashed

LOGINS = {"default": "DATABASE_URL", "unblinded": "UNBLINDED_DATABASE_URL", "allocator": "ALLOCATOR_DATABASE_URL"}
DENIED, NO_FUNCTION, NOT_PREPARED, CHECK = "42501", "42883", "55000", "23514"
LOCKED = "55P03"
NOTHING = "nothing"

Attack = tuple[str, str]


@pytest.fixture(scope="module")
def trial(owner: psycopg.Connection[Any]) -> Iterator[Treatment]:
    """People of both arms, groups and sessions, played once for all statements; each is rolled back."""
    with clock.frozen(START):
        played = Treatment(people=5)
        played.group()
        played.users |= {
            name: world.make_user(name, role, played.site)
            for name, role in (("carla", "coordinator"), ("dana", "datamanager"), ("ada", "admin"), ("bea", "admin"))
        }
        with side.unblinded(), db.unit_of_work(by=world.SETUP):
            create_account(username="nora", full_name="Nora", password="a long enough passphrase", by=world.SETUP)
        yield played
    reset(owner)


def ending(login_side: str, statements: list[str]) -> str:
    """How the last statement ends on a login: its SQLSTATE, "nothing", or the rows. The ones before it must pass."""
    with psycopg.connect(os.environ[LOGINS[login_side]]) as login:
        login.execute("set statement_timeout = '10s'")
        login.execute(
            "select set_config('equipoise.sites', '*', true), set_config('equipoise.actor', 'system:attack', true)"
        )
        *before, last = statements
        for one in before:
            login.execute(one)  # type: ignore[arg-type]
        try:
            cursor = login.execute(last)  # type: ignore[arg-type]
        except psycopg.Error as error:
            return error.sqlstate or ""
        rows = cursor.fetchall() if cursor.description else []
        login.rollback()
    told = [row for row in rows if any(value not in (None, "", 0, [], False) for value in row)]
    return str(told) if told else NOTHING


SECRET = "unblinded_allocation"
THEA = "(select id from core_user where username = 'thea')"

PASSWORDS: list[Attack] = [
    ("select password from core_user", DENIED),
    ("select * from core_user", DENIED),
    ("select u from core_user u", DENIED),
    ("select to_jsonb(u) ->> 'password' from core_user u", DENIED),
    ("select count(*) from core_user where password like 'p%'", DENIED),
    ("select username from core_user order by password", DENIED),
    ("copy core_user to stdout", DENIED),
    ("update core_user set password = password", DENIED),
    ("update core_user set last_login = now() where username = 'carla' returning password", DENIED),
    ("update core_user set last_login = now() where password like 'p%'", DENIED),
    (f"select equipoise_password({THEA})", NOTHING),
    (
        "select equipoise_password(id) from core_user where username in ('thea', 'tim', 'irma', 'ursula', 'ada', 'bea', 'nora')",
        NOTHING,
    ),
    (
        "select 1 from core_user where password_mark = md5(coalesce(equipoise_password(id), '')) and username = 'thea'",
        NOTHING,
    ),
    ("select most_common_vals from pg_stats where tablename = 'core_user'", DENIED),
]
"""What could be tried offline against passwords: no stored password of anybody behind the wall, nor of an account that may be given work there."""

READING: list[Attack] = [
    (f"table {SECRET}", DENIED),
    (f"select from {SECRET} where false", DENIED),
    (f"select count(*) from only {SECRET}", DENIED),
    (f"select 1 where exists (select from {SECRET})", DENIED),
    (f"select (select arm from {SECRET} limit 1)", DENIED),
    (f"with a as (select * from {SECRET}) select count(*) from a", DENIED),
    (f"select 1 from participants_participant p left join {SECRET} a on a.participant_id = p.id", DENIED),
    (f"select to_jsonb(a) from {SECRET} a", DENIED),
    (f"select * from {SECRET} tablesample system (100)", DENIED),
    ("select * from unblinded_history", DENIED),
    ("select * from unblinded_history_seal", DENIED),
    ("select * from concealed_history_seal", DENIED),
    ("select * from concealed_slot", DENIED),
    ("select * from dropbox_refusal", DENIED),
    ("select * from core_login", DENIED),
    ("select * from core_setuptoken", DENIED),
    (f"declare c cursor with hold for select * from {SECRET}", DENIED),
    (f"copy {SECRET} to stdout", DENIED),
    (f"copy (select arm from {SECRET}) to stdout", DENIED),
    (f"explain select * from {SECRET}", DENIED),
    (f"explain (analyze, buffers) select * from {SECRET}", DENIED),
    (f"explain (generic_plan) select * from {SECRET} where arm = $1", DENIED),
    (f"prepare p as select * from {SECRET}; execute p", DENIED),
    (f"do $$ begin perform 1 from {SECRET}; end $$", DENIED),
    (f"select query_to_xml('select * from {SECRET}', true, true, '')", DENIED),
    (f"select table_to_xml('{SECRET}'::regclass, true, true, '')", DENIED),
    (f"select * from ts_stat('select to_tsvector(arm) from {SECRET}')", DENIED),
    (f"lock table {SECRET} in access share mode nowait", DENIED),
    ("lock table participants_participant in access exclusive mode nowait", DENIED),
    (f"select pg_get_viewdef('{SECRET}'::regclass)", NOTHING),
]
"""Reading what lies behind the wall, by every road that SQL has."""

AROUND: list[Attack] = [
    ("select p.xmin from participants_participant p", DENIED),
    ("select xmax, cmax from participants_participant", DENIED),
    ("select ctid from participants_participant", DENIED),
    ("select 1 from participants_participant where ctid = '(0,1)'", DENIED),
    ("select tableoid from participants_participant", DENIED),
    ("update participants_participant set baseline_completed_at = now() returning xmin", DENIED),
    ("select xmin from core_history_seal", DENIED),
    ("select xmin from pg_class", DENIED),
    ("select query from pg_stat_activity", DENIED),
    ("select * from pg_stat_get_activity(null)", DENIED),
    ("select n_tup_ins from pg_stat_all_tables", DENIED),
    ("select * from pg_stat_xact_user_tables", DENIED),
    ("select * from pg_stat_wal", DENIED),
    ("select * from pg_stat_io", DENIED),
    ("select most_common_vals from pg_stats where tablename = 'unblinded_allocation'", DENIED),
    ("select * from pg_statistic", DENIED),
    ("select * from pg_statistic_ext_data", DENIED),
    ("select reltuples from pg_class where relname = 'unblinded_allocation'", DENIED),
    ("select relallvisible from pg_class", DENIED),
    ("select datfrozenxid from pg_database", DENIED),
    ("select pg_relation_size('unblinded_allocation')", DENIED),
    ("select pg_relation_filepath('unblinded_allocation')", DENIED),
    ("select pg_sequence_last_value('unblinded_history_id_seq')", DENIED),
    ("select last_value from unblinded_history_id_seq", DENIED),
    ("select currval('unblinded_history_id_seq')", DENIED),
    ("select setval('core_history_id_seq', 1)", DENIED),
    ("select pg_current_wal_insert_lsn()", DENIED),
    ("select pg_xact_commit_timestamp('3')", DENIED),
    ("select * from pg_locks", DENIED),
    ("select * from pg_prepared_xacts", DENIED),
    ("select pg_blocking_pids(pg_backend_pid())", DENIED),
    ("select pg_try_advisory_xact_lock(7305135)", DENIED),
    ("select pg_advisory_lock_shared(7305142)", DENIED),
    ("select pg_notification_queue_usage()", DENIED),
    ("select pg_listening_channels()", NOTHING),
    ("select pg_export_snapshot()", DENIED),
    ("prepare transaction 'mine'", NOT_PREPARED),
    ("select lo_create(0)", DENIED),
    ("select lo_from_bytea(0, 'x')", DENIED),
    ("select lo_import('/etc/passwd')", DENIED),
    ("select lo_get(1)", DENIED),
    ("select * from pg_largeobject", DENIED),
    ("select * from pg_largeobject_metadata", DENIED),
]
"""What counts, dates or sizes secret rows, and what lasts beyond a transaction."""

POWER: list[Attack] = [
    ("set role equipoise_unblinded", DENIED),
    ("set session authorization equipoise_owner", DENIED),
    ("set session_replication_role = replica", DENIED),
    ("grant select on unblinded_allocation to equipoise_blinded", DENIED),
    ("grant equipoise_unblinded to equipoise_blinded", DENIED),
    ("alter role equipoise_blinded bypassrls", DENIED),
    ("alter role equipoise_unblinded password 'x'", DENIED),
    ("create role another", DENIED),
    ("drop policy equipoise_site on participants_participant", DENIED),
    ("alter table participants_participant disable row level security", DENIED),
    ("alter table participants_participant disable trigger all", DENIED),
    ("drop trigger equipoise_history on participants_participant", DENIED),
    (
        "create trigger mine before insert on participants_participant for each row execute function suppress_redundant_updates_trigger()",
        DENIED,
    ),
    ("create rule mine as on select to participants_participant do instead select 1", DENIED),
    ("create event trigger mine on ddl_command_end execute function equipoise_history()", DENIED),
    ("create or replace function equipoise_sites() returns text[] language sql as $$ select array['x'] $$", DENIED),
    ("create function public.mine() returns int language sql as 'select 1'", DENIED),
    ("create function pg_temp.equipoise_login_side() returns text language sql as $$ select 'owner' $$", DENIED),
    ("create temp table core_login (name text, side text)", DENIED),
    ("create temp view core_membership as select 1", DENIED),
    ("create schema mine", DENIED),
    ("create view public.mine as select 1", DENIED),
    ("create materialized view public.mine as select 1", DENIED),
    ("create statistics mine on id, number from participants_participant", DENIED),
    ("create extension dblink", DENIED),
    ("create extension pg_stat_statements", DENIED),
    ("select dblink('dbname=postgres', 'select 1')", NO_FUNCTION),
    ("create foreign data wrapper mine", DENIED),
    ("create publication mine for all tables", DENIED),
    ("create language plpython3u", "0A000"),
    ("load 'auto_explain'", DENIED),
    ("copy participants_participant to '/tmp/x'", DENIED),
    ("copy participants_participant(id) from '/etc/passwd'", DENIED),
    ("copy (select 1) to program 'id'", DENIED),
    ("select pg_read_file('/etc/passwd')", DENIED),
    ("select pg_read_binary_file('postgresql.conf')", DENIED),
    ("select pg_ls_dir('.')", DENIED),
    ("select pg_ls_waldir()", DENIED),
    ("select pg_current_logfile()", DENIED),
    ("select current_setting('data_directory')", DENIED),
    ("select rolpassword from pg_authid", DENIED),
    ("select passwd from pg_shadow", DENIED),
    ("select pg_reload_conf()", DENIED),
    ("alter system set log_statement = 'all'", "25001"),
    ("set log_statement = 'none'", DENIED),
    ("select pg_terminate_backend(pid) from (select 1 as pid) x", NOTHING),
    ("checkpoint", DENIED),
    ("reassign owned by equipoise_owner to equipoise_blinded", DENIED),
    ("create table mine (p uuid references unblinded_allocation(id))", DENIED),
    ("truncate participants_participant", DENIED),
    ("set row_security = off; select * from participants_participant", DENIED),
]
"""More rights, or a place to put code of one's own that somebody else runs."""

WRITING: list[Attack] = [
    (f"insert into {SECRET}(id) values (gen_random_uuid())", DENIED),
    (f"update {SECRET} set arm = 'imr'", DENIED),
    (f"delete from {SECRET}", DENIED),
    (
        f"merge into {SECRET} a using participants_participant p on a.participant_id = p.id when matched then do nothing",
        DENIED,
    ),
    (
        "insert into unblinded_told(id, allocation_id) select gen_random_uuid(), id from participants_participant",
        DENIED,
    ),
    (
        "insert into dropbox_refusal(id, at, what, place, actor, about) values (gen_random_uuid(), now(), 'page', '', 'x', '') returning id",
        DENIED,
    ),
    (
        "insert into dropbox_refusal(id) values (gen_random_uuid()) on conflict (id) do update set place = excluded.place",
        DENIED,
    ),
    ("insert into dropbox_unblinding_report(id) select id from dropbox_unblinding_report", DENIED),
    ("delete from participants_participant", DENIED),  # would tell by its foreign key who has an allocation
    ("update participants_participant set id = gen_random_uuid()", DENIED),
    ("update participants_participant set randomized_at = now(), stratum = 'x'", DENIED),
    ("insert into participants_release(id) values (gen_random_uuid())", DENIED),
    ("update participants_randomizationrequest set state = 'done'", DENIED),
    ('insert into participants_recordsstate("only") values (true)', DENIED),
    ("insert into core_membership(id) values (gen_random_uuid())", DENIED),
    ("update core_membership set role = 'independent'", DENIED),
    ("update core_membership set ended_at = null, ended_by = ''", DENIED),
    ("update core_user set username = 'x'", DENIED),
    ("update core_user set is_active = true", DENIED),
    ("update core_user set password = 'x' where username = 'thea'", DENIED),
    ("insert into unblinded_reentry(id) values (gen_random_uuid())", DENIED),
    ("insert into unblinded_token(id) values (gen_random_uuid())", DENIED),
    ("insert into protocol_site(code, name, is_active) values ('x', 'x', true) returning xmin", DENIED),
]
"""Writing what tells by its error, its count or its existence."""

FUNCTIONS = [
    "equipoise_login_side()", "equipoise_seal('unblinded')", "equipoise_seal('open')", "equipoise_history_text('{}')", "equipoise_salt('x')",
    "equipoise_sees_allocation('rotterdam')", "equipoise_records_period('after', gen_random_uuid())", "equipoise_holds_role('x', 'admin')",
    "equipoise_records_stopped(gen_random_uuid())", "equipoise_sessions_plan()", "equipoise_fidelity_scale('x')", "equipoise_history()",
]  # fmt: skip
"""Functions that run with the owner's rights and are for triggers alone."""

BLINDED = [*PASSWORDS, *READING, *AROUND, *POWER, *WRITING, *((f"select {one}", DENIED) for one in FUNCTIONS)]


def test_the_list_is_long() -> None:
    assert len({statement for statement, _ending in BLINDED}) == len(BLINDED) >= 60


@pytest.mark.parametrize(("statement", "expected"), BLINDED)
def test_the_blinded_login(trial: Treatment, statement: str, expected: str) -> None:
    assert ending("default", statement.split("; ") if "$$" not in statement else [statement]) == expected


HISTORIES = ("core_history", "unblinded_history", "concealed_history")
TAMPERING = (
    "update {0} set actor = 'somebody else'",
    "update {0} set salt = null",
    "delete from {0}",
    "truncate {0}",
    "insert into {0}(at, login, actor, action, reason, table_name, operation, row_id) values (now(), 'x', 'x', 'x', '', 'x', 'INSERT', 'x')",
    "alter table {0} disable trigger all",
    "alter table {0} rename to {0}_old",
    "lock table {0}",
    "insert into {0}_seal(number, first_row, last_row, rows, at, digests, head) values (1, 1, 1, 1, now(), '', '')",
    "update {0}_seal set head = ''",
    "delete from {0}_seal",
)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("statement", TAMPERING)
@pytest.mark.parametrize("table", HISTORIES)
def test_no_login_tampers_with_a_history(trial: Treatment, login: str, statement: str, table: str) -> None:
    assert ending(login, [statement.format(table)]) == DENIED


UNBLINDED: list[Attack] = [
    ("select * from concealed_slot", DENIED),
    ("select * from concealed_sequence", DENIED),
    ("select * from concealed_history", DENIED),
    ("select * from concealed_history_seal", DENIED),
    ("select seed from concealed_sequence", DENIED),
    ("explain (analyze) select * from concealed_slot", DENIED),
    ("copy concealed_slot to stdout", DENIED),
    ("select query_to_xml('select * from concealed_slot', true, true, '')", DENIED),
    ("insert into concealed_slot(id) values (gen_random_uuid())", DENIED),
    ("insert into unblinded_allocation(id) values (gen_random_uuid())", DENIED),
    ("insert into unblinded_allocation select * from unblinded_allocation", DENIED),
    ("update unblinded_allocation set arm = 'imr'", DENIED),
    ("update unblinded_allocation set site = site", DENIED),
    ("delete from unblinded_allocation", DENIED),
    ("truncate unblinded_allocation", DENIED),
    ("lock table unblinded_allocation", DENIED),
    ("alter table unblinded_allocation disable trigger all", DENIED),
    ("update participants_participant set randomized_at = now()", DENIED),
    ("update participants_participant set stratum = 'x'", DENIED),
    ("update participants_randomizationrequest set state = 'done'", DENIED),
    ("update entry_answer set value = '0'", DENIED),
    ("insert into entry_score(id) values (gen_random_uuid())", DENIED),
    ("insert into participants_databaselock(id) values (gen_random_uuid())", DENIED),
    ("insert into participants_unblindingrequest(id) values (gen_random_uuid())", DENIED),
    ('insert into participants_recordsstate("only", complete, people, day) values (true, true, 5, now())', DENIED),
    ("delete from unblinded_ledger", DENIED),
    ("update unblinded_ledger set what = 'x'", DENIED),
    ("update unblinded_reading set page = 'x'", DENIED),
    ("delete from dropbox_unblinding_report", DENIED),
    ("update unblinded_completion set completed = true", DENIED),
    ("select email from participants_contact", DENIED),
    ("select address from participants_contact", DENIED),
    ("select digest from tokens_token", DENIED),
    ("select core_redaction.* from core_redaction", DENIED),
    ("select pg_try_advisory_xact_lock(7305132)", DENIED),
    ("select equipoise_hold_still()", DENIED),
    ("select equipoise_seal('open')", DENIED),
    ("select equipoise_decide_redaction(gen_random_uuid(), true)", CHECK),  # of its own side there is no such question
    ("select equipoise_redact_record('unblinded_group', '', 'name', 'Tuesday', 'x', true)", DENIED),
    ("select equipoise_redacts('unblinded_group', '{}', '{}')", DENIED),
    ("update unblinded_redaction set state = 'done'", DENIED),
    ("insert into unblinded_redactedline(id) values (gen_random_uuid())", DENIED),
    ("update unblinded_history set reason = ''", DENIED),
    ("set role equipoise_allocator", DENIED),
    ("set session_replication_role = replica", DENIED),
    ("grant equipoise_allocator to equipoise_unblinded", DENIED),
    ("copy (select 1) to program 'id'", DENIED),
    ("create temp table mine (x int)", DENIED),
]


@pytest.mark.parametrize(("statement", "expected"), UNBLINDED)
def test_the_unblinded_login(trial: Treatment, statement: str, expected: str) -> None:
    assert ending("unblinded", [statement]) == expected


def test_the_blinded_login_gets_the_passwords_of_its_own_people_alone(
    trial: Treatment, owner: psycopg.Connection[Any]
) -> None:
    """Otherwise its form could let in nobody. Whatever it can read, it reads of people of the open side."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as login:
        got = dict(login.execute("select username, equipoise_password(id) from core_user").fetchall())
    stored = dict(owner.execute("select username, password from core_user").fetchall())
    assert {name for name, password in got.items() if password} == {"carla", "dana"}
    assert all(got[name] == stored[name] for name in ("carla", "dana"))
    with psycopg.connect(os.environ["DATABASE_URL"]) as login:
        read = "".join(
            str(login.execute(sql.SQL("select {} from {}").format(columns, sql.Identifier(name))).fetchall())
            for name, columns in _readable(login)
        )
    assert stored["carla"] not in read
    assert [name for name in stored if stored[name] in read] == []


def _readable(login: psycopg.Connection[Any]) -> list[tuple[str, sql.Composed]]:
    """Each table of the login with the columns that it may select."""
    login.execute("select set_config('equipoise.sites', '*', false)")
    rows = login.execute(
        "select c.relname, array_agg(a.attname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped"
        " and has_column_privilege(c.oid, a.attnum, 'select') group by c.relname"
    ).fetchall()
    return [(name, sql.SQL(", ").join(map(sql.Identifier, columns))) for name, columns in rows]


def test_the_attacks_meet_something(trial: Treatment, owner: psycopg.Connection[Any]) -> None:
    """There is an arm to be found, a coming slot and a history: a statement that only found empty tables would prove nothing."""
    for table in (SECRET, "concealed_slot", "unblinded_group", *HISTORIES, "participants_participant"):
        assert (owner.execute(f"select count(*) from {table}").fetchone() or (0,))[0] > 0, table  # type: ignore[arg-type]


REFUSAL = "insert into dropbox_refusal(id, at, what, place, actor, about) values (gen_random_uuid(), now(), 'page', '', 'x', '')"


@pytest.mark.parametrize(
    "asks",
    ["select lastval()", "select currval('unblinded_history_id_seq')", "select pg_current_xact_id_if_assigned()"],
)
def test_a_trigger_that_wrote_behind_the_wall_leaves_nothing_to_read(trial: Treatment, asks: str) -> None:
    """The history of a drop box has drawn its number in this very session."""
    assert ending("default", [REFUSAL, asks]) == DENIED


GUISES = ("equipoise.actor", "equipoise.sites", "equipoise.action", "equipoise.reason", "equipoise.now")


def test_another_name_or_site_opens_nothing_behind_the_wall(trial: Treatment) -> None:
    """By architecture the actor and the sites guard against mistakes: SQL on the login may claim to be anybody. It stays the blinded login."""
    claimed = [f"select set_config('{name}', '*', true)" for name in GUISES[1:]]
    claimed.append(f"select set_config('equipoise.actor', '{trial.users['thea'].pk}', true)")
    for statement in (
        f"select * from {SECRET}",
        "select * from unblinded_history",
        "insert into unblinded_told(id) values (gen_random_uuid())",
    ):
        assert ending("default", [*claimed, statement]) == DENIED
    wrote = "update protocol_site set name = 'x' where code = (select min(code) from protocol_site)"
    with psycopg.connect(os.environ["DATABASE_URL"]) as login:
        for one in (*claimed, "select set_config('equipoise.now', '', true)", wrote):
            login.execute(one)  # type: ignore[arg-type]
        told = login.execute("select login from core_history order by id desc limit 1").fetchone()
        login.rollback()
    assert told == ("equipoise_blinded",)  # the login that wrote cannot be claimed


def test_a_claimed_action_opens_no_open_table_to_the_unblinded_login(trial: Treatment) -> None:
    declared = "trial.participants.course.actions.report_death"
    claim = f"select set_config('equipoise.action', '{declared}', true)"
    lie = (
        "insert into participants_death(id, step, number, recorded_at, recorded_by, participant_id, site_id)"
        " select gen_random_uuid(), 'confirmed', 1, now(), 'site staff', id, site_id from participants_participant limit 1"
    )
    assert ending("unblinded", [claim, lie]) == CHECK  # a death is reported before it is confirmed
    assert ending("unblinded", [lie]) == DENIED  # undeclared


@pytest.mark.parametrize(
    "waits",
    ["select equipoise_hold_still()", "select equipoise_take_turn('records x')", "select equipoise_seal_history()"],
)
def test_no_lock_tells_when_the_unblinded_side_works(trial: Treatment, waits: str) -> None:
    """While that side writes, the open side waits for nothing: with a short time-out one could listen to it."""
    with psycopg.connect(os.environ["UNBLINDED_DATABASE_URL"]) as working:
        working.execute(
            "select set_config('equipoise.sites', '*', true), set_config('equipoise.actor', 'system:attack', true)"
        )
        working.execute("update unblinded_group set name = 'x'")
        working.execute("select equipoise_take_turn('records x')")
        assert ending("default", ["set lock_timeout = '100ms'", waits]) != LOCKED
        assert (
            ending(
                "default",
                [
                    "set lock_timeout = '100ms'",
                    'insert into participants_databaselock(id, "only", locked_at, locked_by, signature)'
                    " values (gen_random_uuid(), true, now(), 'x', '{}')",
                ],
            )
            == CHECK
        )
        working.rollback()


def test_nothing_is_ever_notified(trial: Treatment) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as login:
        for channel in ("equipoise", "unblinded", "allocation", "celery"):
            login.execute(f"listen {channel}")  # type: ignore[arg-type]
        with trial.at_work("thea") as by:
            from trial.unblinded.disclosure.actions import note

            note(what="result released", subject="", by=by)
        assert list(login.notifies(timeout=0.05)) == []


# --- roles


def promote(login: str, user: User, role: str, **given: str) -> str:
    values = {"granted_by": "'x'", "confirmed_by": "'y'", "confirmed_at": "now()", "site": "'*'", **given}
    return ending(login, [
        "insert into core_membership(id, user_id, role, site, granted_at, granted_by, confirmed_at, confirmed_by, ended_by) values"
        f" (gen_random_uuid(), '{user.pk}', '{role}', {values['site']}, now(), {values['granted_by']}, {values['confirmed_at']},"
        f" {values['confirmed_by']}, '')"
    ])  # fmt: skip


def test_nobody_promotes_themselves(trial: Treatment) -> None:
    carla, thea, ada = (trial.users[name] for name in ("carla", "thea", "ada"))
    for role in ("independent", "datamanager_unblinded", "admin", "datamanager"):
        assert promote("default", carla, role) == DENIED
        assert promote("allocator", carla, role) == DENIED
    assert promote("unblinded", carla, "independent") == CHECK, "somebody of the open side gets a role behind the wall"
    assert promote("unblinded", thea, "datamanager") == CHECK, "somebody who knows arms gets a blind role"
    assert promote("unblinded", thea, "independent", confirmed_by="'x'") == CHECK, "who gives confirms"
    assert promote("unblinded", ada, "datamanager") == CHECK, "an administrator reads trial data"
    assert promote("unblinded", thea, "nothing") == CHECK


def test_an_action_gives_no_role_to_oneself_and_none_alone(trial: Treatment) -> None:
    from trial.core.access import actions as accounts
    from trial.core.errors import Refused

    ada, thea = world.person(trial.users["ada"]), trial.users["thea"]
    with world.at_work(ada) as by:
        given = accounts.give_role(user=thea, role="fidelity", site="*", by=by)
        with pytest.raises(Refused):
            accounts.confirm_role(membership=given, by=by)
    with pytest.raises(Refused), world.at_work(ada) as by:
        accounts.give_role(user=trial.users["ada"], role="independent", site="*", by=by)
    with pytest.raises(Refused), trial.at_work("thea") as by:
        accounts.give_role(user=thea, role="independent", site="*", by=by)


# --- sessions


def somebody(name: str) -> Client:
    client = Client()
    where = "/unblinded/login/" if name == "thea" else "/login/"
    assert client.post(where, {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


def with_session(key: str) -> Client:
    client = Client()
    client.cookies["sessionid"] = key
    return client


def test_a_copied_or_renamed_session_row_is_nobody(trial: Treatment) -> None:
    somebody("dana")
    theirs = somebody("carla").cookies["sessionid"].value
    mine = "0123456789abcdefghijklmnopqrstuv"
    with side.opened(), db.unit_of_work(by=world.SETUP):
        row = Session.objects.get(pk=hashed(theirs))
        Session(pk=hashed(mine), session_data=row.session_data, expire_date=row.expire_date).save(force_insert=True)
    assert with_session(theirs).get("/").status_code == 200
    assert with_session(mine).get("/").status_code == 302
    assert with_session(hashed(theirs)).get("/").status_code == 302, "what stands in the table is no key"
    with side.opened(), db.unit_of_work(by=world.SETUP):
        other = Session.objects.exclude(pk__in=[hashed(theirs), hashed(mine)]).latest("expire_date")
        Session.objects.filter(pk=hashed(theirs)).update(session_data=other.session_data)
    assert with_session(theirs).get("/").status_code == 302, "the data of another session do not fit this key"


def test_a_session_of_the_open_side_opens_nothing_behind_the_wall(trial: Treatment) -> None:
    """Made with the secret of the web process and the blinded login, for somebody of the other side: the mark is missing."""
    thea = trial.users["thea"]
    assert somebody("thea").get("/unblinded/").status_code == 200
    with side.opened(), db.unit_of_work(by=world.SETUP):
        forged = SessionStore()
        forged["_auth_user_id"], forged["_auth_user_backend"] = str(thea.pk), "trial.core.access.sign_in.Backend"
        forged["_auth_user_hash"] = User.objects.get(pk=thea.pk).get_session_auth_hash()
        forged.create()
    answer = with_session(forged.session_key or "").get("/unblinded/")
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/unblinded/login/")
    assert (
        ending(
            "default",
            [
                f"insert into unblinded_reentry(id, user_id, session, at) values (gen_random_uuid(), '{thea.pk}', 'x', now())"
            ],
        )
        == DENIED
    )


def test_a_key_that_somebody_chose_is_replaced_at_the_sign_in(trial: Treatment) -> None:
    client = with_session("a" * 32)
    assert client.post("/login/", {"username": "carla", "password": world.PASSWORD}).status_code == 302
    assert client.cookies["sessionid"].value != "a" * 32
    assert with_session("a" * 32).get("/").status_code == 302


# --- probing by keys


def test_keys_of_secret_rows_cannot_be_probed(trial: Treatment, owner: psycopg.Connection[Any]) -> None:
    """A drop box answers the same to a participant of either arm, and to a key of a row behind the wall as to one of none."""

    def report(participant: Any, site: str) -> str:
        return ending("default", [
            "insert into dropbox_unblinding_report(id, participant_id, site, visit, source, believed_arm, certainty, words, reported_at, reported_by)"
            f" values (gen_random_uuid(), '{participant}', '{site}', 'T2', 'guess', '', 3, '', now(), 'x')"
        ])  # fmt: skip

    arms = owner.execute(
        "select distinct on (arm) arm, participant_id, id, site from unblinded_allocation order by arm"
    ).fetchall()
    assert len(arms) == 2
    assert {report(participant, site) for _arm, participant, _id, site in arms} == {NOTHING}
    allocation, nobody = arms[0][2], "00000000-0000-4000-8000-000000001234"
    assert report(allocation, arms[0][3]) == report(nobody, arms[0][3]) != NOTHING


def test_the_clock_is_not_moved_by_a_login(trial: Treatment) -> None:
    """In a real trial ``equipoise.now`` is not read at all: only the frozen clock of scratch databases does."""
    from importlib import resources

    real = resources.files("trial.core.database").joinpath("sql", "clock_real.sql").read_text(encoding="utf-8")
    assert "current_setting" not in real
