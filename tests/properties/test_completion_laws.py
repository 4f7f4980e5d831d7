"""Laws of exposure and completion, for any marks and any days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trial.unblinded.sessions.completion import Counts, Ending, Mark, Stay, completed, count, end_of

DENOMINATORS = st.sampled_from(["offered", "planned", "held"])
SHARES = st.integers(1, 100).map(lambda n: n / 100)
MARKS = st.lists(st.sampled_from(list(Mark)), max_size=60)
DAYS = st.dates(date(2012, 1, 1), date(2030, 1, 1))


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    entered = draw(DAYS)
    left = draw(st.none() | st.integers(0, 500).map(lambda n: entered + timedelta(days=n)))
    closed = draw(st.none() | st.integers(0, 500).map(lambda n: (left or entered) + timedelta(days=n)))
    return Stay(entered, left, closed)


@given(MARKS, st.integers(0, 60), st.integers(1, 60))
def test_nobody_attends_what_was_not_offered(marks: list[Mark], held: int, planned: int) -> None:
    found = count(planned=planned, marks=marks, held=held)
    assert 0 <= found.attended <= found.offered <= len(marks)
    assert found.offered == len(marks) - marks.count(Mark.NOT_OFFERED)
    assert count(planned=planned, marks=sorted(marks, reverse=True), held=held) == found


@given(MARKS, st.integers(0, 60), st.integers(1, 60), SHARES, DENOMINATORS)
def test_one_session_more_never_undoes_completion(
    marks: list[Mark], held: int, planned: int, share: float, denominator: str
) -> None:
    before = count(planned=planned, marks=marks, held=held)
    after = count(planned=planned, marks=[*marks, Mark.ATTENDED], held=held)
    if completed(before, share, denominator):  # type: ignore[arg-type]
        assert completed(after, share, denominator)  # type: ignore[arg-type]


@given(MARKS, SHARES)
def test_absence_never_makes_completion_and_not_being_asked_changes_nothing(marks: list[Mark], share: float) -> None:
    before = count(planned=40, marks=marks, held=40)
    absent = count(planned=40, marks=[*marks, Mark.ABSENT], held=40)
    assert completed(before, share, "offered") >= completed(absent, share, "offered")
    assert count(planned=40, marks=[*marks, Mark.NOT_OFFERED], held=40) == before


@given(st.integers(0, 60), st.integers(0, 60), SHARES, DENOMINATORS)
def test_nobody_completes_nothing(planned: int, held: int, share: float, denominator: str) -> None:
    assert not completed(Counts(planned, 0, 0, held), share, denominator)  # type: ignore[arg-type]


@given(st.integers(1, 60), SHARES)
def test_who_came_to_everything_completed(offered: int, share: float) -> None:
    assert completed(Counts(40, offered, offered, 40), share, "offered")


@given(st.integers(1, 60), SHARES, SHARES, DENOMINATORS)
def test_a_stricter_share_completes_nobody_more(attended: int, one: float, other: float, denominator: str) -> None:
    counts = Counts(60, 60, attended, 60)
    low, high = sorted((one, other))
    assert completed(counts, low, denominator) >= completed(counts, high, denominator)  # type: ignore[arg-type]


@given(DAYS, st.lists(stays(), max_size=3), st.none() | DAYS)
def test_the_program_ends_at_the_target_day_at_the_latest(
    target: date, known: list[Stay], withdrawn: date | None
) -> None:
    end = end_of(target, known, withdrawn)
    assert end.day <= target
    assert withdrawn is None or end.day <= withdrawn
    assert (end.why is Ending.TARGET_DAY) <= (end.day == target)
    assert not end.is_over(end.day)
    assert end.is_over(end.day + timedelta(days=1))
    assert end == end_of(target, known[::-1], withdrawn) or len({(s.entered_on, s.left_on) for s in known}) < len(known)


@given(DAYS, st.lists(stays(), max_size=3), DAYS, DAYS)
def test_a_later_withdrawal_never_ends_it_earlier(target: date, known: list[Stay], one: date, other: date) -> None:
    first, second = sorted((one, other))
    assert end_of(target, known, first).day <= end_of(target, known, second).day


@given(stays(), DAYS)
def test_a_stay_covers_its_first_and_its_last_day(stay: Stay, day: date) -> None:
    assert stay.covers(stay.entered_on)
    assert stay.left_on is None or stay.covers(stay.left_on)
    assert not stay.covers(stay.entered_on - timedelta(days=1))
    assert stay.left_on is None or not stay.covers(stay.left_on + timedelta(days=1))
