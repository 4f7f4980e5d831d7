"""Fields of the open side and of the drop boxes: every one is named."""

from trial.core.disclosure import VAULT, fields

DROP_BOX = "Blinded people add to it and read none of it, their own rows neither; the unblinded side reads it."

RUN = (
    "id spec seed code_version environment_hash created_at created_by state stage progress attempt heartbeat_at started_at finished_at"
    " failure result result_sha256 snapshot_id snapshot_sha256 kind"
)

TABLES = {
    # --- accounts
    "core_user": fields(
        identifies="password password_mark",
        free_text="username full_name",
        safe="id last_login is_active must_change_password created_at",
    ),
    "core_membership": fields(
        safe="id user_id role site granted_at granted_by confirmed_at confirmed_by ended_at ended_by"
    ),
    "core_setuptoken": fields(identifies="sha256", safe="id issued_at used_at"),
    "tokens_token": fields(
        identifies="digest password_mark",
        free_text="name",
        safe="id user_id made_at last_day last_used_at revoked_at revoked_by",
    ),
    "dropbox_refusal": fields(safe="id at what place actor about"),
    # --- histories
    "core_history": fields(
        reveals_arm="old new",
        safe="id at login actor action reason table_name operation row_id site salt",
        why="It holds what the open tables hold, and so a released result too; changes of every other table are in the other histories.",
    ),
    "core_history_seal": fields(safe="number first_row last_row rows at digests head"),
    "core_redaction": fields(
        safe="id number history_row table_name row_id field site reason state asked_at asked_by decided_at decided_by"
    ),
    "core_redactedline": fields(safe="id redaction_id history_row site digest"),
    # --- the trial's definition: public
    "protocol_protocolversion": fields(safe="id number sha256 document loaded_at loaded_by"),
    "protocol_importstate": fields(safe="id only source sha256 rows started_at finished_at"),
    "protocol_site": fields(safe="code name is_active"),
    "protocol_team": fields(safe="code name site_id is_active"),
    # --- participants: under numbers that carry no information
    "participants_screeningentry": fields(
        safe="id site_id team_id month age_band sex outcome reason previous_id criteria created_at assessed_at"
    ),
    "participants_participant": fields(
        safe="id number site_id team_id screening_id registered_at baseline_completed_at randomized_at stratum"
    ),
    "participants_consent": fields(
        safe="id site_id screening_id version part given signed_on reason recorded_at recorded_by"
    ),
    "participants_contact": fields(
        identifies=" ".join(VAULT),
        safe="id site_id participant_id number recorded_at recorded_by",
        typed="name phone email address contact_person contact_phone",
    ),
    "participants_contactreading": fields(safe="id site_id participant_id page at reader"),
    "participants_contactattempt": fields(
        safe="id site_id participant_id visit number day way outcome next_on recorded_at recorded_by"
    ),
    "participants_transfer": fields(
        safe="id site_id participant_id number team_id effective_on recorded_at recorded_by"
    ),
    "participants_seriousevent": fields(
        safe="id site_id participant_id event number void kind began_on outcome recorded_at recorded_by"
    ),
    "participants_death": fields(safe="id site_id participant_id number step day recorded_at recorded_by"),
    "participants_randomizationrequest": fields(
        safe="id site_id participant_id requested_at requested_by state answered_at refusal"
    ),
    "participants_randomizationerror": fields(
        safe="id site_id participant_id number kind void day corrected_stratum other_number reason recorded_at recorded_by"
    ),
    "participants_recordsstate": fields(safe="only complete people day"),
    "participants_databaselock": fields(safe="id only locked_at locked_by signature"),
    "participants_unblindingrequest": fields(safe="id only lock_id requested_at requested_by signature"),
    "participants_release": fields(
        reveals_arm="title payload",
        safe="id released_at kind sha256",
        why="The gate down: the database refuses a row before lock and planned unblinding, except the word and day of a sealed recommendation.",
    ),
    "participants_commitment": fields(safe="version sha256 purpose for_site at"),
    "dropbox_seed_share": fields(reveals_arm="share", safe="id contributor receipt at", why=DROP_BOX),
    "dropbox_unblinding_report": fields(
        reveals_arm="participant_id visit source believed_arm certainty words",
        safe="id site reported_by reported_at",
        typed="believed_arm words",
        why=DROP_BOX,
    ),
    "dropbox_guess": fields(
        reveals_arm="participant_id visit rater guess certainty",
        safe="id site guessed_by guessed_at",
        typed="guess",
        why=DROP_BOX,
    ),
    # --- assessments
    "visits_assessorassignment": fields(safe="id site_id participant_id number interviewer_id starts_at assigned_by"),
    "visits_visitoutcome": fields(
        safe="id site_id participant_id visit number outcome reason day recorded_at recorded_by"
    ),
    "entry_form": fields(
        safe="id site_id participant_id visit instrument protocol_version_id rater rater_blind state revision opened_at opened_by saved_at"
        " saved_by held_on signed_at signed_by content_sha256 signature"
    ),
    "entry_answer": fields(free_text="value", safe="id site_id form_id item number missing revision"),
    "entry_confirmation": fields(safe="id site_id form_id check_code seen confirmed_at confirmed_by"),
    "entry_amendment": fields(
        safe="id site_id form_id number reason held_on amended_at amended_by content_sha256 signature"
    ),
    "entry_amendedanswer": fields(free_text="value", safe="id site_id amendment_id item number missing"),
    "entry_score": fields(safe="id site_id form_id scale value reason answered items rater rater_blind version"),
    # --- data queries
    "cleaning_dataquery": fields(
        free_text="text", safe="id site_id participant_id visit form_id item kind raised_as raised_by raised_at"
    ),
    "cleaning_queryevent": fields(safe="id site_id query_id number what code amendment_id at by"),
    # --- analysis, open side
    "plans_planversion": fields(safe="id number sha256 document loaded_at loaded_by"),
    "plans_plansignature": fields(safe="id plan_id capacity signed_at signed_by signature"),
    "snapshots_snapshot": fields(
        safe="id made_at made_by protocol_version_id content sha256 dictionary participants rows after_lock plan_number plan_sha256"
        " seal_number seal_head"
    ),
    "reports_report": fields(safe=f"{RUN.replace(' snapshot_id snapshot_sha256', '')} content content_sha256"),
    "pooled_pooledrun": fields(safe=f"{RUN} resumes_id"),
    "pooled_pooledpart": fields(
        safe="id run_id name number state attempt created_at heartbeat_at started_at finished_at result"
    ),
}
