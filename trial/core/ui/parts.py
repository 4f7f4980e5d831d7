"""Parts of pages as data: history, progress, results, states of saving. Each has a template tag of the same name."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trial.core.ui.charts import Chart
from trial.core.ui.tables import Table
from trial.core.ui.text import Text


@dataclass(frozen=True)
class Crumb:
    """One step of the way to a page; the last has no address."""

    label: Text
    url: str = ""


@dataclass(frozen=True)
class Change:
    """One line of a history."""

    at: datetime.datetime
    who: Text
    what: Text
    old: Any = ""
    new: Any = ""
    reason: Text = ""


SaveStateName = Literal["saved", "waiting", "conflict", "unsaved"]


@dataclass(frozen=True)
class SaveState:
    """What became of the answers: ``at`` is the time of saving; ``text`` replaces the standard words."""

    state: SaveStateName
    at: datetime.datetime | None = None
    text: Text = ""


JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Progress:
    """Long work as the page shows it.

    ``poll_url`` answers with the same component and is asked every two seconds while the work is not over. ``cancel_url`` takes a
    POST. ``remaining`` is an estimate. ``result_url`` is where to go when it is done; ``message`` says why it failed.
    """

    state: JobState
    done: int = 0
    total: int = 0
    title: Text = ""
    message: Text = ""
    remaining: datetime.timedelta | None = None
    poll_url: str = ""
    cancel_url: str = ""
    result_url: str = ""
    result_label: Text = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def remaining_words(self) -> str:
        """The remaining time, roughly: seconds below a minute, else minutes."""
        if self.remaining is None or self.is_over:
            return ""
        seconds = int(self.remaining.total_seconds())
        if seconds < 60:
            return _("less than a minute left")
        minutes = round(seconds / 60)
        return ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}


CertaintyLevel = Literal["good", "caution", "poor"]


@dataclass(frozen=True)
class Certainty:
    """One reason to trust a result or not: convergence, a warning, a sensitivity analysis."""

    level: CertaintyLevel
    text: Text


@dataclass(frozen=True)
class Result:
    """A result: one sentence in plain words with estimate, interval and p; then table, picture, and how sure one can be.

    ``marked`` is a line above everything, such as "Fake arm: nothing here is a result of the trial".
    """

    sentence: Text
    table: Table | None = None
    charts: Sequence[Chart] = ()
    certainty: Sequence[Certainty] = field(default_factory=list)
    marked: Text = ""
    source: Text = ""
