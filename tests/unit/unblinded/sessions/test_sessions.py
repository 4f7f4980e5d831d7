"""Sessions and attendance: one save, twice is once, corrections with reason and history."""

import datetime as dt

import psycopg
import pytest

from tests import world
from tests.treatment import FIRST, HERE, ILL, NOT_ASKED, Treatment, week
from trial.core import clock
from trial.core.errors import Conflict, NotAllowed, Refused
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import actions, queries
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import Attendance, GroupSession, TherapyGroup


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    """A group with two members, on the day of its third session."""
    group = trial.group()
    for person in trial.of_arm("imr")[:2]:
        trial.place(group, person)
    trial.on(week(2))
    return group


@pytest.fixture
def members(trial: Treatment, group: TherapyGroup) -> list[Allocation]:
    return trial.of_arm("imr")[:2]


def marks(trial: Treatment) -> dict[str, tuple[str, str, bool, bool]]:
    with trial.at_work():
        rows = Attendance.objects.values_list("allocation__participant__number", "mark", "reason", "guest", "deviates")
        return {number: tuple(rest) for number, *rest in rows}  # type: ignore[misc]


def correct(
    trial: Treatment, session: GroupSession, given: dict[Allocation, Marked], by: str = "tim", **more: object
) -> GroupSession:
    values = {"day": session.day, "content": trial.content(), "revision": session.revision, "reason": ""}
    with trial.at_work(by) as actor:
        done: GroupSession = actions.correct_session(
            session=session, marks={one.pk: mark for one, mark in given.items()}, by=actor, **{**values, **more}
        )
    return done


