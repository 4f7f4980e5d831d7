"""The pages of hospital records, through the whole stack of middlewares, on the real logins."""

import datetime as dt
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.records import AFTER_BOTH, T1, T2, look_up_everybody, stay, with_abstractor
from tests.treatment import START, Treatment
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.course.actions import report_death, withdraw
from trial.unblinded.disclosure.models import Reading
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.records import actions
from trial.unblinded.records.models import Admission

AT = "/unblinded/records/"


def signed_in(username: str) -> Client:
    client = Client()
    own = "/login/" if username == "dana" else "/unblinded/login/"
    assert client.post(own, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def typed(first: dt.date, last: dt.date | None, **more: str) -> dict[str, Any]:
    given: dict[str, Any] = {"ward": "open", "source": "file", "left": "discharged" if last else "still_in", **more}
    for name, day in (("admitted_on", first), ("discharged_on", last)):
        if day:
            given |= {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}
    return given


@pytest.fixture
def person(trial: Treatment) -> Allocation:
    one = trial.of_arm("imr")[0]
    with world.at_work(world.SETUP):
        record_contact(participant=one.participant, details=synthetic(one.participant.number), by=world.SETUP)
    return one


def test_from_the_work_list_to_the_sign_off(trial: Treatment, person: Allocation) -> None:
    ada, number = signed_in("ada"), person.participant.number
    home = shown(ada, "/unblinded/")
    assert f"Look up participant {grouped(number)}" in home
    assert "0 windows are looked up, 4 are still open" in home
    mine = f"{AT}{number}/"
    page = shown(ada, mine)
    assert synthetic(number).name in page
    assert "365 days before T1 baseline" in page
    assert "Care as usual" not in page
    assert "IMR and care" not in page
    wrong = ada.post(f"{mine}before/new/", typed(T1 - dt.timedelta(days=9), T1 - dt.timedelta(days=20)))
    assert wrong.status_code == 422
    assert b"lies before the admission" in wrong.content
    assert f'value="{(T1 - dt.timedelta(days=20)).day}"'.encode() in wrong.content
    for given, words in (
        (typed(T1 - dt.timedelta(days=9), None, left="discharged"), b"Give the day of the discharge"),
        (typed(T1 - dt.timedelta(days=9), T1, left="still_in"), b"has no day of discharge"),
        (typed(T1, None), b"No day of this admission"),
    ):
        answer = ada.post(f"{mine}before/new/", given)
        assert answer.status_code == 422
        assert words in answer.content
    for _press in range(2):
        right = typed(T1 - dt.timedelta(days=20), T1 - dt.timedelta(days=11))
        assert ada.post(f"{mine}before/new/", right)["Location"] == mine
    assert "this is all" in shown(ada, f"{mine}before/complete/")
    for _press in range(2):
        assert ada.post(f"{mine}before/complete/")["Location"] == mine
    early = ada.post(f"{mine}after/complete/")
    assert early.status_code == 422
    assert b"Sign it off when that day has passed" in early.content
    page = shown(ada, mine)
    assert "Looked up" in page
    assert "Signed off as looked up" in page  # the action, in the history
    with trial.at_work():
        assert Admission.objects.count() == 1
        assert {row.page for row in Reading.objects.all()} == {"records"}
    csv = ada.get(f"{AT}?format=csv").content.decode()
    assert f"{grouped(number)},Team D1,365 days before T1 baseline,2024-01-07,2025-01-05,Looked up,1,10" in csv
    for no_such in (f"{mine}between/new/", f"{mine}between/complete/", f"{AT}00000000/"):
        assert ada.get(no_such).status_code == 404


def test_corrections_with_a_reason(trial: Treatment, person: Allocation) -> None:
    trial.on(AFTER_BOTH)
    with trial.at_work("ada") as by:
        found = [stay(T2, T2 + dt.timedelta(days=9)), stay(T2 + dt.timedelta(days=30), None)]
        actions.look_up(allocation=person, window="after", admissions=found, by=by)
        one, two = Admission.objects.order_by("admitted_on")
    ada, ursula, mine = signed_in("ada"), signed_in("ursula"), f"{AT}{person.participant.number}/"
    changed = typed(T2, T2 + dt.timedelta(days=4))
    assert ada.post(f"{AT}admission/{one.pk}/correct/", changed).status_code == 422
    assert 'value="2026"' in shown(ada, f"{AT}admission/{one.pk}/correct/")
    assert ada.post(f"{AT}admission/{one.pk}/correct/", {**changed, "reason": "Misread"})["Location"] == mine
    assert (
        b"has corrected this admission"
        in ada.post(f"{AT}admission/{one.pk}/correct/", {**changed, "reason": "Misread"}).content
    )
    assert ursula.post(f"{AT}admission/{two.pk}/remove/", {"reason": ""}).status_code == 422
    assert ursula.post(f"{AT}admission/{two.pk}/remove/", {"reason": "Not this person"})["Location"] == mine
    late = typed(T2 + dt.timedelta(days=60), T2 + dt.timedelta(days=61))
    assert ursula.post(f"{mine}after/new/", late).status_code == 422
    assert ursula.post(f"{mine}after/new/", {**late, "reason": "Found in another file"})["Location"] == mine
    page = shown(ursula, mine)
    assert "Misread" in page
    assert "Not this person" in page
    assert synthetic(person.participant.number).name not in page, "only who needs the file sees the name"
    assert ursula.get(f"{mine}after/complete/").status_code == 403
    assert "Days in hospital</dt><dd>7" in page.replace("\n", "").replace("  ", "")


def test_who_reads_and_who_is_listed(trial: Treatment, person: Allocation) -> None:
    number, mine = person.participant.number, f"{AT}{person.participant.number}/"
    for name in ("mona", "irma"):
        client = signed_in(name)
        assert grouped(number) in shown(client, AT)
        assert "Add an admission" not in shown(client, mine)
        assert client.get(f"{mine}before/new/").status_code == 403
    assert signed_in("thea").get(AT).status_code == 403
    with world.at_work(world.SETUP):
        withdraw(participant=person.participant, part="records", day=START.date(), by=world.SETUP)
    ada = signed_in("ada")
    page = shown(ada, mine)
    assert "No consent" in page
    assert synthetic(number).name not in page
    assert f"Look up participant {grouped(number)}" not in shown(ada, "/unblinded/")
    with trial.at_work("thea") as by:
        report_death(participant=person.participant, by=by)
    assert grouped(number) not in shown(ada, AT)
    assert shown(ada, mine)


def test_the_data_manager_sees_what_the_lock_waits_for(trial: Treatment, person: Allocation) -> None:
    dana = signed_in("dana")
    assert "not all looked up yet" in shown(dana, "/participants/lock/")
    answer = dana.post("/participants/lock/", {"password": world.PASSWORD})
    assert answer.status_code == 422
    assert b"Hospital records have not all been looked up" in answer.content
    look_up_everybody()
    assert "all looked up" in shown(dana, "/participants/lock/")
    assert dana.post("/participants/lock/", {"password": world.PASSWORD}).status_code == 302
    assert "Look up participant" not in shown(signed_in("ada"), "/unblinded/")


def test_the_list_takes_as_many_queries_for_few_people_as_for_many(database: Any) -> None:
    counts = []
    with clock.frozen(START):
        trial = with_abstractor(Treatment(people=2))
        for more in (0, 6):
            trial.randomize(more)
            ada = signed_in("ada")
            with CaptureQueriesContext(connections["unblinded"]) as seen:
                shown(ada, AT)
                shown(ada, "/unblinded/")
            counts.append(len(seen))
    assert counts[0] == counts[1]
