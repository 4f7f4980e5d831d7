"""The count of serious events by arm, on numbers."""

from trial.unblinded.events.counts import Count, Happened, by_arm

EVENTS = [
    Happened("a", "new", "admission", "possible", "expected"),
    Happened("a", "new", "admission"),
    Happened("b", "new", "other", "possible", "unexpected"),
    Happened("c", "usual", "admission", "not_related", "expected"),
]


def test_events_and_people_are_counted_apart() -> None:
    assert by_arm(EVENTS, ["new", "usual", "third"]) == {"new": Count(3, 2), "usual": Count(1, 1), "third": Count(0, 0)}


def test_a_part_of_the_events() -> None:
    found = by_arm(EVENTS, ["new", "usual"], "relatedness", "")
    assert found == {"new": Count(1, 1), "usual": Count(0, 0)}