def test_one_save_records_everybody_and_twice_is_once(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    given = {members[0]: HERE, members[1]: ILL}
    first = trial.record(group, FIRST, given)
    assert trial.record(group, FIRST, given).pk == first.pk
    one, other = (member.participant.number for member in members)
    assert marks(trial) == {one: ("attended", "", False, False), other: ("absent", "ill", False, False)}
    with pytest.raises(Refused, match="on record already"):
        trial.record(group, FIRST, {members[0]: ILL})


def test_the_own_group_only(trial: Treatment, group: TherapyGroup, members: list[Allocation]) -> None:
    world.make_user("tess", "therapist", trial.site)
    trial.people["tess"] = world.person(world.make_user("tess_too", "therapist", trial.site))
    for stranger in ("tess", "thea", "fay", "irma"):
        with pytest.raises(NotAllowed, match="Only a trainer"):
            trial.record(group, FIRST, {members[0]: HERE}, by=stranger)
    assert trial.record(group, FIRST, {members[0]: HERE}, by="ursula").pk


def test_attendance_of_anybody_can_be_recorded(trial: Treatment, group: TherapyGroup) -> None:
    usual = trial.of_arm("cau")[0]
    third = trial.of_arm("imr")[2]
    trial.record(group, FIRST, {usual: HERE, third: HERE})
    assert marks(trial) == {
        usual.participant.number: ("attended", "", True, True),
        third.participant.number: ("attended", "", True, False),
    }


@pytest.mark.parametrize(
    ("day", "code"),
    [(FIRST - dt.timedelta(days=1), "outside_group"), (week(2) + dt.timedelta(days=1), "day_future")],
)
def test_a_session_lies_in_the_group_s_time_and_not_ahead(
    trial: Treatment, group: TherapyGroup, day: dt.date, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        trial.record(group, day, {})
    assert refused.value.code == code


def test_what_a_session_was(trial: Treatment, group: TherapyGroup) -> None:
    tim, stranger = trial.users["tim"].pk, trial.users["tim2"].pk
    wrong = {
        "modules": [Content((), 90, (tim,)), Content(("m99",), 90, (tim,)), Content(("m01", "m01"), 90, (tim,))],
        "minutes": [Content(("m01",), None, (tim,)), Content(("m01",), 0, (tim,))],
        "leaders": [Content(("m01",), 90), Content(("m01",), 90, (tim, tim))],
        "not_therapist": [Content(("m01",), 90, (stranger,))],
        "reason_unknown": [Content(canceled="rain")],
        "canceled": [Content(("m01",), canceled="holiday")],
    }
    for code, contents in wrong.items():
        for content in contents:
            with pytest.raises(Refused) as refused:
                trial.record(group, FIRST, {}, content=content)
            assert refused.value.code == code


@pytest.mark.parametrize("mark", [Marked("absent"), Marked("attended", "ill"), Marked("not_offered", "ill")])
def test_absence_has_a_reason_and_nothing_else_has(
    trial: Treatment, group: TherapyGroup, members: list[Allocation], mark: Marked
) -> None:
    with pytest.raises(Refused, match="Absence has a reason"):
        trial.record(group, FIRST, {members[0]: mark})


def test_open_marks_are_asked_for_and_added_without_a_reason(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    session = trial.record(group, FIRST, {members[0]: HERE})
    with trial.at_work():
        assert [(gap.session.pk, gap.missing) for gap in queries.gaps([group.pk])] == [(session.pk, 1)]
    assert correct(trial, session, {members[1]: ILL}).revision == 2
    with trial.at_work():
        assert queries.gaps([group.pk]) == []


def test_a_correction_needs_a_reason_and_keeps_what_stood_there(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    session = trial.record(group, FIRST, {members[0]: HERE, members[1]: HERE})
    with pytest.raises(Refused, match="Say why"):
        correct(trial, session, {members[0]: ILL})
    done = correct(trial, session, {members[0]: ILL}, reason="Mixed up two people")
    assert marks(trial)[members[0].participant.number][:2] == ("absent", "ill")
    with trial.at_work():
        row = UnblindedHistory.objects.get(table_name="unblinded_attendance", operation="UPDATE")
    assert (row.old, row.new, row.reason) == (
        {"mark": "attended", "reason": ""},
        {"mark": "absent", "reason": "ill"},
        "Mixed up two people",
    )
    assert row.actor == trial.people["tim"].actor_id
    # the same again changes nothing, whatever the revision
    assert correct(trial, session, {members[0]: ILL}).revision == done.revision


def test_a_page_that_is_out_of_date_overwrites_nothing(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    session = trial.record(group, FIRST, {members[0]: HERE})
    correct(trial, session, {members[1]: HERE}, by="tara")
    with pytest.raises(Conflict, match="Somebody else has changed"):
        correct(trial, session, {members[1]: ILL}, reason="He was ill")
    assert marks(trial)[members[1].participant.number][0] == "attended"


def test_a_session_that_was_not_held_after_all(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    session = trial.record(group, FIRST, {members[0]: HERE, members[1]: ILL})
    session = correct(trial, session, {}, content=Content(canceled="mistake"), reason="Another group")
    assert session.state == "canceled"
    assert {mark[0] for mark in marks(trial).values()} == {"not_offered"}
    session = correct(trial, session, {members[0]: HERE, members[1]: NOT_ASKED}, reason="It was this group")
    assert session.state == "held"
    assert marks(trial)[members[0].participant.number][0] == "attended"


def test_a_wrong_date_is_corrected_while_the_same_people_belonged_to_the_group(
    trial: Treatment, group: TherapyGroup, members: list[Allocation]
) -> None:
    session = trial.record(group, week(1), {members[0]: HERE})
    session = correct(trial, session, {}, day=week(2), reason="Wrong week")
    assert session.day == week(2)
    trial.on(week(4))
    late = trial.of_arm("imr")[2]
    trial.place(group, late, week(4))
    session = correct(trial, session, {late: HERE}, reason="")
    with pytest.raises(Refused, match="other people belonged"):
        correct(trial, session, {}, day=week(4), reason="Wrong month")


def test_a_whole_session_is_one_insert(trial: Treatment, group: TherapyGroup, members: list[Allocation]) -> None:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connections["unblinded"]) as asked:
        trial.record(group, FIRST, {members[0]: HERE, members[1]: HERE, trial.of_arm("cau")[0]: HERE})
    assert sum('INSERT INTO "unblinded_attendance"' in query["sql"] for query in asked) == 1


def test_when_the_next_session_is_due(trial: Treatment, group: TherapyGroup) -> None:
    assert queries.next_day(group, None, trial.plan) == FIRST
    assert queries.next_day(group, week(1), trial.plan) == week(2)
    assert clock.today() == week(2)


def test_history_is_of_this_side_alone(
    trial: Treatment, group: TherapyGroup, database: psycopg.Connection[object]
) -> None:
    trial.record(group, FIRST, {})
    found = database.execute("select count(*) from core_history where table_name like 'unblinded%'").fetchone()
    assert found == (0,)
