"""Leaks in what the blinded login reads."""

from tests.blinding.leaks.planting import Leak, in_data

OFFERED = "(select a.participant_id from unblinded_allocation a where a.arm = 'imr')"
HELD = (
    "(select count(*)::int from unblinded_attendance s join unblinded_allocation a on a.id = s.allocation_id"
    " where a.participant_id = t.participant_id)"
)

LEAKS: tuple[Leak, ...] = (
    in_data("history_says_why", "core_history",
            "update core_history h set reason = 'asked for by the therapist' from participants_participant p"
            f" where h.row_id = p.id::text and p.id in {OFFERED}", is_quick=True),
    in_data("extra_row_of_history", "core_history",
            "insert into core_history(at, login, actor, action, reason, table_name, operation, row_id)"
            " select '2025-01-01', 'x', 'x', 'x', '', 'x', 'INSERT', 'x' from unblinded_allocation where arm = 'imr'"),
    in_data("right_on_the_allocations", "unblinded_allocation", "grant select (participant_id, arm) on unblinded_allocation to BLINDED",
            is_quick=True),
    in_data("counter_by_arm", "requests_total",
            "create view requests_total as select arm, count(*) as n from unblinded_allocation group by arm;"
            " grant select on requests_total to BLINDED"),
    in_data("function_that_counts", "public.how_many()",
            "create function how_many() returns bigint language sql security definer as 'select count(*) from unblinded_member';"
            " grant execute on function how_many() to BLINDED"),
    in_data("comment_in_the_catalog", "pg_catalog.pg_description",
            "do $$ begin execute format('comment on table participants_participant is %L',"
            " (select string_agg(participant_id::text, ' ' order by id) from unblinded_allocation where arm = 'imr')); end $$"),
    in_data("number_of_a_sequence", "sequence axes_accessattempt_id_seq",
            "select setval('axes_accessattempt_id_seq', 1 + (select count(*) from unblinded_allocation where arm = 'imr'))"),
    in_data("name_of_the_list", "protocol_protocolversion",
            "update protocol_protocolversion set loaded_by = 'list-imr-' || (select count(*) from unblinded_allocation where arm = 'imr')"),
    in_data("code_of_the_arm", "participants_participant",
            f"update participants_participant set stratum = stratum || case when id in {OFFERED} then '-1' else '-2' end"
            " where randomized_at is not null"),
    in_data("moment_of_the_allocation", "participants_participant",
            f"update participants_participant set randomized_at = randomized_at + interval '1 second' where id in {OFFERED}"),
    in_data("table_by_code", "pooled_pooledrun",
            "update pooled_pooledrun set spec = spec || (select jsonb_build_object('A', count(*)) from unblinded_allocation where arm = 'imr')"),
    in_data("day_follows_the_sessions", "participants_contactattempt",
            f"update participants_contactattempt t set day = t.day + {HELD}"),
    in_data("reason_follows_the_treatment", "visits_visitoutcome",
            f"update visits_visitoutcome set reason = 'other' where reason <> '' and participant_id in {OFFERED}"),
)  # fmt: skip
