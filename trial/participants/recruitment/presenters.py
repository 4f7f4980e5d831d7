"""Recruitment and screening, pooled: counts over the sites one may see, nothing by arm."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import (
    OPEN_SIDE,
    Coordinator,
    DataManager,
    Investigator,
    Monitor,
    Sponsor,
    TrialStatistician,
)
from trial.core.models import ANY_SITE
from trial.core.ui.charts import Chart, chart
from trial.core.ui.figures import recruitment as recruitment_figure
from trial.core.ui.tables import Column, Table
from trial.core.ui.work import Panel
from trial.participants import queries
from trial.participants.presenters import OUTCOMES, reason_texts
from trial.participants.queries import Outcome, Recruitment
from trial.protocol.definition import Protocol
from trial.protocol.queries import current

OVERSEERS = (Coordinator, DataManager, TrialStatistician, Investigator, Monitor, Sponsor)
"""Who sees how the trial goes, pooled; a coordinator the own site."""


def sees_every_site(person: Person) -> bool:
    """Whether the person's rows are those of the whole trial."""
    return ANY_SITE in person.sites


def funnel_table(protocol: Protocol, *, csv_url: str = "") -> Table:
    """Persons by outcome of screening and coded reason. Whoever was screened again counts once, by the latest entry."""
    counts = queries.screening_counts()
    reasons = reason_texts(protocol)
    rows: list[list[Any]] = [[_("Assessed"), None, sum(counts.values())]]
    for outcome in (
        Outcome.EXCLUDED,
        Outcome.DECLINED,
        Outcome.IN_SCREENING,
        Outcome.ELIGIBLE,
        Outcome.REGISTERED,
    ):
        mine = {reason: n for (one, reason), n in counts.items() if one == outcome}
        words = str(OUTCOMES[outcome][1])
        rows.append([words, None, sum(mine.values())])
        rows += [[words, reasons.get(code, code), n] for code, n in sorted(mine.items(), key=_most) if code]
    return Table(
        [Column(_("Outcome")), Column(_("Reason")), Column(_("Persons"), number=True, decimals=0)],
        rows,
        caption=_("Persons by outcome and reason"),
        note=_("A person who was screened again counts once, by the latest entry."),
        csv_url=csv_url,
    )


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def site_table(protocol: Protocol, *, csv_url: str = "") -> Table:
    """Registered and randomized by site."""
    counts = queries.randomized_by_site()
    rows = [[site.name, *counts[site.code]] for site in protocol.sites if site.code in counts]
    columns = [
        Column(_("Site")),
        Column(_("Registered"), number=True, decimals=0),
        Column(_("Randomized"), number=True, decimals=0),
    ]
    empty = _("Sites are counted here when somebody has been registered.")
    return Table(columns, rows, caption=_("By site"), empty=empty, csv_url=csv_url)


def month_table(curve: list[tuple[Any, int]]) -> Table:
    """The cumulative number at the end of each month in which somebody was randomized."""
    ends = {day.replace(day=1): total for day, total in curve}
    rows = [[month.strftime("%b %Y"), total] for month, total in ends.items()]
    return Table([Column(_("Month")), Column(_("Randomized so far"), number=True, decimals=0)], rows)


def month_and_site_table(protocol: Protocol) -> Table:
    """Randomized in each month by site, and how much of the target is reached by then."""
    counts = queries.randomized_by_month_and_site()
    columns = [Column(_("Month")), *(Column(site.name, number=True) for site in protocol.sites), Column(_("All"), number=True),
        Column(_("So far"), number=True), Column(_("Of the target"), number=True, decimals=1, unit="%")]  # fmt: skip
    rows: list[list[Any]] = []
    total = 0
    for month in sorted({month for month, _site in counts}):
        here = [counts[month, site.code] for site in protocol.sites]
        total += sum(here)
        rows.append([month.strftime("%b %Y"), *here, sum(here), total, 100 * total / protocol.target_sample_size])
    empty = _("Months are counted here when somebody has been randomized.")
    note = _("The target is %(n)d participants.") % {"n": protocol.target_sample_size}
    return Table(columns, rows, caption=_("Randomized by month and site"), empty=empty, note=note)


def recruitment_chart(person: Person, protocol: Protocol) -> Chart | None:
    """Randomized participants over time; against the trial's target for whoever sees every site. None before the first."""
    return curve_chart(protocol, whole=sees_every_site(person))


def curve_chart(protocol: Protocol, *, whole: bool) -> Chart | None:
    """``recruitment_chart`` of what is seen; ``whole``: that is the whole trial."""
    curve = queries.randomized_by_day()
    if not curve:
        return None
    today = clock.today()
    total, begin = curve[-1][1], curve[0][0]
    before = begin - dt.timedelta(days=1)  # the line begins at zero
    target = [(before, protocol.target_sample_size), (today, protocol.target_sample_size)] if whole else []
    days = [(before, 0), *curve, *([(today, total)] if curve[-1][0] < today else [])]
    words = {"done": total, "target": protocol.target_sample_size, "since": begin.strftime("%b %Y")}
    sentence = (
        _("%(done)d of %(target)d participants were randomized since %(since)s.")
        if whole
        else _("%(done)d participants were randomized at your site since %(since)s; the trial plans %(target)d in all.")
    )
    figure = recruitment_figure(days, target)
    return chart(figure, _("Recruitment against the target"), sentence % words, month_table(curve))


def panels_for(person: Person) -> list[Panel]:
    """Recruitment, pooled, for everybody who works on the open side; with the figure for those who oversee it."""
    if not person.holds(*OPEN_SIDE):
        return []
    protocol = current()
    counts = queries.recruitment()
    context = {
        "facts": count_facts(counts),
        "counts": counts,
        "target": protocol.target_sample_size,
        "own_site": not sees_every_site(person),
        "figure": recruitment_chart(person, protocol) if person.holds(*OVERSEERS) else None,
    }
    return [Panel(_("Recruitment"), "trial/recruitment_panel.html", context)]


def count_facts(counts: Recruitment) -> list[tuple[str, int]]:
    """The way in, in numbers."""
    return [
        (_("Considered"), counts.screened),
        (_("Excluded"), counts.excluded),
        (_("Declined"), counts.declined),
        (_("In screening"), counts.in_screening),
        (_("Registered"), counts.registered),
        (_("Randomized"), counts.randomized),
    ]
