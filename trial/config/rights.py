"""The one list of rights: every table, with its side and what each login may do with it.

A table that is not here is reachable by nobody, and a test fails. Letters: s(elect), i(nsert), d(elete). Updates name their columns.
"""

from trial.core.database.rights import DEFERRED, Table
from trial.core.declassified import actions_on

RUN_UPDATES = (
    "state",
    "stage",
    "progress",
    "attempt",
    "heartbeat_at",
    "started_at",
    "finished_at",
    "failure",
    "result",
    "result_sha256",
)
RUN_SILENT = ("stage", "progress", "heartbeat_at")
"""What a run writes every second."""
RUN_GUARD = ("equipoise_guard_run", "before insert or update")

ALLOCATED = "after insert or update" + DEFERRED

CONTACT_SECRETS = (
    "name",
    "phone",
    "email",
    "address",
    "birth_date",
    "contact_person",
    "contact_phone",
    "preferred_way",
    "best_time",
)
"""Who a participant is: in the vault alone, never in a history."""

TABLES: dict[str, Table] = {
    # --- accounts
    "core_user": Table(
        "open",
        blinded="s",
        blinded_update=("password", "must_change_password", "last_login"),
        unblinded="si",
        unblinded_update=("password", "must_change_password", "is_active", "full_name"),
        secret=("password",),
        guards=(("equipoise_guard_credentials", "before update"),),
    ),
    "core_membership": Table(
        "open",
        blinded="s",
        unblinded="si",
        unblinded_update=("confirmed_at", "confirmed_by", "ended_at", "ended_by"),
        guards=(("equipoise_guard_membership", "before insert or update"),),
    ),
    "core_setuptoken": Table(
        "open", unblinded="si", unblinded_update=("used_at",), secret=("sha256",), write_once=("used_at",)
    ),
    "core_login": Table("infrastructure", key="name"),
    "core_rolesiderow": Table("infrastructure", key="role"),
    # --- histories: only the trigger writes them
    "core_history": Table("open", site="site", blinded="s", unblinded="s", allocator="", history=False),
    "unblinded_history": Table("unblinded", site="site", unblinded="s", history=False),
    "concealed_history": Table("concealed", allocator="s", history=False),
    # --- the trial's definition
    "protocol_protocolversion": Table("open", blinded="si", unblinded="s", allocator="s", append_only=True),
    "protocol_importstate": Table(
        "open", blinded="si", blinded_update=("finished_at",), unblinded="s", write_once=("finished_at",)
    ),
    "protocol_site": Table(
        "open", key="code", blinded="si", blinded_update=("name", "is_active"), unblinded="s", allocator="s"
    ),
    "protocol_team": Table(
        "open", key="code", blinded="si", blinded_update=("name", "is_active"), unblinded="s", allocator="s"
    ),
    # --- participants
    "participants_screeningentry": Table(
        "open",
        site="site_id",
        blinded="si",
        blinded_update=("outcome", "reason", "criteria", "assessed_at"),
        unblinded="s",
        allocator="s",
        stops_at_lock=True,
        same_site=(("team_id", "protocol_team"),),
        states=(
            "outcome",
            *("in_screening>eligible", "in_screening>excluded", "in_screening>declined"),
            *("eligible>excluded", "eligible>declined", "eligible>registered"),
        ),
    ),
    "participants_participant": Table(
        "open",
        site="site_id",
        blinded="si",
        blinded_update=("baseline_completed_at",),
        unblinded="s",
        allocator="s",
        allocator_update=("randomized_at", "stratum"),
        stops_at_lock=True,
        write_once=("baseline_completed_at", "randomized_at", "stratum"),
        same_site=(("team_id", "protocol_team"), ("screening_id", "participants_screeningentry")),
        guards=(
            ("equipoise_guard_registration", "before insert"),
            ("equipoise_guard_allocated", ALLOCATED),
        ),
    ),
    "participants_consent": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        allocator="s",
        append_only=True,
        same_site=(("screening_id", "participants_screeningentry"),),
        guards=(("equipoise_guard_consent", "before insert"),),
    ),
    "participants_contact": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded_reads=("id", "site_id", "participant_id", "number", "name", "phone"),
        secret=CONTACT_SECRETS,
        append_only=True,
        same_site=(("participant_id", "participants_participant"),),
    ),
    "participants_contactreading": Table("open", site="site_id", blinded="si", append_only=True),
    "participants_contactattempt": Table("open", site="site_id", blinded="si", append_only=True, stops_at_lock=True),
    "participants_transfer": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_transfer", "before insert"),),
    ),
    "participants_death": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="si",
        allocator="s",
        append_only=True,
        guards=(("equipoise_guard_death", "before insert"),),
        declassified=actions_on("participants_death"),
    ),
    "participants_randomizationrequest": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        allocator="s",
        allocator_update=("state", "answered_at", "refusal"),
        stops_at_lock=True,
        same_site=(("participant_id", "participants_participant"),),
        states=("state", "waiting>done", "waiting>refused"),
        guards=(("equipoise_guard_request", "before insert or update"), ("equipoise_guard_living", "before insert")),
    ),
    "participants_recordsstate": Table(
        "open",
        key="only",
        blinded="s",
        unblinded="si",
        unblinded_update=("complete", "people", "day"),
        stops_at_lock=True,
        guards=(("equipoise_guard_records_state", "before insert or update"),),
        declassified=actions_on("participants_recordsstate"),
    ),
    "participants_databaselock": Table(
        "open",
        blinded="si",
        unblinded="s",
        allocator="s",
        append_only=True,
        guards=(("equipoise_guard_locking", "before insert"),),
    ),
    "participants_unblindingrequest": Table("open", blinded="si", unblinded="s", append_only=True),
    "participants_release": Table(
        "open",
        blinded="s",
        unblinded="si",
        append_only=True,
        guards=(("equipoise_guard_release", "before insert"),),
        declassified=actions_on("participants_release"),
    ),
    "dropbox_unblinding_report": Table("dropbox", blinded="i", unblinded="s", append_only=True),
    # --- assessments
    "visits_assessorassignment": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        same_site=(("participant_id", "participants_participant"),),
    ),
    "visits_visitoutcome": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        same_site=(("participant_id", "participants_participant"),),
    ),
    "entry_form": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        blinded_update=(
            "state",
            "revision",
            "saved_at",
            "saved_by",
            "held_on",
            "signed_at",
            "signed_by",
            "content_sha256",
            "signature",
        ),
        stops_at_lock=True,
        same_site=(("participant_id", "participants_participant"),),
    ),
    "entry_answer": Table(
        "open",
        site="site_id",
        blinded="si",
        blinded_update=("value", "number", "missing", "revision"),
        unblinded="s",
        stops_at_lock=True,
        same_site=(("form_id", "entry_form"),),
    ),
    "entry_score": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        same_site=(("form_id", "entry_form"),),
    ),
    # --- analysis, open side
    "snapshots_snapshot": Table(
        "open",
        blinded="si",
        unblinded="s",
        append_only=True,
        secret=("content", "dictionary"),
        guards=(("equipoise_guard_snapshot", "before insert"),),
    ),
    "pooled_pooledrun": Table(
        "open",
        blinded="si",
        blinded_update=RUN_UPDATES,
        secret=("result",),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(RUN_GUARD,),
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
        "unblinded", unblinded="si", append_only=True, guards=(("equipoise_guard_unblinding", "before insert"),)
    ),
    "unblinded_ledger": Table("unblinded", unblinded="si", append_only=True),
    "unblinded_reentry": Table("unblinded", unblinded="si", unblinded_update=("ended_at",), write_once=("ended_at",)),
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
        guards=(("equipoise_guard_of_allocation", "before insert"),),
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
        guards=(("equipoise_guard_of_allocation", "before insert"),),
    ),
    "unblinded_completion": Table(
        "unblinded",
        site="site",
        unblinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_of_allocation", "before insert"),),
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
    "equipoise_states": (),
    "equipoise_same_site": (),
    "equipoise_guard_locking": (),
    "equipoise_guard_snapshot": (),
    "equipoise_guard_run": (),
    "equipoise_guard_allocated": (),
    "equipoise_append_only": (),
    "equipoise_guard_credentials": (),
    "equipoise_guard_lock": (),
    "equipoise_write_once": (),
    "equipoise_guard_registration": (),
    "equipoise_guard_request": (),
    "equipoise_guard_allocation": (),
    "equipoise_guard_unblinding": (),
    "equipoise_guard_release": (),
    "equipoise_guard_comparative": (),
    "equipoise_guard_membership": (),
    "equipoise_sessions_plan": (),
    "equipoise_fidelity_scale": (),
    "equipoise_fidelity_complete": (),
    "equipoise_guard_of_allocation": (),
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
    "equipoise_declassified": (),
    "entry_signed_form_is_closed": (),
    "entry_answer_of_open_form": (),
}
"""Functions and the logins that may call them; trigger functions need no right."""

VIEWS: dict[str, tuple[str, ...]] = {}
