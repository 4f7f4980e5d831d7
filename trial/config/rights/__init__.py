"""The one list of rights: every table, with its side and what each login may do with it.

A table that is not here is reachable by nobody, and a test fails. What its fields disclose is said beside it, in
``trial.config.disclosure`` (``docs/disclosure.md`` has the steps for a new table). Letters: s(elect), i(nsert), d(elete). Updates name their columns.
"""

from trial.config.rights import analysis, behind
from trial.config.rights import open as open_side
from trial.core.database.rights import Table

TABLES: dict[str, Table] = {
    **open_side.TABLES,
    **analysis.TABLES,
    **behind.TABLES,
    # --- framework tables: no trial data
    "django_session": Table(
        "infrastructure",
        key="session_key",
        blinded="sid",
        unblinded="sid",
        blinded_update=("session_data", "expire_date"),
        unblinded_update=("session_data", "expire_date"),
    ),
    "axes_accessattempt": Table(
        "infrastructure", blinded="sid", unblinded="sid", blinded_update=("*",), unblinded_update=("*",)
    ),
    "axes_accessattemptexpiration": Table(
        "infrastructure",
        key="access_attempt_id",
        blinded="sid",
        unblinded="sid",
        blinded_update=("*",),
        unblinded_update=("*",),
    ),
    "axes_accessfailurelog": Table(
        "infrastructure", blinded="sid", unblinded="sid", blinded_update=("*",), unblinded_update=("*",)
    ),
    "axes_accesslog": Table("infrastructure"),
    "django_migrations": Table("owner", blinded="s", unblinded="s", allocator="s"),
    "django_content_type": Table("owner"),
    "auth_permission": Table("owner"),
    "auth_group": Table("owner"),
    "auth_group_permissions": Table("owner"),
}

SEQUENCES: dict[str, tuple[str, ...]] = {
    "axes_accessattempt_id_seq": ("default", "unblinded"),
    "axes_accessfailurelog_id_seq": ("default", "unblinded"),
}
"""Sequences and the logins that may draw from them. All others belong to the owner: trial tables have random keys."""

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "equipoise_now": ("default", "unblinded", "allocator"),
    "equipoise_sites": ("default", "unblinded", "allocator"),
    "equipoise_login_side": (),
    "equipoise_take_turn": ("default", "unblinded", "allocator"),
    "equipoise_hold_still": ("default",),
    "equipoise_history": (),
    "equipoise_salt": (),
    "equipoise_history_text": (),
    "equipoise_seal": (),
    "equipoise_seal_history": ("default", "unblinded", "allocator"),
    "equipoise_redactable": (),
    "equipoise_holds_role": (),
    "equipoise_guard_redaction": (),
    "equipoise_decide_redaction": ("default", "unblinded"),
    "equipoise_redactable_behind": (),
    "equipoise_redacts": (),
    "equipoise_redact_record": (),
    "equipoise_states": (),
    "equipoise_same_site": (),
    "equipoise_guard_locking": (),
    "equipoise_guard_plan": (),
    "equipoise_guard_plan_signature": (),
    "equipoise_guard_looks_signature": (),
    "equipoise_guard_snapshot": (),
    "equipoise_guard_run": (),
    "equipoise_guard_part": (),
    "equipoise_guard_allocated": (),
    "equipoise_append_only": (),
    "equipoise_guard_credentials": (),
    "equipoise_password": ("default",),
    "equipoise_guard_token": (),
    "equipoise_guard_lock": (),
    "equipoise_write_once": (),
    "equipoise_guard_registration": (),
    "equipoise_guard_request": (),
    "equipoise_guard_allocation": (),
    "equipoise_guard_seed_share": (),
    "equipoise_guard_sequence": (),
    "equipoise_guard_commitment": (),
    "equipoise_guard_reveal": (),
    "equipoise_guard_randomization_error": (),
    "equipoise_guard_wrong_treatment": (),
    "equipoise_guard_contingency_request": (),
    "equipoise_guard_contingency_release": (),
    "equipoise_guard_unblinding": (),
    "equipoise_guard_release": (),
    "equipoise_guard_comparative": (),
    "equipoise_guard_look_request": (),
    "equipoise_guard_look": (),
    "equipoise_keep_look": (),
    "equipoise_guard_recommendation": (),
    "equipoise_guard_recommendation_signature": (),
    "equipoise_guard_report": (),
    "equipoise_guard_closed_report": (),
    "equipoise_guard_report_labels": (),
    "equipoise_guard_membership": (),
    "equipoise_sees_allocation": (),
    "equipoise_guard_way_in": (),
    "equipoise_guard_code_break": (),
    "equipoise_guard_break_reason": (),
    "equipoise_guard_handover": (),
    "equipoise_guard_protocol": (),
    "equipoise_sessions_plan": (),
    "equipoise_fidelity_scale": (),
    "equipoise_fidelity_complete": (),
    "equipoise_guard_group": (),
    "equipoise_guard_trainer": (),
    "equipoise_guard_member": (),
    "equipoise_guard_session": (),
    "equipoise_guard_attendance": (),
    "equipoise_guard_rating": (),
    "equipoise_guard_consensus": (),
    "equipoise_records_period": (),
    "equipoise_records_stopped": (),
    "equipoise_guard_admission": (),
    "equipoise_guard_lookup": (),
    "equipoise_guard_records_state": (),
    "equipoise_guard_consent": (),
    "equipoise_guard_transfer": (),
    "equipoise_guard_death": (),
    "equipoise_guard_living": (),
    "equipoise_guard_serious_event": (),
    "equipoise_guard_event_narrative": (),
    "equipoise_declassified": (),
    "equipoise_guard_amendment": (),
    "equipoise_guard_amended_answer": (),
    "equipoise_guard_score": (),
    "equipoise_guard_data_query": (),
    "equipoise_guard_query_event": (),
    "equipoise_guard_open_queries": (),
    "entry_signed_form_is_closed": (),
    "entry_answer_of_open_form": (),
}
"""Functions and the logins that may call them; trigger functions need no right."""

VIEWS: dict[str, tuple[str, ...]] = {}
