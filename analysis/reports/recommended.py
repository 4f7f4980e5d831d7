"""The committee's recommendation, as everybody hears it: one word and its day."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.ui.tables import Column, Table, shown
from trial.core.ui.text import Text
from trial.core.ui.work import Panel
from trial.participants.models import Release
from trial.participants.queries import recommendations

WORDS: dict[str, Text] = {
    "continue": gettext_lazy("Continue as planned"),
    "stop_efficacy": gettext_lazy("Stop for efficacy"),
    "stop_futility": gettext_lazy("Stop for futility"),
    "change": gettext_lazy("Change the conduct of the trial"),
}
"""What a committee may recommend."""


def recommendation_table(rows: list[Release]) -> Table:
    """Every recommendation that the team was told, newest first."""
    columns = [Column(_("Day")), Column(_("Recommendation"))]
    return Table(columns, [[_day(row), str(WORDS[row.payload["recommendation"]])] for row in rows])


def panel() -> list[Panel]:
    """The recommendations, for first pages; nothing before there is one."""
    rows = list(recommendations()[:5])
    if not rows:
        return []
    newest = rows[0]
    sentence = _("%(words)s (%(day)s).") % {
        "words": WORDS[newest.payload["recommendation"]],
        "day": shown(_day(newest)),
    }
    context = {"sentence": sentence, "table": recommendation_table(rows) if len(rows) > 1 else None}
    return [Panel(_("Recommendation of the data monitoring committee"), "analysis/recommendation_panel.html", context)]


def _day(row: Release) -> dt.date:
    return dt.date.fromisoformat(row.payload["day"])
