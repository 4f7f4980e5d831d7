"""Work with reports by arm: what the committee has not read yet, and the final report on its way through the gate."""

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.unblinded.papers.models import ClosedPaper
from analysis.unblinded.papers.queries import released_runs, unread_by
from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.models import Release
from trial.unblinded.disclosure.queries import planned_unblinding


def work_for(person: Person) -> list[WorkList]:
    """For the committee, closed reports that are new to this person; for the independent statistician the final report."""
    if side.current() != side.UNBLINDED:
        return []
    if person.holds(CommitteeMember, CommitteeChair):
        items = [
            WorkItem(
                _("Read the closed report"),
                reverse("closed_report", args=[one.pk]),
                one.result_sha256[:12],
                "due",
                one.created_at.date(),
            )
            for one in unread_by(person)
        ]
        empty = _("You have read every closed report. New ones appear here.")
        return [WorkList(_("Closed reports"), items, empty=empty, after_lock=True)]
    if person.holds(IndependentStatistician) and planned_unblinding() is not None:
        return [WorkList(_("Final report"), _final(), empty=_("The final report has been released."), after_lock=True)]
    return []


def _final() -> list[WorkItem]:
    if not any(run.kind != "published" for run in released_runs()):
        return []
    done = ClosedPaper.objects.filter(kind=ClosedPaper.Kind.FINAL, state="succeeded").defer("result", "content")
    newest = done.order_by("-created_at", "id").first()
    if newest is None:
        return [
            WorkItem(_("Make the final report"), reverse("final_report_new"), _("Results have been released"), "due")
        ]
    if Release.objects.filter(payload__spec__kind="report").exists():
        return []
    return [
        WorkItem(
            _("Release the final report"),
            reverse("closed_report", args=[newest.pk]),
            newest.result_sha256[:12],
            "due",
            newest.created_at.date(),
        )
    ]
