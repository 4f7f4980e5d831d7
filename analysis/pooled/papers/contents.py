"""What stands in an open report. Every number is of all arms together, and is shown to blinded people elsewhere, too."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.pooled.models import PooledRun
from analysis.reports.models import Report
from analysis.reports.papers import document as doc
from analysis.reports.papers.asked import head_of, record_of, stamps_of, synthetic_words
from analysis.reports.papers.baseline import (
    background_of,
    baseline_table,
    missingness,
    rows_of,
    scores_at,
    variables_of,
)
from analysis.reports.people import source_of
from analysis.reports.rendering import pooled_result
from analysis.snapshots.queries import content_of
from assessments.overview.presenters import PooledFlow, waiting_table
from assessments.visits.presenters import completeness_table
from trial.core import db
from trial.core.ui.tables import shown
from trial.participants.events.presenters import pooled_table
from trial.participants.events.queries import in_force
from trial.participants.queries import recruitment
from trial.participants.recruitment.presenters import (
    count_facts,
    curve_chart,
    funnel_table,
    month_and_site_table,
    site_table,
)
from trial.protocol.definition import Protocol
from trial.protocol.queries import current


def open_report(report: Report) -> dict[str, Any]:
    """The whole report, read at one moment. Needs an open unit of work that sees every site."""
    db.hold_still()
    protocol = current()
    counts = recruitment()
    content = content_of(report.spec["snapshot"]["id"], report.spec["snapshot"]["sha256"])
    lead = _("All arms together. %(randomized)d of %(target)d participants are randomized; as of %(at)s.") % {
        "randomized": counts.randomized, "target": protocol.target_sample_size, "at": shown(report.created_at),
    }  # fmt: skip
    return doc.document(
        title=_("Open report"),
        head=head_of(protocol),
        lead=lead,
        synthetic=synthetic_words(protocol),
        side="",
        facts=record_of(report, protocol.sha256),
        stamps=stamps_of(report),
        sections=[
            _recruitment(protocol),
            _flow(protocol),
            _completeness(protocol),
            *_people(protocol, content),
            _spread(),
            _events(),
        ],
    )


def _recruitment(protocol: Protocol) -> doc.Section:
    curve = curve_chart(protocol, whole=True)
    return doc.section(
        _("Recruitment"),
        doc.facts(count_facts(recruitment())),
        doc.figure(curve) if curve else doc.text(_("Nobody has been randomized yet.")),
        doc.table(month_and_site_table(protocol)),
        doc.table(site_table(protocol)),
        doc.table(funnel_table(protocol)),
    )


def _flow(protocol: Protocol) -> doc.Section:
    pooled = PooledFlow(protocol)
    return doc.section(_("Flow of participants"), doc.figure(pooled.figure()), doc.table(pooled.table()))


def _completeness(protocol: Protocol) -> doc.Section:
    return doc.section(_("Visits"), doc.table(completeness_table(protocol)), doc.table(waiting_table(protocol)))


def _people(protocol: Protocol, content: bytes) -> list[doc.Section]:
    """The baseline table and what is missing, of the people of the snapshot."""
    rows, given = rows_of(content), background_of(protocol)
    first = scores_at(rows, protocol.baseline.code)
    everybody = [(_("All"), sorted(first))]
    background, outcomes = variables_of(protocol)
    lacking, drawn = missingness(protocol, rows)
    return [
        doc.section(
            _("Participants at baseline"),
            doc.table(baseline_table(background, given, everybody, _("Background"))) if background else None,
            doc.table(baseline_table(outcomes, first, everybody, _("Outcomes at baseline"))),
        ),
        doc.section(_("Missing scores"), doc.figure(drawn) if drawn else None, doc.table(lacking)),
    ]


def _spread() -> doc.Section:
    """The primary outcome of all participants, from the newest run of pooled figures."""
    run = PooledRun.objects.filter(kind="pooled", state="succeeded").order_by("-created_at", "id").first()
    if run is None:
        return doc.section(_("Primary outcome, pooled"), doc.text(_("Nobody has run pooled figures yet.")))
    named = _("Snapshot of this run, SHA-256 %(sha256)s.") % {"sha256": run.snapshot_sha256}
    found = pooled_result(run.spec, run.result, source=f"{source_of(run)} {named}")
    return doc.section(_("Primary outcome, pooled"), *doc.result(found))


def _events() -> doc.Section:
    listed = list(in_force())
    said = _("Serious events in force, deaths apart, of everybody who consented.")
    return doc.section(_("Serious events"), doc.text(said), doc.table(pooled_table(listed)))
