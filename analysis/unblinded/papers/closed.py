"""What stands in a closed report: how the trial goes by arm, for the committee."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.papers import document as doc
from analysis.reports.papers.asked import head_of, record_of, stamps_of, synthetic_words
from analysis.unblinded.assembly import join
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.papers import sections
from analysis.unblinded.papers.arms import coded, what_reveals
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from analysis.unblinded.papers.queries import runs_named
from trial.core.ui.tables import Column, Table, shown
from trial.participants.models import Participant
from trial.participants.recruitment.presenters import month_and_site_table
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.events.queries import randomized_by_arm


def closed_report(report: ClosedPaper) -> dict[str, Any]:
    """The whole report. Needs an open unit of work that sees every site."""
    real = current()
    labels = report.spec["labels"]
    is_coded = labels["labels"] == ArmLabels.Labels.CODED
    protocol = coded(real, labels["first"]) if is_coded else real
    numbers = Participant.objects.filter(randomized_at__isnull=False).values_list("number", flat=True)
    joins, arms = join(numbers), sections.arms_at_once(protocol)
    reveals = what_reveals(real) if is_coded else []
    known = _("This row exists for one arm alone, and so tells which it is.") if is_coded and real.sessions else ""
    return doc.document(
        title=_("Closed report"),
        head=head_of(real),
        lead=_("By arm, for the data monitoring committee; as of %(at)s. Not for anybody who works with participants.")
        % {"at": shown(report.created_at)},
        synthetic=synthetic_words(real),
        side=_(
            "Unblinded side: closed report, for the members of the committee and the independent statistician alone"
        ),
        facts=[*record_of(report, real.sha256), (_("Arms are called"), _names(is_coded))],
        stamps=stamps_of(report),
        sections=[
            one
            for one in (
                _labels(protocol, is_coded=is_coded, reveals=reveals),
                _recruitment(protocol),
                sections.flow(arms, *([known] if known else [])),
                sections.completeness(arms),
                sections.baseline(protocol, report.spec, joins),
                sections.events(protocol),
                sections.attendance(protocol, joins, *([known] if known else [])),
                *_looks(protocol, report),
            )
            if one
        ],
    )


def _names(is_coded: bool) -> str:
    return _("by two labels that are fixed for the trial") if is_coded else _("by their real names")


def _labels(protocol: Protocol, *, is_coded: bool, reveals: list[str]) -> doc.Section:
    """How to read the names of the arms, and what a coded name does not hide."""
    names = doc.items(arm.name for arm in protocol.arms)
    if not is_coded:
        said = _("Arms stand under their real names, as the charter of the committee has it.")
        return doc.section(_("The arms in this report"), doc.text(said), names)
    said = _(
        "Arms are called by labels that mean the same in every closed report. Coded figures are comparative: they are for the committee"
        " alone, as real ones would be."
    )
    warned = doc.note(_("The labels do not hide everything. What tells which arm is which:")) if reveals else None
    return doc.section(_("The arms in this report"), doc.text(said), names, warned, doc.items(reveals))


def _recruitment(protocol: Protocol) -> doc.Section:
    counts = randomized_by_arm()
    total = counts.total()
    columns = [
        Column(_("Arm")),
        Column(_("Randomized"), number=True),
        Column(_("Share"), number=True, decimals=1, unit="%"),
    ]
    rows = [[arm.name, counts[arm.code], 100 * counts[arm.code] / total if total else None] for arm in protocol.arms]
    table = Table(columns, rows, caption=_("Randomized by arm"))
    return doc.section(_("Recruitment"), doc.table(table), doc.table(month_and_site_table(protocol)))


def _looks(protocol: Protocol, report: ClosedPaper) -> list[doc.Section]:
    """Outcomes by arm, of looks that were held; nothing else compares outcomes while the trial goes on."""
    held = runs_named(report.spec["looks"])
    if not held:
        said = _("No look at the outcomes by arm has been held. This report compares none.")
        return [doc.section(_("Looks"), doc.text(said))]
    signs = _("Differences are those of the experimental arm minus the control: whoever knows that knows the labels.")
    warned = doc.note(signs) if report.spec["labels"]["labels"] == ArmLabels.Labels.CODED else None
    return [
        doc.section(
            _("Look of %(at)s") % {"at": shown(run.created_at)},
            warned,
            *sections.result_blocks(run, _renamed(run, protocol)),
        )
        for run in held
    ]


def _renamed(run: ComparativeRun, protocol: Protocol) -> dict[str, Any]:
    """The specification of a run with the arms called as the report calls them."""
    return {**run.spec, "arms": {arm.code: arm.name for arm in protocol.arms}}
