"""The first test of the suite: no service login can step over the wall, and the wall refuses."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from trial.core.database import catalog

LOGINS = {"default": "DATABASE_URL", "unblinded": "UNBLINDED_DATABASE_URL", "allocator": "ALLOCATOR_DATABASE_URL"}
TABLES = import_string(settings.RIGHTS)


_connections: dict[str, psycopg.Connection[Any]] = {}


@pytest.fixture(scope="module", autouse=True)
def _let_in() -> Iterator[None]:
    """Each login is let in once: that takes the server longer than a hundred refusals."""
    for name, address in LOGINS.items():
        _connections[name] = psycopg.connect(os.environ[address], autocommit=True, prepare_threshold=None)
    yield
    while _connections:
        _connections.popitem()[1].close()


@contextmanager
def connect(side: str) -> Iterator[psycopg.Connection[Any]]:
    """The login; what is set on it is gone afterwards."""
    try:
        yield _connections[side]
    finally:
        _connections[side].execute("discard all")


@pytest.mark.parametrize("side", LOGINS)
def test_a_service_login_owns_nothing_and_belongs_to_nothing(side: str, owner: psycopg.Connection[Any]) -> None:
    with connect(side) as login:
        name = login.execute("select session_user").fetchone()[0]  # type: ignore[index]
    flags = owner.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, rolcanlogin from pg_roles where rolname = %s",
        [name],
    ).fetchone()
    assert flags == (False, False, False, False, False, False, True)
    owned = owner.execute(
        "select count(*) from (select relowner o from pg_class union all select proowner from pg_proc union all select nspowner from pg_namespace"
        " union all select datdba from pg_database union all select typowner from pg_type) x join pg_roles r on r.oid = x.o where r.rolname = %s",
        [name],
    ).fetchone()
    assert owned == (0,)
    member = owner.execute(
        "select count(*) from pg_auth_members m join pg_roles r on r.oid in (m.member, m.roleid) where r.rolname = %s",
        [name],
    )
    assert member.fetchone() == (0,)


@pytest.mark.parametrize("side", LOGINS)
@pytest.mark.parametrize("table", TABLES)
def test_a_login_reads_what_the_list_says_and_nothing_else(side: str, table: str) -> None:
    with connect(side) as login:
        login.execute("select set_config('equipoise.sites', '*', false)")
        if TABLES[table].reads(side):
            login.execute(f"select {', '.join(TABLES[table].reads(side))} from {table} limit 1")
        if TABLES[table].reads(side) not in ((), ("*",)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"select * from {table} limit 1")
        if not TABLES[table].reads(side):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"select 1 from {table} limit 1")


@pytest.mark.parametrize(
    "table", [name for name, t in TABLES.items() if t.side in ("unblinded", "concealed", "dropbox")]
)
def test_the_blinded_login_cannot_read_behind_the_wall(table: str) -> None:
    with connect("default") as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(f"select count(*) from {table}")


@pytest.mark.parametrize("table", [name for name, t in TABLES.items() if t.side == "concealed"])
def test_the_unblinded_login_cannot_read_the_sequence(table: str) -> None:
    with connect("unblinded") as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(f"select * from {table}")


def test_the_unblinded_login_cannot_forge_an_allocation() -> None:
    with connect("unblinded") as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute("insert into unblinded_allocation(id) values (gen_random_uuid())")


@pytest.mark.parametrize("column", ["xmin", "xmax", "ctid", "tableoid", "cmin"])
@pytest.mark.parametrize("table", [name for name, t in TABLES.items() if t.reads("default")])
def test_system_columns_stay_hidden_from_the_blinded_login(table: str, column: str) -> None:
    with connect("default") as login:
        login.execute("select set_config('equipoise.sites', '*', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(f"select {column} from {table} limit 1")


STATISTICS = [
    "select * from pg_stat_activity",
    "select * from pg_stat_user_tables",
    "select * from pg_statio_user_tables",
    "select * from pg_stat_database",
    "select * from pg_locks",
    "select * from pg_stats",
    "select * from pg_sequences",
    "select * from pg_prepared_xacts",
    "select reltuples from pg_class",
    "select relpages from pg_class",
    "select relfrozenxid from pg_class",
    "select relminmxid from pg_class",
    "select relfilenode from pg_class",
    "select * from pg_class",
    "select pg_relation_size('core_user')",
    "select pg_total_relation_size('core_user')",
    "select pg_table_size('core_user')",
    "select pg_indexes_size('core_user')",
    "select pg_database_size(current_database())",
    "select pg_current_xact_id()",
    "select pg_current_xact_id_if_assigned()",
    "select pg_current_snapshot()",
    "select txid_current()",
    "select txid_current_snapshot()",
    "select pg_stat_get_live_tuples('core_user'::regclass)",
    "select pg_stat_get_tuples_inserted('core_user'::regclass)",
    "select pg_blocking_pids(1)",
    "select pg_relation_filepath('core_user')",
    "select pg_current_wal_lsn()",
    "select pg_logical_emit_message(false, 'x', 'x')",
    "select pg_advisory_lock(7305132)",
    "select pg_try_advisory_lock(7305133)",
    "select pg_export_snapshot()",
    "select lo_creat(0)",
    "select pg_sequence_last_value('core_history_id_seq')",
    "select last_value from core_history_id_seq",
    "select nextval('core_history_id_seq')",
    "select pg_get_multixact_members('1')",
    "select age('1'::xid)",
    "create temp table t (x int)",
    "create table t (x int)",
    "alter table core_user disable trigger all",
    "set session_replication_role = replica",
    "set role equipoise_unblinded",
    "set session authorization equipoise_unblinded",
    "select equipoise_login_side()",
    "copy core_user to '/tmp/x'",
    "copy core_user to program 'true'",
    "select pg_read_file('/etc/passwd')",
    "insert into core_history(at, login, actor, action, reason, table_name, operation, row_id) values (now(), 'x', 'x', 'x', '', 'x', 'x', 'x')",
    "update core_history set actor = 'somebody else'",
    "delete from core_history",
    "delete from participants_participant",
    "update participants_participant set id = gen_random_uuid()",
    "update participants_participant set randomized_at = now()",
    "insert into core_membership(id) values (gen_random_uuid())",
    "update core_membership set role = 'independent'",
    "delete from participants_consent",
    "update participants_consent set given = true",
    "select * from dropbox_unblinding_report",
    "insert into participants_release(id) values (gen_random_uuid())",
]


@pytest.mark.parametrize("statement", STATISTICS)
def test_the_blinded_login_is_refused(statement: str) -> None:
    with connect("default") as login:
        login.execute("select set_config('equipoise.sites', '*', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(statement)  # type: ignore[arg-type]


OWN = ("equipoise_unblinded", "core_membership", "dropbox", "participants_release")


@pytest.mark.parametrize("statement", [s for s in STATISTICS if not any(word in s for word in OWN)])
def test_the_unblinded_login_is_refused_the_statistics_too(statement: str) -> None:
    with connect("unblinded") as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(statement)  # type: ignore[arg-type]


def test_a_missing_identity_is_an_error_and_not_an_empty_page(database: psycopg.Connection[Any]) -> None:
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    database.execute(
        "insert into core_history(at, login, actor, action, reason, table_name, operation, row_id, site)"
        " values (now(), 'x', 'x', 'x', '', 'x', 'INSERT', 'x', 'somewhere')"
    )
    with connect("default") as login:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no identity"):
            login.execute("select * from core_history")
        login.execute("select set_config('equipoise.sites', '-', false)")
        assert login.execute("select * from core_history").fetchall() == []


def test_a_write_without_an_actor_is_refused() -> None:
    with connect("unblinded") as login, pytest.raises(psycopg.errors.InsufficientPrivilege, match="needs an actor"):
        login.execute(
            "insert into unblinded_ledger(id, at, actor, what, subject) values (gen_random_uuid(), now(), 'x', 'x', '')"
        )


def test_every_table_sequence_function_and_view_has_a_side(owner: psycopg.Connection[Any]) -> None:
    def named(query: str) -> set[str]:
        return {row[0] for row in owner.execute(query)}  # type: ignore[arg-type]

    module = settings.RIGHTS.rpartition(".")[0]
    space = "relnamespace = 'public'::regnamespace"
    assert named(f"select relname from pg_class where {space} and relkind in ('r', 'p', 'f')") == set(TABLES)
    assert named(f"select relname from pg_class where {space} and relkind in ('v', 'm')") == set(
        import_string(f"{module}.VIEWS")
    )
    assert named("select proname from pg_proc where pronamespace = 'public'::regnamespace") == set(
        import_string(f"{module}.FUNCTIONS")
    )
    drawable = import_string(f"{module}.SEQUENCES")
    sequences = named(f"select relname from pg_class where {space} and relkind = 'S'")
    assert set(drawable) <= sequences
    for sequence in sequences - set(drawable):
        table = owner.execute(
            "select c.relname from pg_depend d join pg_class c on c.oid = d.refobjid where d.objid = %s::regclass and d.deptype in ('a', 'i')",
            [sequence],
        ).fetchone()
        assert table is not None
        assert table[0] in TABLES


def test_tables_behind_the_wall_say_so_in_their_name() -> None:
    prefix = {"unblinded": "unblinded_", "concealed": "concealed_", "dropbox": "dropbox_"}
    for name, table in TABLES.items():
        for side, start in prefix.items():
            assert name.startswith(start) == (table.side == side), name


def test_exactly_one_foreign_key_crosses_the_wall(owner: psycopg.Connection[Any]) -> None:
    rows = owner.execute(
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f'"
    ).fetchall()
    behind = {name for name, t in TABLES.items() if t.side in ("unblinded", "concealed", "dropbox")}
    crossing = [(a, b) for a, b in rows if (a in behind) != (b in behind)]
    assert crossing == [("unblinded_allocation", "participants_participant")]


WITHOUT_SITE = {
    "core_user": "accounts: administrators have no site, and a person may work at several",
    "core_membership": "the site is what the row grants, not where it belongs",
    "core_setuptoken": "before there is a site",
    "tokens_token": "an account's; what it opens is asked of the roles at each request",
    "unblinded_token": "an account's; what it opens is asked of the roles at each request",
    "participants_commitment": "a digest that everybody may read",
    "dropbox_seed_share": "of the whole trial; read by the allocator alone",
    "unblinded_verification_order": "an order about the whole trial",
    "unblinded_reveal": "the sequence of the whole trial, after planned unblinding",
    "concealed_draw": "the allocator's alone",
    "unblinded_forecast_run": "a simulation; no participant is in it",
    "core_history_seal": "a batch of the whole history",
    "unblinded_history_seal": "a batch of the whole history",
    "dropbox_refusal": "read by administrators, who have no site; it names no participant",
    "protocol_protocolversion": "one trial",
    "protocol_importstate": "one trial",
    "protocol_site": "the sites themselves: what the policies read",
    "protocol_team": "the protocol's teams; everybody may transfer to any of them",
    "participants_recordsstate": "one fact of the whole trial",
    "participants_databaselock": "the whole trial is locked",
    "participants_unblindingrequest": "the whole trial is unblinded",
    "participants_release": "a result of the whole trial",
    "plans_planversion": "one trial",
    "plans_plansignature": "one trial",
    "snapshots_snapshot": "data of the whole trial, for trial-wide roles",
    "reports_report": "of the whole trial, pooled, for trial-wide roles",
    "pooled_pooledrun": "an analysis of the whole trial, for trial-wide roles",
    "pooled_pooledpart": "a part of an analysis of the whole trial, for trial-wide roles",
    "unblinded_planned_unblinding": "the whole trial is unblinded",
    "unblinded_ledger": "who came to know what, of sites and of the trial; read by trial-wide roles",
    "unblinded_reentry": "sessions of accounts",
    "unblinded_handover_seed": "one seed of the trial",
    "unblinded_handover_night": "a night of the whole trial",
    "unblinded_reading": "a log of readers; the participant stands in it as a bare key, and trial-wide roles read it",
    "unblinded_looks_signature": "one trial",
    "unblinded_report": "of the whole trial, by arm, for trial-wide roles",
    "unblinded_report_labels": "one row for the whole trial",
    "unblinded_comparative_run": "an analysis of the whole trial, for trial-wide roles",
    "unblinded_look_request": "a comparison of the whole trial",
    "unblinded_look": "a comparison of the whole trial",
    "unblinded_look_result": "a comparison of the whole trial",
    "unblinded_recommendation": "about the whole trial",
    "unblinded_recommendation_signature": "about the whole trial",
    "unblinded_comparative_part": "a part of an analysis of the whole trial, for trial-wide roles",
    "concealed_sequence": "the allocator's alone",
    "concealed_slot": "the allocator's alone",
    "concealed_history": "the allocator's alone",
    "concealed_history_seal": "the allocator's alone",
}
"""Tables that no row policy divides, each with the reason why it belongs to no site."""


def test_every_other_table_carries_its_site() -> None:
    sides = ("open", "unblinded", "concealed", "dropbox")
    assert {name for name, t in TABLES.items() if t.side in sides and not t.site} == set(WITHOUT_SITE)


HELD_OTHERWISE = {
    ("participants_screeningentry", "previous_id"): "somebody may be screened again at another institution",
    ("participants_transfer", "participant_id"): "equipoise_guard_transfer",
    ("participants_death", "participant_id"): "equipoise_guard_death",
    ("entry_amendment", "form_id"): "equipoise_guard_amendment",
    ("entry_amendedanswer", "amendment_id"): "equipoise_guard_amendment of the row that comes after its answers",
    ("cleaning_dataquery", "participant_id"): "equipoise_guard_data_query",
    ("cleaning_dataquery", "form_id"): "equipoise_guard_data_query: a form of the participant",
    ("cleaning_queryevent", "query_id"): "equipoise_guard_query_event",
    ("unblinded_group_trainer", "group_id"): "equipoise_guard_trainer",
    ("unblinded_member", "group_id"): "equipoise_guard_member",
    ("unblinded_member", "allocation_id"): "equipoise_guard_member",
    ("unblinded_session", "group_id"): "equipoise_guard_session",
    ("unblinded_attendance", "session_id"): "equipoise_guard_attendance",
    ("unblinded_attendance", "allocation_id"): "equipoise_guard_attendance",
    ("unblinded_fidelity_rating", "group_id"): "equipoise_guard_rating",
    ("unblinded_admission", "allocation_id"): "equipoise_guard_admission",
    ("unblinded_admission", "replaces_id"): "equipoise_guard_admission: of the same allocation",
    ("unblinded_lookup", "allocation_id"): "equipoise_guard_lookup",
    ("participants_randomizationerror", "participant_id"): "equipoise_guard_randomization_error",
    ("unblinded_wrong_treatment", "allocation_id"): "equipoise_guard_wrong_treatment",
    ("unblinded_contingency_release", "request_id"): "equipoise_guard_contingency_release",
}
"""Foreign keys between rows of sites whose sites a guard of their own compares, or that may join two sites."""


def test_a_row_and_what_it_refers_to_are_of_one_site(owner: psycopg.Connection[Any]) -> None:
    """Held by the generic guard, or by one that is named above."""
    rows = owner.execute(
        "select c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text from pg_constraint c"
        " join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] where c.contype = 'f'"
    ).fetchall()
    between = {(t, column): other for t, column, other in rows if TABLES[t].site and TABLES[other].site}
    held = {key for key, other in between.items() if (key[1], other) in TABLES[key[0]].same_site}
    assert set(between) - held == set(HELD_OTHERWISE)
    guards = {name for table in TABLES.values() for name, _when in table.guards}
    assert {why.split()[0].strip(":") for why in HELD_OTHERWISE.values() if why.startswith("equipoise_")} <= guards


def test_the_catalog_is_closed_for_each_login(owner: psycopg.Connection[Any]) -> None:
    from trial.core.database import setup
    from trial.core.management.commands.setup_database import current_plan

    def left() -> list[str]:
        # other tests make databases of their own meanwhile
        return [
            right for right in setup.read_back(current_plan(frozen_clock=True)) if not right.startswith("connect to")
        ]

    assert left() == []
    owner.execute("grant execute on function pg_relation_size(regclass, text) to public")
    try:
        assert left() == ["pg_relation_size(regclass,text)"]
    finally:
        owner.execute("revoke execute on function pg_relation_size(regclass, text) from public")
    assert catalog.FUNCTION_PATTERN.match("txid_current")


HARMLESS = re.compile(
    r"^pg_(typeof|column_size|column_compression|client_encoding|encoding_max_length|encoding_to_char|char_to_encoding|get_.*def|get_.*expr"
    r"|get_function_.*|get_userbyid|get_keywords|get_catalog_foreign_keys|get_object_address|get_serial_sequence|get_publication_tables"
    r"|get_replica_identity_index|get_multixact_.*|get_shmem_.*|get_aios|.*_is_visible|identify_.*|describe_object|has_role|backend_pid|my_temp_schema"
    r"|is_other_temp_schema|conf_load_time|postmaster_start_time|listening_channels|notify|sleep.*|timezone_.*|tablespace_location"
    r"|tablespace_databases|options_to_table|settings_get_flags|show_all_settings|describe_.*|relation_is_.*|index_.*has_property"
    r"|indexam_.*|index_column_has_property|indexam_has_property|index_has_property|lsn_.*|ddl_command_.*|node_tree_.*|ndistinct_.*"
    r"|dependencies_.*|mcv_list_.*|brin_.*|snapshot_.*|partition_.*|event_trigger_.*|available_.*|extension_update_paths|collation_.*"
    r"|database_collation_actual_version|import_system_collations|input_.*|is_in_.*|size_.*|basetype|to_.*|sequence_parameters|trigger_depth"
    r"|jit_available|safe_.*|is_wal_replay_paused|last_xact_.*|nextoid|stop_making_pinned_objects|cancel_backend|terminate_backend|rotate_logfile"
    r"|reload_conf|current_logfile|hba_file_rules|ident_file_mappings|cursor|prepared_statement|config|file_.*|ls_.*|read_.*|stat_file|filenode_.*"
    r"|switch_wal|create_restore_point|promote|backup_.*|numa_available|collation_for|char_.*|mcv_.*|extension_config_dump|get_statisticsobjdef.*|get_wait_events|lsn|column_is_updatable|relation_.*|reload_.*)$"
)


def test_no_function_of_the_server_is_left_that_nobody_has_looked_at() -> None:
    """A new version of PostgreSQL brings new functions: each is named here or taken away, after a look at what it counts."""
    with connect("default") as login:
        rows = login.execute(
            "select distinct proname from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname like 'pg\\_%%'"
            " and has_function_privilege(oid, 'execute') order by 1"
        ).fetchall()
    assert [name for (name,) in rows if not HARMLESS.match(name)] == []


def test_the_catalog_tells_no_transaction_numbers() -> None:
    """They count transactions, those behind the wall too."""
    with connect("default") as login:
        tables = [
            name
            for (name,) in login.execute(
                "select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1"
            )
        ]
        assert len(tables) > 50
        for table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"select max(xmin::text) from pg_catalog.{table}")


def test_another_database_of_the_server_that_stands_open_is_named(owner: psycopg.Connection[Any]) -> None:
    """From there the whole server's statistics could be read."""
    from trial.core.database import setup
    from trial.core.management.commands.setup_database import current_plan

    name = f"somebody_else_s_{os.getpid()}"
    owner.execute(f"create database {name} template template0")  # type: ignore[arg-type]
    try:
        assert f"connect to database {name}" in setup.read_back(current_plan(frozen_clock=True))
    finally:
        owner.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]
    for side in LOGINS:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(re.sub(r"/equipoise_\w+\?", "/postgres?", os.environ[LOGINS[side]]))
