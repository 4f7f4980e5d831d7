"""When a look by the calendar is planned: the day that both sides know. Pure."""

import datetime as dt

MONTH = 365.25 / 12
"""Days of a month."""


def planned_day(first: dt.date, months: float) -> dt.date:
    """The day so many months after the first participant was randomized."""
    return first + dt.timedelta(days=round(months * MONTH))
