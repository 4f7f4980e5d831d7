"""What PostgreSQL lets everybody see, and what we take away from PUBLIC: it counts, dates or sizes secret rows."""

import re

# Functions of pg_catalog whose EXECUTE is revoked from PUBLIC.
FUNCTION_PATTERN = re.compile(
    r"^(pg_stat_.*|pg_(try_)?advisory_.*|pg_logical_.*|pg_create_.*_replication_slot|pg_copy_.*_slot|pg_drop_replication_slot|pg_sync_replication_slots"
    r"|pg_walfile_.*|pg_wal_.*|pg_available_wal_summaries|pg_split_walfile_name|pg_(total_)?relation_size|pg_table_size|pg_indexes_size|pg_database_size|pg_tablespace_size|pg_column_toast_chunk_id"
    r"|pg_current_xact_id(_if_assigned)?|pg_current_snapshot|pg_snapshot_.*|pg_visible_in_snapshot|pg_xact_.*|pg_last_committed_xact"
    r"|pg_get_multixact_members|mxid_age|txid_.*|pg_lock_status|pg_blocking_pids|pg_safe_snapshot_blocking_pids|pg_sequence_last_value"
    r"|pg_get_sequence_data|pg_isolation_test_session_is_blocked|pg_current_wal_.*|pg_last_wal_.*|pg_get_wal_.*"
    r"|pg_prepared_xact|pg_notification_queue_usage|pg_relation_filenode|pg_relation_filepath|pg_filenode_relation"
    r"|pg_export_snapshot|pg_get_replication_slots|pg_get_backend_memory_contexts|pg_log_backend_memory_contexts"
    r"|lo_.*|lowrite|loread|pg_stat_reset.*|pg_control_.*|pg_show_replication_origin_status|pg_replication_.*)$"
)

# age(xid) tells how far a transaction number lies back; age(timestamp) stays.
FUNCTION_SIGNATURES = ("age(xid)", "age(xid8)")

VIEW_PATTERN = re.compile(
    r"^(pg_stat_.*|pg_statio_.*|pg_locks|pg_prepared_xacts|pg_sequences|pg_stats|pg_stats_ext|pg_stats_ext_exprs|pg_replication_slots"
    r"|pg_replication_origin_status|pg_largeobject_metadata|pg_shmem_allocations|pg_backend_memory_contexts|pg_publication_tables"
    r"|pg_stat|pg_statistic.*|pg_wait_events|pg_cursors|pg_aios)$"
)

# Columns that count rows or transactions of tables that one may not read.
HIDDEN_COLUMNS = {
    "pg_class": ("reltuples", "relpages", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid", "relfilenode"),
    "pg_database": ("datfrozenxid", "datminmxid"),
}

# The allocator takes its turn by an advisory lock, which no other service login may hold in its way.
KEPT_FOR = {
    "allocator": ("pg_advisory_lock(bigint)", "pg_advisory_unlock(bigint)", "pg_advisory_xact_lock(bigint)"),
}
