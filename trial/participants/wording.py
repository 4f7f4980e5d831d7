"""The words of what is stored in codes about participants, for the history beside a record: the same that pages show."""

from django.utils.translation import gettext_lazy as _

from trial.core.ui.text import Text
from trial.participants.forms import SEXES
from trial.participants.models import Death
from trial.participants.presenters import OUTCOMES, reason_texts
from trial.protocol.definition import Protocol

ACTIONS: dict[str, Text] = {
    "open_screening": _("Added to the screening log"),
    "record_consent": _("Consent recorded"),
    "assess_eligibility": _("Eligibility assessed"),
    "close_screening": _("Entry closed"),
    "register": _("Registered"),
    "record_baseline": _("Baseline complete"),
    "sign_form": _("Form signed"),
    "sign_visit": _("Forms signed"),
    "record_form": _("Form recorded"),
    "request_randomization": _("Randomization asked for"),
    "allocate": _("Randomized"),
    "mark_randomized": _("Randomized"),
    "refuse_randomization": _("Randomization refused"),
    "withdraw": _("Withdrawn"),
    "consent_again": _("Consents again"),
    "transfer": _("Transferred"),
    "report_death": _("Death reported"),
    "decide_death": _("Report of death looked at"),
}
COLUMNS: dict[str, Text] = {
    "month": _("month"),
    "team": _("team"),
    "age_band": _("age"),
    "sex": _("sex"),
    "outcome": _("outcome"),
    "reason": _("reason"),
    "criteria": _("criteria"),
    "assessed_at": _("assessed"),
    "version": _("version of the consent form"),
    "part": _("part"),
    "given": _("given"),
    "signed_on": _("signed"),
    "number": _("number"),
    "baseline_completed_at": _("time"),
    "randomized_at": _("time"),
    "stratum": _("stratum"),
    "state": _("state"),
    "answered_at": _("answered"),
    "refusal": _("refused because"),
    "step": _("step"),
    "day": _("day"),
    "effective_on": _("in care there since"),
}
REFUSALS: dict[str, Text] = {
    "no_consent": _("a required part of the consent is missing"),
    "locked": _("the database is locked"),
    "died": _("a death was reported"),
    "no_baseline": _("the baseline is not complete"),
}
STEPS: dict[str, Text] = {
    Death.Step.REPORTED.value: _("Death reported"),
    Death.Step.CONFIRMED.value: _("Death confirmed"),
    Death.Step.REJECTED.value: _("Report was wrong"),
}
SOURCES: list[tuple[str, Text]] = [
    ("participant", _("The participant said it")),
    ("family", _("Family or friends said it")),
    ("staff", _("Somebody of the staff said it")),
    ("document", _("A letter, file or calendar")),
    ("guess", _("Nobody said it; I am fairly sure by what I saw or heard")),
    ("other", _("Otherwise")),
]
"""How an assessor learned the arm."""
CERTAINTIES: dict[int, Text] = {1: _("A guess"), 2: "2", 3: "3", 4: "4", 5: _("Certain")}


def history_words(protocol: Protocol) -> dict[str, Text]:
    """Actions, columns and codes of participants, with the names that the protocol gives."""
    codes: dict[str, Text] = {f"outcome:{code}": words for code, (_kind, words) in OUTCOMES.items()}
    codes |= {f"reason:{code}": text for code, text in reason_texts(protocol).items()}
    codes |= {f"reason:{one.code}": one.text for one in protocol.reasons.withdrawal}
    codes |= {f"part:{part.code}": part.name for part in protocol.consent_parts}
    codes |= {criterion.code: criterion.text for criterion in protocol.criteria}
    for team in protocol.teams:
        codes |= {f"team_id:{team.code}": team.name, f"stratum:{team.code}": team.name}
    codes |= {f"refusal:{code}": words for code, words in REFUSALS.items()}
    codes |= {f"step:{code}": words for code, words in STEPS.items()}
    codes |= {f"sex:{code}": words for code, words in SEXES}
    return {**ACTIONS, **COLUMNS, **codes}
