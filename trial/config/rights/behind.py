"""Tables behind the wall: of the unblinded side, and of the allocator alone."""

from trial.config.rights.shared import ALLOCATED, RUN_GUARD, RUN_SILENT, RUN_UPDATES
from trial.core.database.rights import Table

TABLES: dict[str, Table] = {
    # --- histories: only the trigger writes them
    "unblinded_history": Table("unblinded", site="site", unblinded="s", history=False),
    "concealed_history": Table("concealed", allocator="s", history=False),
    "unblinded_history_seal": Table("unblinded", key="number", unblinded="s", append_only=True, history=False),
    "concealed_history_seal": Table("concealed", key="number", allocator="s", append_only=True, history=False),
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
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_unblinding", "before insert"),)
    ),
    "unblinded_ledger": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_reentry": Table("unblinded", unblinded="si", unblinded_update=("ended_at",), write_once=("ended_at",)),
    "unblinded_token": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=("last_used_at", "revoked_at", "revoked_by"),
        secret=("digest", "password_mark"),
        silent=("last_used_at",),
        write_once=("revoked_at", "revoked_by"),
        guards=(("equipoise_guard_token", "before insert"),),
    ),
    "unblinded_reading": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_comparative_run": Table(
        "unblinded",
        unblinded="si",
        unblinded_update=(*RUN_UPDATES, "extract", "extract_sha256"),
        secret=("result", "extract"),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(("equipoise_guard_comparative", "before insert"), RUN_GUARD),
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
    # --- concealed: the allocator alone
    "concealed_sequence": Table("concealed", allocator="si", append_only=True),
    "concealed_slot": Table("concealed", allocator="si", append_only=True),
}
