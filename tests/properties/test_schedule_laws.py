"""Laws of the visit calendar, for any visit and any day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from assessments.visits.schedule import Recorded, State, Timing, state_of, window_of
from trial.protocol.days import add_months
from trial.protocol.definition import Visit

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
VISITS = st.builds(
    Visit, code=st.just("V"), name=st.just("V"), offset=st.integers(0, 60), unit=st.sampled_from(["days", "months"]),
    before=st.integers(0, 60), after=st.integers(0, 90), is_baseline=st.just(False),
)  # fmt: skip
ORDER = [State.UPCOMING, State.DUE, State.OVERDUE, State.WINDOW_CLOSED]


@given(VISITS, DAYS)
def test_the_target_lies_in_its_window(visit: Visit, randomized: date) -> None:
    window = window_of(visit, randomized)
    assert window.opens <= window.target <= window.closes
    assert (window.closes - window.opens).days == visit.before + visit.after
    assert window.target >= randomized


@given(VISITS, DAYS, DAYS)
def test_later_randomization_is_never_an_earlier_target(visit: Visit, one: date, other: date) -> None:
    first, second = sorted((one, other))
    assert window_of(visit, first).target <= window_of(visit, second).target


@given(VISITS, DAYS, st.integers(-200, 3000))
def test_states_come_in_order(visit: Visit, randomized: date, shift: int) -> None:
    window = window_of(visit, randomized)
    day = randomized + timedelta(days=shift)
    today, tomorrow = (state_of(window, Recorded.NOTHING, d) for d in (day, day + timedelta(days=1)))
    assert ORDER.index(today) <= ORDER.index(tomorrow)
    assert (today in (State.DUE, State.OVERDUE)) == (window.timing(day) is Timing.IN_WINDOW)


@given(DAYS, st.integers(0, 60))
def test_months_keep_the_day_or_take_the_last_of_the_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
