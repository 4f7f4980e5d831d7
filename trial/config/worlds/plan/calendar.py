"""The demo's calendar. One script, and where its worlds stop: RUNNING, when the trial is under way, FIRST_LOOK, when the first look of
the teaching plan is due, and LOCK and after, when it is over."""

import datetime as dt

BEGIN = dt.datetime(2024, 10, 28, 8, 0, tzinfo=dt.UTC)
"""The first day. Recruitment of the trial took 18 months and its whole course 52 (T/174); here 25 and 50: somewhat over two years in,
people are still being screened while the first have had their last interview."""

RUNNING = dt.datetime(2026, 11, 2, 8, 30, tzinfo=dt.UTC)
"""About month 24: where ``make demo`` stops and its clock goes on."""

REHEARSAL = RUNNING - dt.timedelta(days=14)
"""The trial statistician rehearses; what the data manager freezes at RUNNING has not been looked at yet."""

FIRST_LOOK = dt.datetime(2027, 5, 10, 8, 30, tzinfo=dt.UTC)
"""Under the teaching plan half of the information is there, and the first look is due: where ``make demo TRIAL=imr-interim`` stops."""

SECOND_LOOK = dt.datetime(2028, 1, 10, 8, 30, tzinfo=dt.UTC)
"""Three quarters of it."""

LOCK = dt.datetime(2028, 12, 14, 10, 0, tzinfo=dt.UTC)
"""More than a year after the last 12-month visit was due: admissions of the year after it are known."""

OVER = LOCK + dt.timedelta(days=40)
"""Where ``make demo AT=end`` stops and its clock goes on."""

T2_MONTHS, T3_MONTHS = 12, 18


def at_work(at: dt.datetime) -> dt.datetime:
    """The same time on a working day: Saturday becomes Friday, Sunday Monday."""
    return at + dt.timedelta(days={5: -1, 6: 1}.get(at.weekday(), 0))
