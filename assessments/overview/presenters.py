"""The live flow of participants, pooled, and overdue visits by site. Nothing here is by arm."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from assessments.overview.flow import VisitFlow, visit_flow
from assessments.visits.queries import VisitLine, visit_lines
from assessments.visits.schedule import State
from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import Coordinator, DataManager, Investigator, Monitor, Sponsor
from trial.core.ui.charts import Chart, chart
from trial.core.ui.flow import Step
from trial.core.ui.flow import flow as flow_figure
from trial.core.ui.tables import Column, Table
from trial.core.ui.work import Panel
from trial.participants import queries as people
from trial.participants.presenters import reason_texts
from trial.participants.queries import Outcome
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current

LATE = (State.DUE, State.OVERDUE, State.WINDOW_CLOSED)
Part = tuple[str, int]


def _screening(protocol: Protocol) -> tuple[int, list[Part], list[Part]]:
    """Persons assessed; those who do not go on, by reason; those under way."""
    counts, reasons = people.screening_counts(), reason_texts(protocol)
    excluded: list[Part] = []
    for outcome, words in ((Outcome.EXCLUDED, _("Excluded")), (Outcome.DECLINED, _("Declined"))):
        mine = {code: n for (one, code), n in counts.items() if one == outcome}
        if mine:
            excluded.append((words, sum(mine.values())))
            excluded += [(f"– {reasons.get(code, code)}", n) for code, n in sorted(mine.items(), key=_most)]
    under_way = sum(n for (one, _code), n in counts.items() if one in (Outcome.IN_SCREENING, Outcome.ELIGIBLE))
    return sum(counts.values()), excluded, [(_("Still in screening"), under_way)] if under_way else []


def _most(item: Part) -> tuple[int, str]:
    return -item[1], item[0]


def _not_seen(flow: VisitFlow, protocol: Protocol) -> list[Part]:
    """Those without an interview at one visit, by what is known of it."""
    reasons = {one.code: one.text for one in protocol.reasons.missed_visit}
    missed = [(_("Missed: %(reason)s") % {"reason": reasons.get(c, c)}, n) for c, n in flow.missed.most_common()]
    others = [
        (_("Withdrawn from interviews"), flow.withdrawn),
        (_("Died"), flow.died),
        (_("Due or late, nothing recorded"), flow.open),
        (_("Not yet due"), flow.upcoming),
    ]
    return [*missed, *((words, n) for words, n in others if n)]


class PooledFlow:
    """The whole flow over the sites one may see: as sentence, figure and table. Its queries do not grow with the participants."""

    def __init__(self, protocol: Protocol) -> None:
        listed = list(people.everybody())
        self.assessed, self.excluded, self.under_way = _screening(protocol)
        self.registered = len(listed)
        self.randomized = sum(one.randomized_at is not None for one in listed)
        lines = visit_lines([one for one in listed if one.randomized_at], protocol, clock.today())
        self.visits = [(flow, _not_seen(flow, protocol)) for flow in visit_flow(lines, protocol)]

    @property
    def before(self) -> list[Part]:
        """Registered and not randomized."""
        left = self.registered - self.randomized
        return [(_("Not randomized, or not yet"), left)] if left else []

    @property
    def sentence(self) -> str:
        """What the figure shows, in words."""
        words = _("Of %(assessed)d persons assessed, %(registered)d were registered and %(randomized)d randomized.") % {
            "assessed": self.assessed,
            "registered": self.registered,
            "randomized": self.randomized,
        }
        seen = [
            _("%(visit)s: %(done)d seen.") % {"visit": flow.visit.name, "done": flow.done}
            for flow, _left in self.visits
        ]
        return " ".join([words, *seen])

    @property
    def stages(self) -> list[tuple[str, Part, list[Part]]]:
        """The steps of the main line: name, who is counted there, and who leaves the line or has not come so far."""
        seen = [(flow.visit.name, (_("Seen"), flow.done), left) for flow, left in self.visits]
        return [
            (_("Assessed"), (_("All"), self.assessed), [*self.excluded, *self.under_way]),
            (_("Registered"), (_("All"), self.registered), self.before),
            (_("Randomized"), (_("All"), self.randomized), []),
            *seen,
        ]

    def table(self, csv_url: str = "") -> Table:
        """The flow in numbers."""
        rows: list[list[Any]] = []
        for stage, here, left in self.stages:
            rows += [[stage, words, n] for words, n in (here, *left)]
        columns = [Column(_("Step")), Column(_("Who")), Column(_("Persons"), number=True, decimals=0)]
        return Table(columns, rows, caption=_("Flow of participants"), csv_url=csv_url)

    def figure(self) -> Chart:
        """The flow as a figure. Who is missing at a visit stands beside the arrow that leads to it."""
        stages = self.stages
        steps = []
        for number, (stage, (who, count), left) in enumerate(stages):
            beside = left if number < 2 else stages[number + 1][2] if number + 1 < len(stages) else []
            lines = [_("%(words)s: %(n)d") % {"words": words, "n": n} for words, n in beside]
            steps.append(Step([stage, f"n = {count}" if number <= 2 else f"{who}: n = {count}"], lines))
        return chart(flow_figure(steps), _("Flow of participants"), self.sentence)


def overdue_table(lines: Iterable[VisitLine], protocol: Protocol, csv_url: str = "") -> Table:
    """Visits that wait, by site and visit: due now, past their target day, past their window."""
    counts: dict[tuple[str, str], Counter[State]] = {}
    for line in lines:
        if line.state in LATE:
            counts.setdefault((line.participant.site_id, line.visit.code), Counter())[line.state] += 1
    rows = [
        [site.name, visit.name, *(counts[site.code, visit.code][state] for state in LATE)]
        for site in protocol.sites
        for visit in protocol.visits
        if (site.code, visit.code) in counts
    ]
    columns = [
        Column(_("Site")),
        Column(_("Visit")),
        Column(_("Due"), number=True, decimals=0),
        Column(_("Overdue"), number=True, decimals=0),
        Column(_("Window closed"), number=True, decimals=0),
    ]
    return Table(
        columns,
        rows,
        caption=_("Visits that wait, by site"),
        empty=_("No visit waits. Visits are counted here when their window opens."),
        csv_url=csv_url,
    )


def waiting_table(protocol: Protocol, csv_url: str = "") -> Table:
    """``overdue_table`` over the sites one may see."""
    return overdue_table(visit_lines(people.participants(), protocol, clock.today()), protocol, csv_url)


def panels_for(person: Person) -> list[Panel]:
    """Visits that wait, by site, for those who oversee."""
    if not person.holds(Coordinator, DataManager, Investigator, Monitor, Sponsor):
        return []
    try:
        table = waiting_table(current())
    except NoProtocol:
        return []
    return [Panel(_("Visits that wait"), "assessments/completeness_panel.html", {"table": table})]
