"""Sections by arm that closed and final reports have in common. The arms are called as the given protocol calls them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.looks import held_table
from analysis.reports.papers import document as doc
from analysis.reports.papers.baseline import Values, background_of, baseline_table, rows_of, scores_at, variables_of
from analysis.reports.people import source_of
from analysis.reports.plan_beside import Section
from analysis.reports.presenters import result_context
from analysis.runs.joined import Joined
from analysis.snapshots.queries import content_of
from analysis.unblinded.assembly import courses
from analysis.unblinded.flow import ArmFlow, flow_of
from analysis.unblinded.flow_presenters import flow_chart, flow_sentence, flow_table
from analysis.unblinded.models import ComparativeRun
from trial.core.ui.charts import Chart
from trial.core.ui.parts import Result
from trial.core.ui.tables import Column, Table
from trial.participants.queries import recruitment
from trial.protocol.definition import Protocol
from trial.unblinded.events.presenters import arm_sentence, arm_table
from trial.unblinded.events.queries import event_lines, happened, randomized_by_arm
from trial.unblinded.sessions.queries import group_fidelity

Joins = Mapping[str, Joined]


def snapshot_rows(spec: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of the snapshot that a report names; none where it names none."""
    named = spec.get("snapshot")
    return rows_of(content_of(named["id"], named["sha256"])) if named else []


def arms_at_once(protocol: Protocol) -> tuple[ArmFlow, ...]:
    """The flow of each arm."""
    return flow_of(courses(protocol), protocol)


def flow(arms: tuple[ArmFlow, ...], *notes: str) -> doc.Section:
    """The flow diagram by arm, and its numbers."""
    return doc.section(
        _("Flow of participants by arm"),
        doc.text(flow_sentence(arms)),
        *(doc.note(words) for words in notes),
        doc.figure(flow_chart(arms, recruitment())),
        doc.table(flow_table(arms)),
    )


def completeness(arms: tuple[ArmFlow, ...]) -> doc.Section:
    """Of those whose visit is over, how many were seen, by arm."""
    columns = [Column(_("Visit"))]
    for arm in arms:
        columns += [
            Column(_("%(arm)s: seen of over") % {"arm": arm.name}, number=True),
            Column(_("%(arm)s: seen") % {"arm": arm.name}, number=True, decimals=1, unit="%"),
        ]
    rows: list[list[Any]] = []
    for visits in zip(*(arm.visits for arm in arms), strict=True):
        row: list[Any] = [visits[0].name]
        for visit in visits:
            over = visit.done + visit.missed_in_all
            row += [f"{visit.done} / {over}", 100 * visit.done / over if over else None]
        rows.append(row)
    return doc.section(_("Completeness by arm"), doc.table(Table(columns, rows, caption=_("Visits that took place"))))


def baseline(protocol: Protocol, spec: Mapping[str, Any], joins: Joins) -> doc.Section:
    """Table 1: everybody randomized, by arm. No test: the lot made whatever differs."""
    title = _("Participants at baseline, by arm")
    rows = snapshot_rows(spec)
    if not rows:
        return doc.section(title, doc.text(_("There is no snapshot yet.")))
    first: Values = scores_at(rows, protocol.baseline.code)
    groups = [(arm.name, sorted(n for n in first if n in joins and joins[n].arm == arm.code)) for arm in protocol.arms]
    background, outcomes = variables_of(protocol)
    note = _("No p-values: participants were allocated by lot, so that whatever differs here came about by chance.")
    return doc.section(
        title,
        doc.table(baseline_table(background, background_of(protocol), groups, _("Background"))) if background else None,
        doc.table(baseline_table(outcomes, first, groups, _("Outcomes at baseline"), note)),
    )


def events(protocol: Protocol) -> doc.Section:
    """Serious events by arm, as the committee's page shows them."""
    lines = event_lines()
    found = happened(lines)
    return doc.section(
        _("Serious events by arm"),
        doc.text(arm_sentence(found, before=len(lines) - len(found))),
        doc.table(arm_table(found, dict(randomized_by_arm()), protocol)),
    )


