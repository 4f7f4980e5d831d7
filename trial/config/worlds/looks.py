"""What happens around the planned looks of a played trial, as the demo accounts: begun, computed, judged by the committee, and told.

A look is computed in this process, by the executor that the workers use. Every step may be cut off and called again.
"""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

from analysis.unblinded import tasks as comparative_tasks
from analysis.unblinded.looks import actions, queries
from analysis.unblinded.models import ComparativeRun, Look
from analysis.unblinded.papers import actions as closed_reports
from analysis.unblinded.papers import tasks as closed_report_tasks
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from trial.config.worlds import closing, stage
from trial.config.worlds.plan import calendar
from trial.core import ids, side
from trial.core.access.sign_in import DEMO_PASSWORD
from trial.unblinded.disclosure.actions import note

STREAM = 20_270_510
"""Identifiers of what is done about a look are drawn from a stream of its own."""

REASONS = {
    "half": "Z lies well within its bounds and above the line of futility. The serious events give no reason to stop.",
    "three_quarters": "The bound was not crossed. The difference points the way that was hoped for, and the last visits are soon over.",
}
"""Why the committee recommends to continue, by look of the teaching plan."""


def milestones() -> list[tuple[dt.datetime, Callable[[], Any]]]:
    """Each look of the teaching plan: data are frozen when it is due; a day later it is held, after a week the committee has met."""
    found: list[tuple[dt.datetime, Callable[[], Any]]] = []
    for at, code in ((calendar.FIRST_LOOK, "half"), (calendar.SECOND_LOOK, "three_quarters")):
        found += [
            (at, closing.fix_completions),
            (at, partial(closing.rehearse, only=("pooled", "look"))),
            (at + dt.timedelta(days=1), partial(hold, code)),
            (at + dt.timedelta(days=7), partial(judge, code)),
        ]
    return found


def hold(code: str) -> None:
    """The independent statistician begins the look and it is computed. A closed report then has it, for the committee."""
    independent = stage.person("independent")
    with ids.seeded(_stream(code)), stage.working(independent, side.UNBLINDED):
        known = ComparativeRun.objects.filter(look__code=code).first()
        run = known or actions.begin_planned(code=code, by=independent)
    closing.execute(ComparativeRun, run, comparative_tasks.compute_run, side.UNBLINDED)
    with ids.seeded(_stream(code) + 1), stage.working(independent, side.UNBLINDED):
        report = closed_reports.start_closed(labels=ArmLabels.Labels.REAL, by=independent)
    closing.execute(ClosedPaper, report, closed_report_tasks.compute_report, side.UNBLINDED)


def judge(code: str) -> None:
    """A member writes the recommendation to continue and signs it, the chair signs last and tells the team."""
    member, chair = stage.person("dmc"), stage.person("chair")
    with ids.seeded(_stream(code) + 2), stage.working(member, side.UNBLINDED):
        look = Look.objects.get(code=code)
        written = next(iter(queries.recommendations(look)), None)
        if written is None:
            note(what="look opened", subject=str(look.number), by=member)  # as its page does
            written = actions.recommend(look=look, word="continue", words=REASONS[code], by=member)
        actions.sign_recommendation(recommendation=written, password=DEMO_PASSWORD, by=member)
    with ids.seeded(_stream(code) + 3), stage.working(chair, side.UNBLINDED):
        if queries.sealed(look) is None:
            note(what="look opened", subject=str(look.number), by=chair)
        actions.sign_recommendation(recommendation=written, password=DEMO_PASSWORD, by=chair)
    with ids.seeded(_stream(code) + 4), stage.working(chair, side.UNBLINDED):
        actions.tell_team(look=look, by=chair)


def _stream(code: str) -> int:
    return STREAM + 10 * list(REASONS).index(code)
