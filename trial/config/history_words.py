"""The words of the history page: what each table holds, and what actions, columns and codes of all packages are called."""

from django.utils.translation import gettext_lazy as _

from assessments.visits import wording as visits
from trial.core import side
from trial.core.access import roles
from trial.core.access.presenters import STEPS, site_names
from trial.core.ui.text import Text
from trial.participants import wording as participants
from trial.participants.events.presenters import HISTORY_WORDS as EVENTS
from trial.protocol.queries import NoProtocol, current

TABLES: dict[str, Text] = {
    "core_user": _("Account"),
    "core_membership": _("Role of a person"),
    "core_setuptoken": _("Token of the setup"),
    "core_redaction": _("Redaction"),
    "core_redactedline": _("Redacted line of the history"),
    "unblinded_redaction": _("Redaction"),
    "unblinded_redactedline": _("Redacted line of the history"),
    "dropbox_refusal": _("Refused attempt"),
    "tokens_token": _("Token of a program"),
    "protocol_protocolversion": _("Version of the protocol"),
    "protocol_importstate": _("Import"),
    "protocol_site": _("Site"),
    "protocol_team": _("Team"),
    "participants_screeningentry": _("Screening entry"),
    "participants_participant": _("Participant"),
    "participants_consent": _("Part of a consent"),
    "participants_contact": _("Contact data"),
    "participants_contactreading": _("Reading of contact data"),
    "participants_contactattempt": _("Attempt to reach somebody"),
    "participants_transfer": _("Transfer"),
    "participants_death": _("Death"),
    "participants_seriousevent": _("Serious event"),
    "participants_randomizationrequest": _("Request to randomize"),
    "participants_commitment": _("Commitment to the sequence"),
    "participants_randomizationerror": _("Error of randomization"),
    "participants_recordsstate": _("State of hospital records"),
    "participants_databaselock": _("Database lock"),
    "participants_unblindingrequest": _("Request for planned unblinding"),
    "participants_release": _("Released result"),
    "dropbox_unblinding_report": _("Unblinding report"),
    "visits_assessorassignment": _("Assignment of an interviewer"),
    "visits_visitoutcome": _("What became of a visit"),
    "entry_form": _("Form"),
    "entry_answer": _("Answer"),
    "entry_score": _("Score"),
    "entry_confirmation": _("Confirmed odd answer"),
    "entry_amendment": _("Amendment of a form"),
    "entry_amendedanswer": _("Amended answer"),
    "cleaning_dataquery": _("Data query"),
    "cleaning_queryevent": _("Step of a data query"),
    "plans_planversion": _("Version of the analysis plan"),
    "plans_plansignature": _("Signature of the analysis plan"),
    "snapshots_snapshot": _("Snapshot"),
    "pooled_pooledrun": _("Analysis"),
    "reports_report": _("Report"),
    "unblinded_report": _("Report by arm"),
    "unblinded_report_labels": _("How closed reports name the arms"),
    "pooled_pooledpart": _("Part of an analysis"),
    "dropbox_seed_share": _("Share of the seed"),
    "dropbox_guess": _("Guess of the arm"),
    "unblinded_code_break": _("Code-break"),
    "unblinded_code_break_reason": _("Reason of a code-break"),
    "unblinded_handover_seed": _("Seed of the lot of hand-overs"),
    "unblinded_handover_night": _("Night of hand-overs"),
    "unblinded_handover_order": _("Order of a hand-over"),
    "unblinded_handover": _("Hand-over"),
    "unblinded_forecast_run": _("Forecast of allocation"),
    "unblinded_verification_order": _("Order of a verification"),
    "unblinded_reveal": _("Revealed sequence"),
    "unblinded_wrong_treatment": _("Wrong treatment"),
    "unblinded_contingency_request": _("Request for a contingency slot"),
    "unblinded_contingency_release": _("Release of a contingency slot"),
    "unblinded_allocation": _("Allocation"),
    "unblinded_planned_unblinding": _("Planned unblinding"),
    "unblinded_ledger": _("Entry of the ledger"),
    "unblinded_reentry": _("Session of an unblinded person"),
    "unblinded_token": _("Token of a program"),
    "unblinded_reading": _("Reading of names"),
    "unblinded_looks_signature": _("Signature of the looks"),
    "unblinded_comparative_run": _("Comparative analysis"),
    "unblinded_look_request": _("Request for a look"),
    "unblinded_look": _("Look"),
    "unblinded_look_result": _("Numbers of a look"),
    "unblinded_recommendation": _("Recommendation of the committee"),
    "unblinded_recommendation_signature": _("Signature of a recommendation"),
    "unblinded_comparative_part": _("Part of a comparative analysis"),
    "unblinded_group": _("Therapy group"),
    "unblinded_group_trainer": _("Trainer of a group"),
    "unblinded_told": _("Telling of the arm"),
    "unblinded_member": _("Stay in a group"),
    "unblinded_session": _("Session"),
    "unblinded_attendance": _("Attendance"),
    "unblinded_withdrawal": _("Withdrawal from treatment"),
    "unblinded_completion": _("Completion"),
    "unblinded_fidelity_rating": _("Fidelity rating"),
    "unblinded_fidelity_consensus": _("Fidelity consensus"),
    "unblinded_admission": _("Admission"),
    "unblinded_lookup": _("Look-up of a record window"),
    "unblinded_event_narrative": _("Narrative of a serious event"),
}
"""By table: what one of its rows is. A table of another branch without a word here shows its name."""

STEPS_OF_HISTORIES: dict[str, Text] = {
    "ask_redaction": _("Redaction asked for"),
    "decide_redaction": _("Redaction decided on"),
    "open_form": _("Form begun"),
    "save_answers": _("Answers saved"),
    "confirm_checks": _("Odd answers confirmed"),
    "raise_query": _("Query raised"),
    "answer_query": _("Query answered"),
    "close_query": _("Query closed"),
    "accept_queries": _("Queries accepted"),
    "record_contact": _("Contact data recorded"),
    "record_attempt": _("Attempt recorded"),
    "log_reading": _("Reading written down"),
    "record_sign_in": _("Signed in"),
    "make_snapshot": _("Snapshot made"),
    "lock_database": _("Database locked"),
    "load_version": _("Protocol loaded"),
}


def words() -> dict[str, Text]:
    """The words that the pages beside the records use, of all packages of this side."""
    said: dict[str, Text] = {**STEPS_OF_HISTORIES, **visits.HISTORY, **STEPS, **EVENTS}
    try:
        said |= participants.history_words(current())
    except NoProtocol:
        said |= {**participants.ACTIONS, **participants.COLUMNS}
    said |= {f"role:{role.code}": str(role.title) for role in roles.ALL}
    said |= {f"site:{code}": name for code, name in site_names().items()}
    if side.current() == side.UNBLINDED:
        from trial.unblinded.events.presenters import HISTORY as NARRATIVES
        from trial.unblinded.sessions.presenters.words import HISTORY

        said |= {**NARRATIVES, **HISTORY}
    return said
