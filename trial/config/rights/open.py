"""Tables of the open side, and the drop boxes that it may only add to."""

from trial.config.rights.shared import ALLOCATED, RUN_GUARD, RUN_SILENT, RUN_UPDATES
from trial.core.database.rights import Table
from trial.core.declassified import actions_on

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

WAY_IN = ("equipoise_guard_way_in", "before insert or update")
"""The coordinator who sees allocations (ADR 10) writes the way in, at a site with that setting, of people who have no arm yet."""

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
    # --- the trial's definition
    "protocol_protocolversion": Table(
        "open",
        blinded="si",
        unblinded="s",
        allocator="s",
        append_only=True,
        guards=(("equipoise_guard_protocol", "before insert"),),
    ),
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
        unblinded="si",
        unblinded_update=("outcome", "reason", "criteria", "assessed_at"),
        allocator="s",
        stops_at_lock=True,
        same_site=(("team_id", "protocol_team"),),
        states=(
            "outcome",
            *("in_screening>eligible", "in_screening>excluded", "in_screening>declined"),
            *("eligible>excluded", "eligible>declined", "eligible>registered"),
        ),
        guards=(WAY_IN,),
        declassified=actions_on("participants_screeningentry"),
    ),
    "participants_participant": Table(
        "open",
        site="site_id",
        blinded="si",
        blinded_update=("baseline_completed_at",),
        unblinded="si",
        # to hold the row while randomization is asked for; the guard refuses any change
        unblinded_update=("baseline_completed_at",),
        allocator="s",
        allocator_update=("randomized_at", "stratum"),
        stops_at_lock=True,
        write_once=("baseline_completed_at", "randomized_at", "stratum"),
        same_site=(("team_id", "protocol_team"), ("screening_id", "participants_screeningentry")),
        guards=(
            WAY_IN,
            ("equipoise_guard_registration", "before insert"),
            ("equipoise_guard_allocated", ALLOCATED),
        ),
        declassified=actions_on("participants_participant"),
    ),
    "participants_consent": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="si",
        allocator="s",
        append_only=True,
        same_site=(("screening_id", "participants_screeningentry"),),
        guards=(WAY_IN, ("equipoise_guard_consent", "before insert")),
        declassified=actions_on("participants_consent"),
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
        unblinded="si",
        allocator="s",
        allocator_update=("state", "answered_at", "refusal"),
        stops_at_lock=True,
        same_site=(("participant_id", "participants_participant"),),
        states=("state", "waiting>done", "waiting>refused"),
        guards=(
            WAY_IN,
            ("equipoise_guard_request", "before insert or update"),
            ("equipoise_guard_living", "before insert"),
        ),
        declassified=actions_on("participants_randomizationrequest"),
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
        guards=(("equipoise_guard_locking", "before insert"), ("equipoise_guard_open_queries", "before insert")),
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
        guards=(("equipoise_guard_score", "before insert"),),
    ),
    "entry_confirmation": Table(
        "open", site="site_id", blinded="si", unblinded="s", append_only=True, stops_at_lock=True
    ),
    "entry_amendment": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_amendment", "before insert"),),
    ),
    "entry_amendedanswer": Table(
        "open",
        site="site_id",
        blinded="si",
        unblinded="s",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_amended_answer", "before insert"),),
    ),
    # --- data queries: their words are for blinded people
    "cleaning_dataquery": Table(
        "open",
        site="site_id",
        blinded="si",
        secret=("text",),
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_data_query", "before insert"),),
    ),
    "cleaning_queryevent": Table(
        "open",
        site="site_id",
        blinded="si",
        append_only=True,
        stops_at_lock=True,
        guards=(("equipoise_guard_query_event", "before insert"),),
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
}