def attendance(protocol: Protocol, joins: Joins, *notes: str) -> doc.Section | None:
    """Sessions attended by arm, with deviations: people whose arm is not offered the program. None without a program."""
    plan = protocol.sessions
    if plan is None:
        return None
    columns = [
        Column(_("Arm")), Column(_("Randomized"), number=True), Column(_("Sessions known"), number=True),
        Column(_("Attended none"), number=True), Column(_("At least one"), number=True), Column(_("Completed"), number=True),
        Column(_("Sessions attended, mean (SD)"), number=True),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for arm in protocol.arms:
        mine = [one for one in joins.values() if one.arm == arm.code]
        known = [one.attended for one in mine if one.attended is not None]
        counts = (sum(not n for n in known), sum(n > 0 for n in known), sum(bool(one.completed) for one in mine))
        rows.append([arm.name, len(mine), len(known), *(counts if known else (None, None, None)), _mean(known)])
    offered = _("%(n)d sessions are planned. Sessions of an arm that is not offered the program are deviations.") % {
        "n": plan.planned_sessions
    }
    table = Table(columns, rows, caption=_("Attendance"), note=offered)
    return doc.section(
        _("Treatment received"), *(doc.note(words) for words in notes), doc.table(table), _fidelity(protocol)
    )


def _mean(numbers: list[int]) -> str | None:
    if not numbers:
        return None
    spread = f" ({stdev(numbers):.1f})" if len(numbers) > 1 else ""
    return f"{fmean(numbers):.1f}{spread}"


def _fidelity(protocol: Protocol) -> doc.Block | None:
    if not protocol.fidelity:
        return None
    scale, groups = protocol.fidelity[0], group_fidelity()
    rows = [[band.name, sum(one.band == band.code for one in groups.values())] for band in reversed(scale.bands)]
    columns = [Column(_("Class")), Column(_("Groups"), number=True)]
    return doc.table(Table(columns, rows, caption=_("Fidelity of the groups: %(scale)s") % {"scale": scale.name}))


def result_blocks(run: ComparativeRun, frozen: dict[str, Any]) -> list[doc.Block]:
    """A stored result, and whatever its page shows beside it; what is folded there, such as coefficients, stands on the page alone."""
    found = result_context(frozen, run.result, source=source_of(run))
    blocks: list[doc.Block] = []
    for name, part in found.items():
        if isinstance(part, Result):
            blocks += doc.result(part)
        elif isinstance(part, Table):
            blocks.append(doc.table(part))
        elif isinstance(part, Chart):
            blocks.append(doc.figure(part))
        elif name == "admissions_certainty":
            blocks += [one for one in (doc.items(reason.text for reason in part),) if one]
        elif name == "final":
            blocks += _final(part)
        elif name == "sections":
            blocks += _beside(part)
        elif _are_facts(part):
            blocks.append(doc.facts(part))
    return [*blocks, digest_of(run)]


def _beside(parts: list[Any]) -> list[doc.Block]:
    """What stands beside the planned contrast: other models, other outcomes, subgroups. What is folded on the page stands there alone.

    A table once: the numbers of a figure are those of the table above it, or many.
    """
    blocks: list[doc.Block] = []
    for one in parts:
        if not isinstance(one, Section) or one.folded:
            continue
        blocks += [doc.heading(one.title), *([doc.text(one.lead)] if one.lead else [])]
        blocks += [doc.facts(one.facts)] if one.facts else []
        blocks += [doc.table(table) for table in one.tables]
        blocks += [doc.figure(replace(figure, table=None)) for figure in one.charts]
    return blocks


def _final(final: Mapping[str, Any]) -> list[doc.Block]:
    """What the final analysis had left to spend, and the decision. ``final``: as ``reports.looks.final_context`` gives it."""
    drawn = [doc.figure(final["chart"])] if final["chart"] else []
    return [
        doc.heading(_("After the looks before the end")),
        doc.sentence(final["sentence"]),
        doc.facts(final["facts"]),
        doc.table(final["held"]),
        *drawn,
    ]


def _are_facts(part: Any) -> bool:
    """Whether a part of a page is a list of labels with values."""
    pairs = part if isinstance(part, list) else []
    return bool(pairs) and all(
        isinstance(one, tuple) and len(one) == 2 and not isinstance(one[1], Table | Chart | list) for one in pairs
    )


def looks_table(held: Sequence[Any]) -> Table:
    """The looks as the last of them knew them: information, Z, bound and alpha; of a look without such a record nothing."""
    return held_table((held[-1].result or {}).get("look", {}).get("held", []) if held else [])


def digest_of(run: ComparativeRun) -> doc.Block:
    """The digest of the stored result that stands above."""
    return doc.source(_("Result, SHA-256 %(sha256)s.") % {"sha256": run.result_sha256})
