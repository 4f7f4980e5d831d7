"""What stands in the final report: the trial whole, made of released results. Nothing is compared anew."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from analysis.plans.models import PlanVersion
from analysis.plans.queries import plan_of
from analysis.reports import published
from analysis.reports.looks import final_sentence
from analysis.reports.papers import document as doc
from analysis.reports.papers.asked import head_of, record_of, stamps_of, synthetic_words
from analysis.reports.presenters import result_sentence
from analysis.reports.recommended import recommendation_table
from analysis.runs.people import EVERYBODY, people_of
from analysis.runs.specs import BY_PLAN, PUBLISHED, SCALES
from analysis.unblinded.actions import title_of
from analysis.unblinded.assembly import guesses, join
from analysis.unblinded.blinding_presenters import guess_table, index_table
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.papers import sections
from analysis.unblinded.papers.consort import item_table
from analysis.unblinded.papers.construction import how_made
from analysis.unblinded.papers.methods import methods
from analysis.unblinded.papers.models import ClosedPaper
from analysis.unblinded.papers.queries import looks_held, readings_by_arm, runs_named
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Table, shown
from trial.participants.models import Participant
from trial.participants.queries import died, locked_at, randomized_by_day, recommendations
from trial.participants.randomization.presenters import KIND_WORDS
from trial.participants.randomization.queries import open_flags
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.disclosure.presenters import NOTED
from trial.unblinded.disclosure.queries import planned_unblinding

Runs = list[ComparativeRun]


def final_report(report: ClosedPaper) -> dict[str, Any]:
    """The whole report. Needs an open unit of work that sees every site."""
    protocol = current()
    people = dict(Participant.objects.filter(randomized_at__isnull=False).values_list("number", "pk"))
    joins, arms = join(people), sections.arms_at_once(protocol)
    runs = runs_named(report.spec["runs"])
    version = _plan(report)
    return doc.document(
        title=_("Final report"),
        head=head_of(protocol),
        lead=_("%(title)s. Results by arm, as they were released; made on %(at)s.")
        % {"title": protocol.title, "at": shown(report.created_at)},
        synthetic=synthetic_words(protocol),
        side=_("Unblinded side until this report is released"),
        facts=record_of(report, protocol.sha256),
        stamps=stamps_of(report),
        sections=[
            one
            for one in (
                how_made(protocol, runs) if synthetic_words(protocol) else None,
                _summary(runs),
                methods(protocol, version),
                sections.flow(arms),
                sections.baseline(protocol, report.spec, joins),
                sections.attendance(protocol, joins),
                *_results([run for run in runs if people_of(run.spec) == EVERYBODY and run.kind != PUBLISHED]),
                _sensitivity([run for run in runs if people_of(run.spec) != EVERYBODY and run.kind != PUBLISHED], runs),
                sections.events(protocol),
                _deaths(protocol, joins, people),
                _deviations(protocol, joins, people),
                _blind(protocol),
                _not_randomized([run for run in runs if run.kind == PUBLISHED]),
                _looks(version, runs),
                _readers(),
                doc.section(_("CONSORT 2025, item by item"), doc.table(item_table())),
            )
            if one
        ],
    )


def _plan(report: ClosedPaper) -> PlanVersion | None:
    named = report.spec["plan"]
    return PlanVersion.objects.get(sha256=named["sha256"]) if named else None


def _summary(runs: Runs) -> doc.Section:
    """The sentence of each randomized comparison, and the dates of the trial."""
    curve = randomized_by_day()
    unblinded = planned_unblinding()
    dates = [
        (_("Randomized"), _("%(n)d people, %(first)s to %(last)s") % {"n": curve[-1][1], "first": shown(curve[0][0]), "last": shown(curve[-1][0])}),
        (_("Database locked"), locked_at()),
        (_("Planned unblinding"), unblinded.confirmed_at if unblinded else None),
    ]  # fmt: skip
    said: list[doc.Block] = []
    for run in runs:
        if run.kind == PUBLISHED:
            continue
        said += [doc.text(title_of(run)), doc.sentence(result_sentence(run.spec, run.result))]
    return doc.section(_("Summary"), doc.facts(dates), *said)


def _results(runs: Runs) -> list[doc.Section]:
    return [
        doc.section(title_of(run), *sections.result_blocks(run, run.spec), wide=run.kind in (SCALES, BY_PLAN))
        for run in runs
    ]  # fmt: skip


def _sensitivity(without: Runs, runs: Runs) -> doc.Section:
    """What rests on assumptions: beside the planned model in its own section, and sets of people here."""
    planned = any(run.kind == BY_PLAN for run in runs)
    where = _("The planned sensitivity analyses stand beside the planned model, in the results by the analysis plan.")
    none = _("No result by the analysis plan has been released, and so no planned sensitivity analysis.")
    blocks = [doc.text(where if planned else none)]
    for run in without:
        blocks += [doc.text(title_of(run)), *sections.result_blocks(run, run.spec)]
    if not without:
        blocks.append(doc.text(_("An analysis without errors of randomization has not been released.")))
    return doc.section(_("Sensitivity"), *blocks)


def _deaths(protocol: Protocol, joins: sections.Joins, people: dict[str, Any]) -> doc.Section:
    gone = died(people.values())
    rows = [
        [arm.name, sum(joins[n].arm == arm.code and key in gone for n, key in people.items() if n in joins)]
        for arm in protocol.arms
    ]
    columns = [Column(_("Arm")), Column(_("Deaths"), number=True)]
    return doc.section(_("Deaths"), doc.table(Table(columns, rows, caption=_("Deaths after consent, by arm"))))


def _deviations(protocol: Protocol, joins: sections.Joins, people: dict[str, Any]) -> doc.Section:
    """Errors of randomization, wrong treatment, and people in a program that their arm is not offered."""
    flags = open_flags()
    offered = set(protocol.sessions.arms) if protocol.sessions else set()
    columns = [Column(_("Deviation")), *(Column(arm.name, number=True) for arm in protocol.arms)]
    mine = {arm.code: [n for n in people if n in joins and joins[n].arm == arm.code] for arm in protocol.arms}
    rows: list[list[Any]] = [
        [str(words), *(sum(kind in flags.get(people[n], []) for n in mine[arm.code]) for arm in protocol.arms)]
        for kind, words in KIND_WORDS.items()
    ]
    rows.append(
        [
            _("Wrong treatment given"),
            *(sum(bool(joins[n].wrong_treatment) for n in mine[arm.code]) for arm in protocol.arms),
        ]
    )
    if offered:
        attended = [
            None if arm.code in offered else sum((joins[n].attended or 0) > 0 for n in mine[arm.code])
            for arm in protocol.arms
        ]
        rows.append([_("At a session although the arm is not offered the program"), *attended])
    said = _("In the analyses of everybody randomized these people count, each in the arm of the lot.")
    return doc.section(
        _("Deviations and errors of randomization"),
        doc.text(said),
        doc.table(Table(columns, rows, caption=_("Participants by arm"))),
    )


def _blind(protocol: Protocol) -> doc.Section:
    found = guesses()
    indices, sentence = index_table(found, protocol)
    return doc.section(
        _("Success of the blind"), doc.text(sentence), doc.table(guess_table(found, protocol)), doc.table(indices)
    )


def _not_randomized(runs: Runs) -> doc.Section:
    """Comparisons of groups that formed after randomization, in a section of their own that says so first."""
    blocks: list[doc.Block | None] = [doc.note(published.LABEL)]
    for run in runs:
        for one in published.sections(run.spec, run.result):
            blocks += [
                doc.heading(one.title), doc.sentence(one.sentence), doc.table(one.selection),
                doc.table(one.baseline), doc.table(one.table), doc.items(reason.text for reason in one.certainty),
            ]  # fmt: skip
        blocks.append(sections.digest_of(run))
    if not runs:
        blocks.append(doc.text(_("None has been released.")))
    return doc.section(_("Non-randomized comparisons"), *blocks, wide=bool(runs))


def _looks(version: PlanVersion | None, runs: Runs) -> doc.Section:
    """What the plan allows before the end, what was held and what the committee advised, and what that left for the final analysis."""
    planned = plan_of(version).looks if version else None
    said = (
        _("The plan has %(n)d looks before the end.") % {"n": len(planned.looks)}
        if planned
        else _("The plan has no look at the arms before the end.")
    )
    held = looks_held()
    rows = [[run.created_at, run.snapshot_sha256[:16], run.result_sha256[:16]] for run in held]
    columns = [Column(_("Held")), Column(_("Snapshot, SHA-256"), code=True), Column(_("Result, SHA-256"), code=True)]
    told = list(recommendations())
    return doc.section(
        _("Looks"),
        doc.text(said),
        doc.table(sections.looks_table(held)) if held else None,
        doc.table(Table(columns, rows, caption=_("Looks that were held"), empty=_("No look was held."))),
        doc.table(replace(recommendation_table(told), caption=_("Recommendations that the team was told")))
        if told
        else None,
        *(doc.sentence(final_sentence(run.result["final"])) for run in runs if run.result.get("final")),
    )


def _readers() -> doc.Section:
    """Who read something by arm, and when, as the ledger has it up to this report."""
    found = readings_by_arm()
    names = names_of(one.actor for one in found)
    columns = [
        Column(_("Who")),
        Column(_("What")),
        Column(_("First")),
        Column(_("Last")),
        Column(_("Times"), number=True),
    ]
    rows: Iterable[list[Any]] = [
        [names.get(one.actor, one.actor), str(NOTED.get(one.what, one.what)), one.first, one.last, one.times]
        for one in found
    ]
    said = _(
        "From the ledger, in which every opening of a page by arm is noted, up to the moment at which this report was made."
    )
    return doc.section(
        _("Who read comparative data"),
        doc.text(said),
        doc.table(Table(columns, list(rows), empty=_("Nobody has."), caption=_("Readers"))),
    )
