"""What else happens: contact attempts, unblinding, withdrawals, a death, queries. None of these was counted in print: all made up."""

import datetime as dt
from collections.abc import Iterator

from trial.config.worlds.plan.calendar import RUNNING, at_work
from trial.config.worlds.plan.events import (
    ConsentWithdrawn,
    ContactTried,
    DeathConfirmed,
    DeathReported,
    Event,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    UnblindingReported,
)
from trial.config.worlds.plan.follow_up import (
    OCCASIONS,
    interviewed_at,
    missed_at,
    reason_of,
    reasons,
    reopened_at,
    targets,
    unusual,
)
from trial.config.worlds.plan.order import spread
from trial.config.worlds.plan.people import randomized

TOLD = {("imr", "T2"): 9, ("cau", "T2"): 3, ("imr", "T3"): 2}
"""Interviews in which the interviewer was told the arm."""
WORDS = {
    "imr": ("Said that the group meets on Thursdays.", "Showed the workbook.", "Thanked for the group."),
    "cau": ("Said that nothing had changed since last year.", "Was sorry not to be in the group."),
}
SOURCES = ("participant", "participant", "family", "document")
NO_MORE_INTERVIEWS, NO_MORE_SHARING = 4, 3
QUERIES_BEFORE, QUERIES_OPEN, QUERIES_AFTER = 7, 2, 3
"""Queries closed by RUNNING, open at RUNNING, and raised later."""
QUESTION = "Is this answer as on the paper form?"
ANSWER = "confirmed"


def events() -> Iterator[Event]:
    """All of them."""
    yield from _contact()
    yield from _unblinding()
    yield from _withdrawals()
    yield from _death()
    yield from _queries()


def _contact() -> Iterator[ContactTried]:
    """Three attempts before somebody counts as not located; one that worked before a visit comes back; one on an overdue visit."""
    for person in randomized():
        n = person.number
        for visit in OCCASIONS:
            if reason_of(n, visit) == "not_located":
                for days, way in ((24, "phone"), (16, "letter"), (8, "visit")):
                    at = at_work(missed_at(n, visit) - dt.timedelta(days=days))
                    yield ContactTried(at=at, person=n, visit=visit, way=way, reached=False)
            back = reopened_at(n, visit)
            if back is not None:
                at = back - dt.timedelta(minutes=40)
                yield ContactTried(at=at, person=n, visit=visit, way="phone", reached=True)
            if unusual().get((n, visit)) in ("overdue", "closed"):
                at = at_work(targets(visit)[n] + dt.timedelta(days=12, hours=3))
                yield ContactTried(at=at, person=n, visit=visit, way="phone", reached=False)


def _unblinding() -> Iterator[UnblindingReported]:
    place = 0
    for (arm, visit), wanted in TOLD.items():
        seen = [(p.number, at) for p in randomized() if p.arm == arm and (at := interviewed_at(p.number, visit))]
        for n, at in spread(seen, wanted):
            words = WORDS[arm][place % len(WORDS[arm])]
            yield UnblindingReported(
                at=at + dt.timedelta(minutes=50),
                person=n,
                visit=visit,
                source=SOURCES[place % len(SOURCES)],
                believed_arm=arm,
                certainty=4 + place % 2,
                words=words,
            )
            place += 1


def _withdrawals() -> Iterator[ConsentWithdrawn]:
    """Of those who declined the last visit some want no more interviews; some others no sharing of their data."""
    gone = sorted(n for n, (_t2, t3) in reasons().items() if t3 == "declined")
    for n in spread(gone, NO_MORE_INTERVIEWS):
        yield ConsentWithdrawn(at=missed_at(n, "T3") + dt.timedelta(hours=1), person=n, part="interviews")
    staying = [(p.number, at) for p in randomized() if (at := interviewed_at(p.number, "T2"))]
    for n, at in spread(staying, NO_MORE_SHARING):
        yield ConsentWithdrawn(at=at + dt.timedelta(hours=2), person=n, part="sharing")


def _death() -> Iterator[Event]:
    """One person of usual care who had been interviewed three times, three weeks before RUNNING."""
    seen = [
        p.number
        for p in randomized()
        if p.arm == "cau" and (at := interviewed_at(p.number, "T3")) and at < RUNNING - dt.timedelta(days=60)
    ]
    dead, reported = seen[len(seen) // 2], at_work(RUNNING - dt.timedelta(days=20))
    yield DeathReported(at=reported, person=dead, day=(reported - dt.timedelta(days=4)).date())
    yield DeathConfirmed(at=reported + dt.timedelta(days=1, hours=2), person=dead)


def _queries() -> Iterator[Event]:
    """Each about one item of a form signed some days before."""
    signed = sorted(
        (at, p.number, visit, instrument)
        for p in randomized()
        for visit, instrument in (("T2", "imrs_client"), ("T2", "bsi"), ("T3", "sers"))
        if (at := interviewed_at(p.number, visit))
    )
    done = [one for one in signed if one[0] < RUNNING - dt.timedelta(days=40)]
    late = [one for one in signed if one[0] > RUNNING + dt.timedelta(days=10)]
    open_ones = [one for one in signed if one[0] < RUNNING - dt.timedelta(days=8)][-QUERIES_OPEN:]
    chosen = [*spread(done, QUERIES_BEFORE), *open_ones, *spread(late, QUERIES_AFTER)]
    for number, (at, n, visit, instrument) in enumerate(chosen, start=1):
        is_open = QUERIES_BEFORE < number <= QUERIES_BEFORE + QUERIES_OPEN
        raised = at_work(RUNNING - dt.timedelta(days=6 - number % 2, hours=1) if is_open else at + dt.timedelta(days=9))
        answered = at_work(RUNNING + dt.timedelta(days=3, hours=number) if is_open else raised + dt.timedelta(days=7))
        yield QueryRaised(
            at=raised, person=n, number=number, visit=visit, instrument=instrument, item=number % 15, words=QUESTION
        )
        yield QueryAnswered(at=answered, person=n, number=number, answer=ANSWER)
        yield QueryClosed(at=at_work(answered + dt.timedelta(days=4)), person=n, number=number)
