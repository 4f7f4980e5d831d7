"""Fields behind the wall: every one reveals the arm, and the columns of text are typed by somebody or coded.

Histories, ledger and tokens too: that somebody did something there would tell when the unblinded side works, and about whom.
"""

from trial.core.disclosure import behind

RUN = "snapshot_sha256 spec code_version environment_hash created_by stage failure result result_sha256"

TABLES = {
    "unblinded_history": behind(typed="reason", coded="login actor action table_name operation row_id site old new"),
    "concealed_history": behind(coded="login actor action reason table_name operation row_id site old new"),
    "unblinded_history_seal": behind(coded="head"),
    "concealed_history_seal": behind(coded="head"),
    "unblinded_redaction": behind(coded="table_name row_id field site asked_by decided_by"),
    "unblinded_redactedline": behind(coded="site digest"),
    "unblinded_allocation": behind(coded="site stratum slot_stratum arm levels"),
    "unblinded_planned_unblinding": behind(coded="requested_by confirmed_by signature"),
    "unblinded_ledger": behind(coded="actor what subject"),
    "unblinded_reentry": behind(coded="session"),
    "unblinded_token": behind(typed="name", coded="digest password_mark revoked_by"),
    "unblinded_code_break": behind(coded="site broken_by signature"),
    "unblinded_code_break_reason": behind(typed="words", coded="site given_by"),
    "unblinded_handover_seed": behind(coded="seed"),
    "unblinded_handover_night": behind(),
    "unblinded_handover_order": behind(coded="site ordered_by"),
    "unblinded_handover": behind(coded="site visit"),
    "unblinded_reading": behind(coded="reader participants page"),
    "unblinded_looks_signature": behind(coded="looks_sha256 signed_by signature"),
    "unblinded_comparative_run": behind(coded=f"{RUN} extract_sha256"),
    "unblinded_look_request": behind(typed="words", coded="requested_by"),
    "unblinded_look": behind(coded="code begun_by"),
    "unblinded_look_result": behind(),
    "unblinded_recommendation": behind(typed="words", coded="written_by"),
    "unblinded_recommendation_signature": behind(coded="signed_by signature"),
    "unblinded_comparative_part": behind(coded="name result"),
    "unblinded_forecast_run": behind(coded=RUN.removeprefix("snapshot_sha256 ")),
    "unblinded_report": behind(coded=f"{RUN.removeprefix('snapshot_sha256 ')} kind content_sha256"),
    "unblinded_report_labels": behind(coded="first set_by"),
    # --- treatment
    "unblinded_group": behind(typed="code name", coded="site created_by"),
    "unblinded_group_trainer": behind(coded="site"),
    "unblinded_told": behind(coded="site recorded_by"),
    "unblinded_member": behind(coded="site placed_by"),
    "unblinded_session": behind(coded="site modules led_by recorded_by"),
    "unblinded_attendance": behind(coded="site recorded_by"),
    "unblinded_withdrawal": behind(coded="site recorded_by"),
    "unblinded_completion": behind(coded="site ended_by denominator"),
    "unblinded_fidelity_rating": behind(coded="site scale rater scores signature"),
    "unblinded_fidelity_consensus": behind(coded="site scale scores band reached_by signature"),
    # --- serious events
    "unblinded_event_narrative": behind(typed="words", coded="site written_by"),
    # --- hospital records
    "unblinded_admission": behind(typed="reason", coded="site recorded_by"),
    "unblinded_lookup": behind(coded="site sha256 looked_up_by"),
    # --- verification, errors of treatment, contingency slots
    "unblinded_verification_order": behind(coded="ordered_by"),
    "unblinded_reveal": behind(coded="differences content sha256"),
    "unblinded_wrong_treatment": behind(coded="site given_arm recorded_by"),
    "unblinded_contingency_request": behind(coded="site asked_by"),
    "unblinded_contingency_release": behind(coded="site slot_stratum arm released_by"),
    # --- concealed: the allocator alone
    "concealed_sequence": behind(coded="for_site algorithm parameters seed shares salt commitment sealed_by sha256"),
    "concealed_slot": behind(coded="stratum arm"),
    "concealed_draw": behind(coded="arm levels"),
}
