"""What the data of the trial refer to: the question that a new version of the protocol must answer."""

from assessments.entry.models import Answer
from assessments.visits.models import VisitOutcome
from trial.core.access.roles import Coordinator, UnblindedCoordinator
from trial.core.models import Membership
from trial.participants import queries as participants
from trial.participants.models import Consent, Participant, ScreeningEntry
from trial.protocol.changes import Used


def protocol_used() -> Used:
    """Codes in use, read on the open side in the current unit of work. Nothing here counts anything by arm."""
    log = ScreeningEntry.objects.all()
    criteria = {code for given in log.exclude(criteria={}).values_list("criteria", flat=True) for code in given}
    answers = Answer.objects.exclude(value="", missing="")
    return Used(
        randomized=Participant.objects.filter(randomized_at__isnull=False).exists(),
        locked=participants.lock() is not None,
        sites=frozenset(log.values_list("site_id", flat=True).distinct()),
        teams=frozenset(log.values_list("team_id", flat=True).distinct()),
        visits=frozenset(VisitOutcome.objects.values_list("visit", flat=True).distinct()),
        answers=frozenset(answers.values_list("form__instrument", "form__visit", "item").distinct()),
        criteria=frozenset(criteria),
        reasons=_reasons(criteria),
        consent_versions=frozenset(Consent.objects.values_list("version", flat=True).distinct()),
        consent_parts=frozenset(Consent.objects.values_list("part", flat=True).distinct()),
        coordinated=frozenset(
            Membership.objects.filter(
                role__in=[Coordinator.code, UnblindedCoordinator.code], ended_at=None
            ).values_list("site", flat=True)
        ),
    )


def _reasons(criteria: set[str]) -> frozenset[tuple[str, str]]:
    """Reasons by list. An exclusion carries either a reason of the list or the criterion that failed."""
    log = ScreeningEntry.objects.exclude(reason="").values_list("outcome", "reason").distinct()
    of_screening = {
        ("decline" if outcome == ScreeningEntry.Outcome.DECLINED else "exclusion", reason)
        for outcome, reason in log
        if outcome == ScreeningEntry.Outcome.DECLINED or reason not in criteria
    }
    missed = VisitOutcome.objects.exclude(reason="").values_list("reason", flat=True).distinct()
    missing = Answer.objects.exclude(missing="").values_list("missing", flat=True).distinct()
    withdrawn = Consent.objects.exclude(reason="").values_list("reason", flat=True).distinct()
    lists = {"missed_visit": missed, "missing_item": missing, "withdrawal": withdrawn}
    return frozenset(of_screening | {(name, code) for name, codes in lists.items() for code in codes})
