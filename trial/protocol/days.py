"""Days that follow from the day of randomization: pure functions, the same for every side."""

import calendar
from datetime import date, timedelta

from trial.protocol.definition import Visit


def add_months(day: date, months: int) -> date:
    """The same day of the month, ``months`` later; in a shorter month its last day (31 Aug + 6: 28 or 29 Feb)."""
    if months < 0:
        raise ValueError("Visits lie after randomization: months cannot be negative.")
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def target_day(visit: Visit, randomized_on: date) -> date:
    """The day for which a follow-up visit is planned. Raises ValueError for a baseline visit."""
    if visit.is_baseline:
        raise ValueError(f"Visit {visit.code} lies before randomization and has no due date.")
    if visit.offset < 0:
        raise ValueError(f"Visit {visit.code}: it cannot lie before randomization.")
    if visit.unit == "months":
        return add_months(randomized_on, visit.offset)
    return randomized_on + timedelta(days=visit.offset)
