"""Tables behind the wall: of the unblinded side, and of the allocator alone."""

from trial.config.rights.shared import ALLOCATED, RUN_GUARD, RUN_SILENT, RUN_UPDATES
from trial.core.database.rights import Table

TABLES: dict[str, Table] = {
    # --- histories: only the trigger writes them
    "unblinded_history": Table("unblinded", site="site", unblinded="s", history=False),
    "concealed_history": Table("concealed", allocator="s", history=False),
    "unblinded_history_seal": Table("unblinded", key="number", unblinded="s", append_only=True, history=False),
    "concealed_history_seal": Table("concealed", key="number", allocator="s", append_only=True, history=False),
    # a redaction is carried out by a function, which also writes what it changed
    "unblinded_redaction": Table(
        "unblinded",
        site="site",
        unblinded="si",
        states=("state", "asked>done", "asked>refused"),
        guards=(("equipoise_guard_redaction", "before insert"),),
    ),
    "unblinded_redactedline": Table(
        "unblinded",
        site="site",
        unblinded="s",
        append_only=True,
        same_site=(("redaction_id", "unblinded_redaction"),),
    ),
    # --- behind the wall
    "unblinded_allocation": Table(
        "unblinded",
        site="site",
        unblinded="s",
        allocator="si",
        append_only=True,
        same_site=(("participant_id", "participants_participant"),),
        guards=(
            ("equipoise_guard_allocation", "before insert"),
            ("equipoise_guard_allocated", ALLOCATED),
        ),
    ),
    "unblinded_planned_unblinding": Table(
        "unblinded",
        unblinded="si",
        allocator="s",
        append_only=True,
        guards=(("equipoise_guard_unblinding", "before insert"),),
    ),
    "unblinded_ledger": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_reentry": Table("unblinded", unblinded="si", unblinded_update=("ended_at",), write_once=("ended_at",)),
    "unblinded_token": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=("last_used_at", "revoked_at", "revoked_by"),
        secret=("digest", "password_mark", "name"),
        silent=("last_used_at",),
        write_once=("revoked_at", "revoked_by"),
        guards=(("equipoise_guard_token", "before insert"),),
    ),
    "unblinded_code_break": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        same_site=(("allocation_id", "unblinded_allocation"),),
        guards=(("equipoise_guard_code_break", "before insert"),),
    ),
    "unblinded_code_break_reason": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        same_site=(("code_break_id", "unblinded_code_break"),),
        guards=(("equipoise_guard_break_reason", "before insert"),),
    ),
    "unblinded_handover_seed": Table("unblinded", unblinded="si", append_only=True, secret=("seed",)),
    "unblinded_handover_night": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_handover_order": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("allocation_id", "unblinded_allocation"),),
    ),
    "unblinded_handover": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("allocation_id", "unblinded_allocation"), ("order_id", "unblinded_handover_order")),
    ),
    "unblinded_reading": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_looks_signature": Table(
        "unblinded",
        unblinded="si",
        append_only=True,
        guards=(("equipoise_guard_looks_signature", "before insert"),),
    ),
    "unblinded_comparative_run": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=(*RUN_UPDATES, "extract", "extract_sha256"),
        secret=("result", "extract"),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(
            ("equipoise_guard_comparative", "before insert"),
            RUN_GUARD,
            ("equipoise_keep_look", "after update"),
        ),
    ),
    # --- looks before the end; their numbers are written by the database itself
    "unblinded_look_request": Table(
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_look_request", "before insert"),)
    ),
    "unblinded_look": Table(
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_look", "before insert"),)
    ),
    "unblinded_look_result": Table("unblinded", unblinded="s", append_only=True),
    "unblinded_recommendation": Table(
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_recommendation", "before insert"),)
    ),
    "unblinded_recommendation_signature": Table(
        "unblinded",
        unblinded="si",
        append_only=True,
        guards=(("equipoise_guard_recommendation_signature", "before insert"),),
    ),
    "unblinded_forecast_run": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=RUN_UPDATES,
        secret=("result",),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(RUN_GUARD,),
    ),
    # reports by arm, and the one row that says how closed ones name the arms
    "unblinded_report": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=(*RUN_UPDATES, "content", "content_sha256"),
        secret=("result", "content"),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(
            ("equipoise_guard_report", "before insert or update"),
            ("equipoise_guard_closed_report", "before insert"),
            RUN_GUARD,
        ),
    ),
    "unblinded_report_labels": Table(
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_report_labels", "before insert"),)
    ),
    # --- behind the wall: treatment. What the lock stops includes it: exposure and fidelity are data of the trial.
    "unblinded_group": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("name", "opened_on", "closed_on"),
        stops_at_lock=True,
        guards=(("equipoise_guard_group", "before update"),),
    ),
    "unblinded_group_trainer": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("until",),
        stops_at_lock=True,
        write_once=("until",),
        guards=(("equipoise_guard_trainer", "before insert or update"),),
    ),
    "unblinded_told": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("allocation_id", "unblinded_allocation"),),
    ),
    "unblinded_member": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("entered_on", "left_on"),
        stops_at_lock=True,
        guards=(("equipoise_guard_member", "before insert or update"),),
    ),
    "unblinded_session": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("day", "state", "cancel_reason", "modules", "minutes", "led_by", "revision"),
        stops_at_lock=True,
        guards=(("equipoise_guard_session", "before insert or update"),),
    ),
    "unblinded_attendance": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("mark", "reason", "guest"),
        stops_at_lock=True,
        guards=(("equipoise_guard_attendance", "before insert or update"),),
    ),
    "unblinded_withdrawal": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("allocation_id", "unblinded_allocation"),),
    ),
    "unblinded_completion": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("allocation_id", "unblinded_allocation"), ("group_id", "unblinded_group")),
    ),
    "unblinded_fidelity_rating": Table(
        "unblinded",
        site="site",
        unblinded="si",
        unblinded_update=("visited_on", "scores", "saved_at", "signed_at", "signature"),
        stops_at_lock=True,
        guards=(("equipoise_guard_rating", "before insert or update"),),
    ),
    "unblinded_fidelity_consensus": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        same_site=(("group_id", "unblinded_group"),),
        guards=(("equipoise_guard_consensus", "before insert"),),
    ),
    # --- behind the wall: hospital records
    "unblinded_admission": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_admission", "before insert"),),
    ),
    "unblinded_lookup": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_lookup", "before insert"),),
    ),
    # --- behind the wall: serious events. The lock does not stop it: who locks is blind and cannot know whether a narrative is missing.
    "unblinded_event_narrative": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        same_site=(("allocation_id", "unblinded_allocation"),),
        guards=(("equipoise_guard_event_narrative", "before insert"),),
    ),
    # --- behind the wall: verification, errors of treatment, contingency slots
    "unblinded_verification_order": Table(
        "unblinded",
        unblinded="si",
        allocator="s",
        append_only=True,
        guards=(("equipoise_guard_reveal", "before insert"),),
    ),
    "unblinded_reveal": Table(
        "unblinded",
        unblinded="s",
        allocator="si",
        append_only=True,
        secret=("content",),
        guards=(("equipoise_guard_reveal", "before insert"),),
    ),
    "unblinded_wrong_treatment": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_wrong_treatment", "before insert"),),
    ),
    "unblinded_contingency_request": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_contingency_request", "before insert"), ("equipoise_guard_living", "before insert")),
    ),
    "unblinded_contingency_release": Table(
        "unblinded",
        site="site",
        unblinded="si",
        allocator="s",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_contingency_release", "before insert"),),
    ),
    # --- concealed: the allocator alone
    "concealed_sequence": Table(
        "concealed", allocator="si", append_only=True, guards=(("equipoise_guard_sequence", "before insert"),)
    ),
    "concealed_slot": Table("concealed", allocator="si", append_only=True),
    "concealed_draw": Table("concealed", allocator="si", append_only=True),
}
