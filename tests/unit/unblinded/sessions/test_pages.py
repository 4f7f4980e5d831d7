"""The pages of the treatment side, through the whole stack of middlewares, on the real logins."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.treatment import FIRST, HERE, ILL, Treatment, week
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.sessions import actions
from trial.unblinded.sessions.models import (
    Attendance,
    FidelityConsensus,
    GroupSession,
    Member,
    TherapyGroup,
    Told,
    TreatmentWithdrawal,
)

AT = "/unblinded/treatment/"


def signed_in(username: str) -> Client:
    client = Client()
    answer = client.post("/unblinded/login/", {"username": username, "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def day(name: str, value: dt.date) -> dict[str, int]:
    return {f"{name}_day": value.day, f"{name}_month": value.month, f"{name}_year": value.year}


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    group = trial.group()
    for person in trial.of_arm("imr")[:2]:
        trial.place(group, person)
    trial.on(week(2))
    return group


def test_the_treatment_coordinator_tells_places_and_closes(trial: Treatment) -> None:
    thea = signed_in("thea")
    person = trial.of_arm("imr")[0]
    number = person.participant.number
    mine = f"{AT}people/{number}/"
    assert f"Tell participant {grouped(number)}" in shown(thea, "/unblinded/")
    assert "IMR" in shown(thea, f"{mine}told/")
    assert thea.post(f"{mine}told/", day("told_on", dt.date(2025, 1, 1))).status_code == 422
    assert thea.post(f"{mine}told/", day("told_on", clock.today()))["Location"] == mine
    home = shown(thea, "/unblinded/")
    assert f"Place participant {grouped(number)} in a group" in home
    assert f"Tell participant {grouped(number)}" not in home
    assert "no open group" in shown(thea, f"{mine}place/")
    given = {
        "code": "R1 A",
        "name": "Tuesday",
        "trainer_1": str(trial.trainers[0]),
        "trainer_2": str(trial.trainers[1]),
    }
    wrong = thea.post(f"{AT}new/", {**given, **day("opened_on", FIRST)})
    assert wrong.status_code == 422
    assert b"hyphens only" in wrong.content
    assert b'value="R1 A"' in wrong.content
    at = thea.post(f"{AT}new/", {**given, "code": "R1-A", **day("opened_on", FIRST)})["Location"]
    assert "Start group R1-A" in shown(thea, "/unblinded/")
    key = at.strip("/").split("/")[-1]
    assert "0 of 8 members" in shown(thea, f"{mine}place/")
    assert thea.post(f"{mine}place/", {"group": key, **day("entered_on", FIRST)})["Location"] == at
    page = shown(thea, at)
    assert grouped(number) in page
    assert "Change the group" in page
    trial.on(week(1))
    thea, member = signed_in("thea"), _only_member(trial)
    assert (
        thea.post(
            f"{AT}stays/{member.pk}/", {**day("entered_on", FIRST), **day("left_on", FIRST), "reason": ""}
        ).status_code
        == 422
    )
    changed = {**day("entered_on", FIRST), **day("left_on", FIRST), "reason": "Moved"}
    assert thea.post(f"{AT}stays/{member.pk}/", changed)["Location"] == mine
    assert "Moved" in shown(thea, mine)
    assert thea.post(f"{at}close/", day("closed_on", week(1))).status_code == 302
    assert "Closed" in shown(thea, f"{AT}")
    assert thea.get(f"{AT}?format=csv")["Content-Type"].startswith("text/csv")
    with trial.at_work():
        assert Told.objects.count() == 1
        assert LedgerEntry.objects.filter(what="treatment of a participant opened", subject=number).exists()


def _only_member(trial: Treatment) -> Member:
    with trial.at_work():
        return Member.objects.get()


def test_withdrawal_and_deviation(trial: Treatment, group: TherapyGroup) -> None:
    thea = signed_in("thea")
    person, usual = trial.of_arm("imr")[0], trial.of_arm("cau")[0]
    mine = f"{AT}people/{person.participant.number}/"
    assert "Interviews and records go on" in shown(thea, f"{mine}withdraw/")
    assert thea.post(f"{mine}withdraw/", day("day", week(1))).status_code == 422
    for _press in range(2):
        assert thea.post(f"{mine}withdraw/", {"reason": "burden", **day("day", week(1))}).status_code == 302
    page = shown(thea, mine)
    assert "Too much of a burden" in page
    assert "Place in a group" not in page
    other = f"{AT}people/{usual.participant.number}/"
    assert "all the same" in shown(thea, other)
    assert "kept as a deviation" in shown(thea, f"{other}place/")
    assert thea.post(f"{other}place/", {"group": str(group.pk), **day("entered_on", week(2))}).status_code == 302
    assert "Deviation" in shown(thea, other)
    assert "Deviation" in shown(thea, f"{AT}people/")
    with trial.at_work():
        assert TreatmentWithdrawal.objects.count() == 1
    ursula = signed_in("ursula")
    assert f"Deviation: participant {grouped(usual.participant.number)}" in shown(ursula, "/unblinded/")


def test_a_group_that_is_too_large_warns_and_takes_everybody(trial: Treatment, group: TherapyGroup) -> None:
    from dataclasses import replace

    from trial.protocol.actions import load_version
    from trial.protocol.changes import Used

    small = replace(trial.protocol, sessions=replace(trial.plan, max_group_size=2))
    with world.at_work(world.SETUP):
        load_version(protocol=small, used=Used(), by=world.SETUP)
    thea = signed_in("thea")
    third = trial.of_arm("imr")[2].participant.number
    assert "2 of 2 members: full" in shown(thea, f"{AT}people/{third}/place/")
    answer = thea.post(
        f"{AT}people/{third}/place/", {"group": str(group.pk), **day("entered_on", week(2))}, follow=True
    )
    assert "3 members now; the protocol says at most 2" in answer.content.decode()


def session_data(trial: Treatment, on: dt.date, **marks: str) -> dict[str, Any]:
    tim, tara = trial.trainers
    return {
        **day("day", on),
        "module_1": "m01",
        "minutes": "90",
        "leader_1": str(tim),
        "leader_2": str(tara),
        "guests": "",
        **marks,
    }


def test_the_therapist_records_a_session_in_one_save(trial: Treatment, group: TherapyGroup) -> None:
    tim = signed_in("tim")
    one, two, three = trial.of_arm("imr")
    home = shown(tim, "/unblinded/")
    assert "Session of group R1-A" in home
    at = f"{AT}{group.pk}/record/?day={FIRST.isoformat()}"
    page = shown(tim, at)
    assert grouped(one.participant.number) in page
    assert "Led by" in page
    data = session_data(trial, FIRST, **{f"mark_{one.pk}": "1"})
    wrong = tim.post(at, {**data, "minutes": "long"})
    assert wrong.status_code == 422
    assert re.search(rf'name="mark_{one.pk}" value="1"[^>]* checked', wrong.content.decode())
    unknown = tim.post(at, {**data, "guests": "12345678"})
    assert unknown.status_code == 422
    assert b"no randomized participant of this site" in unknown.content
    guest = {**data, "guests": f"{grouped(three.participant.number)}, {trial.of_arm('cau')[0].participant.number}"}
    first = tim.post(at, guest)
    assert first.status_code == 302, first.content.decode()
    assert tim.post(at, guest)["Location"] == first["Location"]
    page = shown(tim, first["Location"])
    assert "Not recorded" in page
    assert "guest" in page
    assert "deviation" not in page  # whose arm is whose is not the therapist's to see
    assert "deviation" in shown(signed_in("ursula"), first["Location"])
    assert "Record attendance of group R1-A" in shown(tim, "/unblinded/")
    again = first["Location"] + "correct/"
    assert "revision" in shown(tim, again)
    guests = {f"mark_{key}": "1" for key in _guest_keys(trial)}
    full = session_data(trial, FIRST, **{f"mark_{one.pk}": "1", f"mark_{two.pk}": "2"}, **guests)
    assert tim.post(again, {**full, "revision": "1", "reason": ""}).status_code == 302
    late = tim.post(again, {**full, f"mark_{two.pk}": "3", "revision": "1", "reason": "Was somewhere else"})
    assert late.status_code == 422
    assert b"Somebody else has changed" in late.content
    assert b'value="2"' in late.content  # the revision to save upon
    silent = tim.post(again, {**full, f"mark_{two.pk}": "3", "revision": "2", "reason": ""})
    assert b"Say why" in silent.content
    assert (
        tim.post(again, {**full, f"mark_{two.pk}": "3", "revision": "2", "reason": "Was somewhere else"}).status_code
        == 302
    )
    page = shown(tim, first["Location"])
    assert "Was somewhere else" in page
    assert "Absent: had to be elsewhere" in page
    with trial.at_work():
        assert Attendance.objects.count() == 4


def test_nobody_becomes_a_guest_by_another_date(trial: Treatment, group: TherapyGroup) -> None:
    late = trial.of_arm("imr")[2]
    trial.place(group, late, week(2))
    tim = signed_in("tim")
    at = f"{AT}{group.pk}/record/"
    page = shown(tim, f"{at}?day={week(2).isoformat()}")
    assert f'name="listed" value="{week(2).isoformat()}"' in page
    marks = {f"mark_{person.pk}": "1" for person in trial.of_arm("imr")}
    answer = tim.post(at, {**session_data(trial, week(1), **marks), "listed": week(2).isoformat()})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "other people belonged to the group" in text
    assert f'name="listed" value="{week(1).isoformat()}"' in text
    assert f"mark_{late.pk}" not in text
    assert tim.post(at, {**session_data(trial, week(1), **marks), "listed": week(1).isoformat()}).status_code == 302
    with trial.at_work():
        assert set(Attendance.objects.values_list("mark", "guest")) == {("attended", False)}
        assert Attendance.objects.count() == 2


def _guest_keys(trial: Treatment) -> list[Any]:
    with trial.at_work():
        return list(Attendance.objects.filter(guest=True).values_list("allocation_id", flat=True))


def test_no_session_this_week(trial: Treatment, group: TherapyGroup) -> None:
    tim = signed_in("tim")
    at = f"{AT}{group.pk}/canceled/"
    assert tim.post(at, day("day", FIRST)).status_code == 422
    assert tim.post(at, {"canceled": "holiday", **day("day", FIRST)}).status_code == 302
    page = shown(tim, f"{AT}{group.pk}/")
    assert "Holiday" in page
    with trial.at_work():
        session = GroupSession.objects.get()
    assert "It was held after all" in shown(tim, f"{AT}sessions/{session.pk}/")
    data = {**session_data(trial, FIRST), "revision": "1", "reason": "It was held"}
    assert tim.post(f"{AT}sessions/{session.pk}/correct/", data).status_code == 302
    data = {"canceled": "mistake", "reason": "It was not"}
    assert tim.post(f"{AT}sessions/{session.pk}/cancel/", data).status_code == 302
    assert "Recorded by mistake" in shown(tim, f"{AT}sessions/{session.pk}/")


def test_a_therapist_sees_own_groups_only_and_no_arm(trial: Treatment, group: TherapyGroup) -> None:
    other = world.make_user("tess", "therapist", trial.site)
    session = trial.record(group, FIRST, {trial.of_arm("imr")[0]: HERE})
    tim, tess = signed_in("tim"), signed_in(other.username)
    pages = [
        f"{AT}{group.pk}/",
        f"{AT}{group.pk}/record/",
        f"{AT}sessions/{session.pk}/",
        f"{AT}sessions/{session.pk}/correct/",
    ]
    nowhere = "/unblinded/treatment/00000000-0000-0000-0000-000000000001/"
    for address in pages:
        assert tim.get(address).status_code == 200
        for method in (tess.get, tess.post):
            assert method(address).status_code == 404
    assert tess.get(nowhere).status_code == 404
    for name in ("IMR +", "CAU", "Usual care"):
        assert name not in shown(tim, pages[0])
    for forbidden in (
        f"{AT}people/",
        f"{AT}new/",
        f"{AT}{group.pk}/close/",
        "/unblinded/fidelity/",
        "/unblinded/allocations/",
    ):
        assert tim.get(forbidden).status_code == 403
    assert group.code not in shown(tess, AT)


def test_the_other_site_answers_as_if_there_were_nothing(trial: Treatment, group: TherapyGroup) -> None:
    number = trial.of_arm("imr")[0].participant.number
    session = trial.record(group, FIRST, {})
    with trial.at_work():
        member = Member.objects.first()
    assert member is not None
    stranger, own = signed_in("thea2"), signed_in("thea")
    for address in (f"{group.pk}/", f"{group.pk}/close/", f"{group.pk}/change/", f"sessions/{session.pk}/", f"stays/{member.pk}/",
                    f"people/{number}/", f"people/{number}/told/", f"people/{number}/place/", f"people/{number}/withdraw/"):  # fmt: skip
        assert own.get(AT + address).status_code == 200, address
        assert stranger.get(AT + address).status_code == 404, address
        assert stranger.post(AT + address).status_code in (404, 405), address
    assert grouped(number) not in shown(stranger, f"{AT}people/")
    assert group.code not in shown(stranger, AT)


def test_two_raters_and_their_consensus(trial: Treatment, group: TherapyGroup) -> None:
    fay, finn, ursula = signed_in("fay"), signed_in("finn"), signed_in("ursula")
    at = f"/unblinded/fidelity/{group.pk}/imr_fidelity/"
    assert group.code in shown(fay, "/unblinded/fidelity/")
    ones = {f"item_fid{n:02d}": "4" for n in range(1, 14)} | day("visited_on", week(1))
    others = {**ones, "item_fid03": "2"}
    draft = {key: value for key, value in ones.items() if key != "item_fid13"}
    assert fay.post(f"{at}rate/", draft)["Location"] == at
    assert "Finish the rating" in shown(fay, at)
    assert fay.post(f"{at}rate/", ones)["Location"] == f"{at}sign/"
    assert fay.post(f"{at}sign/", {"password": "guess"}).status_code == 422
    assert fay.post(f"{at}sign/", {"password": world.PASSWORD}).status_code == 302
    assert finn.get(f"{at}sign/").status_code == 404
    assert "Items" not in re.findall(r"<caption>(.*?)</caption>", shown(finn, at))
    assert "Items" not in re.findall(r"<caption>(.*?)</caption>", shown(ursula, at))
    assert "waits for the other rating" in shown(fay, "/unblinded/")
    assert fay.get(f"{at}consensus/").status_code == 404
    assert finn.post(f"{at}rate/", others).status_code == 302
    assert finn.post(f"{at}sign/", {"password": world.PASSWORD}).status_code == 302
    assert "Agree on group R1-A" in shown(fay, "/unblinded/")
    page = shown(fay, f"{at}consensus/")
    assert "12 of 13 items" in page
    assert "Fay: 4, Finn: 2" in page
    assert fay.post(f"{at}consensus/", {"password": world.PASSWORD}).status_code == 422
    assert fay.post(f"{at}consensus/", {"item_fid03": "3", "password": world.PASSWORD}).status_code == 302
    page = shown(ursula, at)
    assert "3.92" in page
    assert "Moderate" in page
    assert "3.92" in shown(signed_in("irma"), "/unblinded/")
    with trial.at_work():
        assert FidelityConsensus.objects.get().band == "moderate"


def test_the_data_manager_finds_what_is_missing(trial: Treatment, group: TherapyGroup) -> None:
    one, two, _three = trial.of_arm("imr")
    trial.record(group, FIRST, {one: HERE})
    ursula = signed_in("ursula")
    page = shown(ursula, "/unblinded/")
    assert "Attendance of group R1-A is missing" in page
    assert "1 of 1 sessions that were offered were attended" in page
    with trial.at_work("ursula") as by:
        session = GroupSession.objects.get()
        actions.correct_session(
            session=session, day=FIRST, content=trial.content(), marks={two.pk: ILL}, revision=1, by=by
        )
    assert "is missing" not in shown(ursula, "/unblinded/")


@pytest.mark.parametrize("address", ["", "people/", "GROUP/"])
def test_lists_ask_the_database_the_same_however_long_they_are(
    trial: Treatment, group: TherapyGroup, address: str
) -> None:
    thea = signed_in("thea")
    where = AT + address.replace("GROUP", str(group.pk))

    def queries() -> int:
        with CaptureQueriesContext(connections["unblinded"]) as asked:
            assert thea.get(where).status_code == 200
        return len(asked)

    few = queries()
    trial.record(group, FIRST, {trial.of_arm("imr")[0]: HERE})
    trial.record(group, week(1), {trial.of_arm("imr")[1]: HERE})
    for n in range(4):
        trial.group(f"X{n}")
    trial.place(group, trial.of_arm("imr")[2], week(2))
    for person in trial.of_arm("cau"):
        trial.place(group, person, week(2))
    assert queries() <= few + 2
