"""Group sessions through the API."""

from typing import Any

import pytest

from tests.programs import Program, part
from tests.treatment import FIRST, Treatment, week
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.sessions.models import Attendance, GroupSession, TherapyGroup

AT = "/unblinded/api/treatment/"


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    group = trial.group()
    for person in trial.of_arm("imr")[:2]:
        trial.place(group, person)
    trial.on(week(2))
    return group


@pytest.fixture
def tim(trial: Treatment) -> Program:
    return Program(trial.people["tim"])


def held(expected: dict[str, Any], **changes: Any) -> dict[str, Any]:
    marks = [{"participant": number, "mark": "attended"} for number in expected["members"]]
    return {
        "day": expected["day"], "modules": [expected["modules"][0]["code"]], "minutes": expected["minutes"],
        "led_by": ["tim", "tara"], "marks": marks, **changes,
    }  # fmt: skip


def test_a_session_is_recorded_once_and_corrected(trial: Treatment, group: TherapyGroup, tim: Program) -> None:
    address = f"{AT}{group.pk}/record/"
    expected = tim.get(f"{address}?day={FIRST}").json()
    assert len(expected["members"]) == 2
    assert {one["username"] for one in expected["therapists"]} == {"tim", "tara"}
    guest = trial.of_arm("cau")[0].participant.number
    body = held(expected)
    body["marks"] += [{"participant": guest, "mark": "attended"}]
    body["marks"][0] |= {"mark": "absent", "reason": "ill"}
    answer = tim.post(address, **body)
    assert answer.status_code == 200, answer.content
    assert answer.json() == tim.post(address, **body).json()  # the same twice is once
    assert {one["participant"]: one["guest"] for one in answer.json()["marks"]}[guest] is True
    assert tim.get(f"{address}?day={FIRST}").json()["on_record"] == answer.json()["key"]
    other = tim.post(address, **{**body, "minutes": 60})
    assert (other.status_code, other.json()["code"]) == (422, "session_exists")
    correct = f"{AT}sessions/{answer.json()['key']}/correct/"
    assert tim.get(correct).json() == answer.json()
    changed = {**body, "minutes": 60, "revision": answer.json()["revision"]}
    assert tim.post(correct, **changed).json()["code"] == "reason_missing"
    done = tim.post(correct, **changed, reason="ended early")
    assert (done.status_code, done.json()["minutes"]) == (200, 60)
    late = tim.post(correct, **{**changed, "minutes": 50}, reason="again")
    assert (late.status_code, late.json()["code"]) == (409, "changed")
    with trial.at_work("tim"):
        assert GroupSession.objects.count() == 1
        assert Attendance.objects.count() == 3


def test_a_session_that_was_not_held(trial: Treatment, group: TherapyGroup, tim: Program) -> None:
    answer = tim.post(f"{AT}{group.pk}/record/", day=FIRST.isoformat(), canceled="holiday")
    assert (answer.status_code, answer.json()["state"], answer.json()["marks"]) == (200, "canceled", [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"marks": [{"participant": "00000000", "mark": "attended"}]}, "participant_unknown"),
        ({"marks": [{"participant": "00000000", "mark": "there"}]}, "invalid"),
        ({"led_by": ["tim2"]}, "not_therapist"),
        ({"modules": []}, "modules"),
        ({"day": "2030-01-01"}, "day_future"),
        ({"comment": "x"}, "invalid"),
    ],
)
def test_what_is_refused_is_rolled_back(
    trial: Treatment, group: TherapyGroup, tim: Program, changes: dict[str, Any], code: str
) -> None:
    address = f"{AT}{group.pk}/record/"
    answer = tim.post(address, **held(tim.get(f"{address}?day={FIRST}").json(), **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    with trial.at_work("tim"):
        assert not GroupSession.objects.exists()


def test_a_group_of_somebody_else_is_not_there(trial: Treatment, group: TherapyGroup) -> None:
    stranger = Program(trial.people["tim2"])
    for address in (f"{AT}{group.pk}/record/", f"{AT}{group.pk}/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{AT}{group.pk}/record/", day=FIRST.isoformat(), canceled="holiday").status_code == 404
    assert Program(trial.people["thea"]).get(f"{AT}{group.pk}/record/").status_code == 403


def test_lists_and_people_are_read_like_their_pages_and_stand_in_the_ledger(
    trial: Treatment, group: TherapyGroup
) -> None:
    thea = Program(trial.people["thea"])
    number = trial.of_arm("imr")[0].participant.number
    listed = part(thea.get(f"{AT}people/"), "table")
    assert number in {row[0]["text"] if isinstance(row[0], dict) else row[0] for row in listed["rows"]}
    one = thea.get(f"{AT}people/{number}/")
    assert {fact["label"] for fact in part(one, "exposure")["facts"]} >= {"Planned", "Attended"}
    assert part(one, "stays_table")["rows"][0][0]["address"] == f"{AT}{group.pk}/"
    assert thea.get("/unblinded/api/people/").status_code == 200
    with trial.at_work("thea"):
        noted = set(LedgerEntry.objects.values_list("what", "subject"))
    assert ("treatment of a participant opened", number) in noted
    assert "treatment list opened" in {what for what, _subject in noted}
