"""The addresses of the API: those with a body of their own, and the twins of the pages."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path

from trial.core.api.schema import Schema
from trial.core.api.twins import twins

ASKS = "asks before a step is taken; what it shows stands on the page that it comes from"
OWN = "answers under an address of its own, with codes in place of words"

WITHOUT_TWIN: dict[str, str] = {
    # --- signing in, one's own account
    **dict.fromkeys(("login", "unblinded_login", "logout", "unblinded_logout"), "a session is nothing to a program"),
    **dict.fromkeys(("me", "unblinded_me"), "changes a password"),
    **dict.fromkeys(
        ("tokens", "unblinded_tokens", "token_new", "unblinded_token_new", "token_revoke", "unblinded_token_revoke"),
        "a token makes no other token and reads none",
    ),
    **dict.fromkeys(("account_tokens", "account_token_revoke"), "a token makes no other token and reads none"),
    "unblinded_setup": "the first two administrators, who have no token yet",
    "healthz": "open to the whole world, and about the installation",
    "commitment": "open to the whole world; a digest to be printed",
    # --- the gallery of components: demo worlds and tests
    **dict.fromkeys(
        ("gallery", "gallery_confirm", "gallery_progress", "gallery_error", "gallery_saved"),
        "shows components, no data",
    ),
    **dict.fromkeys(
        ("code_break", "code_break_reason", "code_break_sent"),
        "a person alone breaks a code, of one participant, with the password; no program does, and there is no list",
    ),
    # --- files
    **dict.fromkeys(
        ("report_pdf", "release_pdf", "closed_report_pdf", "unblinded_release_pdf"),
        "a file for people; what stands in it is the twin of its page",
    ),
    # --- pages that ask before a step is taken
    **dict.fromkeys(
        (
            *(
                "screening_new",
                "register",
                "contact_edit",
                "withdraw",
                "transfer",
                "death",
                "death_decide",
                "unblinded_death",
            ),
            *(
                "unblinded_death_decide",
                "account_new",
                "account_password",
                "role_step",
                "assign_interviewer",
                "visit_attempt",
            ),
            *(
                "visit_missed",
                "visit_reopen",
                "visit_done",
                "visit_report",
                "unblinding_report",
                "report_sent",
                "ask_visit",
            ),
            *(
                "ask_form",
                "choose_amendment",
                "accept_queries",
                "correct_query",
                "run_new",
                "run_cancel",
                "run_resume",
                "comparative_new",
            ),
            *(
                "comparative_cancel",
                "comparative_resume",
                "comparative_release",
                "forecast_cancel",
                "treatment_group_new",
                "treatment_told",
                "treatment_place",
            ),
            *(
                "treatment_withdraw",
                "treatment_stay",
                "treatment_group_change",
                "treatment_group_close",
                "fidelity_rate",
            ),
            *("fidelity_sign", "fidelity_consensus", "admission_new", "admission_correct", "admission_remove"),
            *("serious_event_new", "unblinded_serious_event_new", "serious_event_correct", "event_narrative"),
            *("admissions_complete", "handover_order", "redaction_ask", "redaction"),
            *("unblinded_redaction_ask", "unblinded_redaction"),
            *("look_ask", "look_begin", "look_requested", "look_recommend", "look_sign", "look_tell"),
            *("report_new", "report_cancel", "closed_report_new", "final_report_new"),
            *("closed_report_cancel", "final_report_release"),
        ),
        ASKS,
    ),
    # --- pages whose step can be taken through the API
    **dict.fromkeys(
        (
            *(
                "randomize",
                "randomization_state",
                "assessment",
                "assessment_save",
                "assessment_check",
                "assessment_not_asked",
            ),
            *(
                "visit_sign",
                "amend_form",
                "treatment_record",
                "treatment_canceled",
                "treatment_correct",
                "treatment_cancel",
            ),
        ),
        OWN,
    ),
}
"""The pages that have no twin, by name of their address, and why. Every other page has one."""

Urls = list[URLPattern | URLResolver]


def open_api(pages: list[Any]) -> Urls:
    """Below ``/api/``."""
    return [
        path("schema/", Schema.as_view(), name="api_schema"),
        path("participants/", include("trial.participants.api")),
        path("assessments/", include("assessments.entry.api")),
        path("assessments/", include("assessments.visits.api")),
        *twins(pages, WITHOUT_TWIN),
    ]


def unblinded_api(pages: list[Any]) -> Urls:
    """Below ``/unblinded/api/``."""
    return [
        path("schema/", Schema.as_view(), name="unblinded_api_schema"),
        path("treatment/", include("trial.unblinded.sessions.api")),
        *twins(pages, WITHOUT_TWIN),
    ]
