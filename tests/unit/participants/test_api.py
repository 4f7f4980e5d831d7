"""The way in through the API: randomization, lists, filters and pages."""

from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.programs import Program, part
from tests.unit.participants.conftest import Staffed
from tests.unit.participants.many import fill
from trial.participants.models import RandomizationRequest


def ready(staffed: Staffed) -> str:
    with world.at_work(staffed.people["coordinator"]) as by:
        return str(world.ready_to_randomize(by, staffed.here).number)


def test_randomize_is_asked_once_and_followed(staffed: Staffed) -> None:
    number = ready(staffed)
    coordinator = Program(staffed.people["coordinator"])
    state, ask = f"/api/participants/{number}/randomization/", f"/api/participants/{number}/randomize/"
    assert coordinator.get(state).json()["state"] == "not_asked"
    first, again = coordinator.post(ask), coordinator.post(ask)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json() == coordinator.get(state).json()
    assert first.json()["state"] == "waiting"
    with world.at_work(staffed.people["coordinator"]):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    done = coordinator.get(state).json()
    assert done["state"] == "done"
    assert done["randomized_at"]
    late = coordinator.post(ask)
    assert (late.status_code, late.json()) == (200, done)


def test_the_answer_says_the_same_of_either_arm(staffed: Staffed) -> None:
    coordinator = Program(staffed.people["coordinator"])
    seen = set()
    for _person in range(6):
        number = ready(staffed)
        asked = coordinator.post(f"/api/participants/{number}/randomize/").json()
        with world.at_work(staffed.people["coordinator"]):
            request = RandomizationRequest.objects.get(participant__number=number)
        world.randomize(request)
        done = coordinator.get(f"/api/participants/{number}/randomization/").json()
        for answer in (asked, done):
            seen.add((answer["state"], answer["refusal"], answer["message"]))
    assert len(seen) == 2  # waiting, and done


@pytest.mark.parametrize("role", ["monitor", "datamanager"])
def test_others_read_the_state_and_ask_for_nothing(staffed: Staffed, role: str) -> None:
    number = ready(staffed)
    program = Program(staffed.people[role])
    assert program.get(f"/api/participants/{number}/randomization/").status_code == 200
    assert program.post(f"/api/participants/{number}/randomize/").status_code == 403


def test_a_refusal_says_why_and_another_site_finds_nothing(staffed: Staffed) -> None:
    number = staffed.participant.number
    answer = Program(staffed.people["coordinator"]).post(f"/api/participants/{number}/randomize/")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_baseline")
    answer = Program(staffed.people["second"]).post(f"/api/participants/{number}/randomize/", arm="imr")
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["arm"])
    stranger = Program(staffed.people["coordinator2"])
    for one in (number, "00000000"):
        answer = stranger.post(f"/api/participants/{one}/randomize/")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_there")
    assert part(stranger.get("/api/participants/"), "table")["rows"] == []


def test_lists_come_in_pages_with_the_filters_of_the_page(staffed: Staffed, database: psycopg.Connection[Any]) -> None:
    fill(database, staffed, 120)
    monitor = Program(staffed.people["monitor"])
    first = monitor.get("/api/participants/")
    table = part(first, "table")
    assert (table["page"]["pages"], table["page"]["next"], len(table["rows"])) == (3, "?page=2", 50)
    second = part(monitor.get("/api/participants/" + table["page"]["next"]), "table")
    assert second["page"]["number"] == 2
    assert {str(row[0]) for row in second["rows"]}.isdisjoint({str(row[0]) for row in table["rows"]})
    [filters] = [one for one in first.json()["parts"] if one["kind"] == "filters"]
    assert {field["name"] for field in filters["fields"]} == {"team", "state"}
    some = part(monitor.get("/api/participants/?state=randomized"), "table")
    assert 0 < some["page"]["total"] < table["page"]["total"]
    assert monitor.get("/api/participants/?format=csv")["Content-Type"].startswith("text/csv")


def test_links_lead_to_addresses_of_the_api(staffed: Staffed) -> None:
    coordinator = Program(staffed.people["coordinator"])
    row = part(coordinator.get("/api/participants/"), "table")["rows"][0]
    [link] = [cell for cell in row if isinstance(cell, dict) and cell.get("address")]
    assert link == {"text": staffed.participant.number, "address": f"/api/participants/{staffed.participant.number}/"}
    one = coordinator.get(link["address"])
    assert one.json()["title"]
    assert {"label": "Number", "value": staffed.participant.number} in part(one, "facts")["facts"]
    assert next(two for two in one.json()["parts"] if two["kind"] == "history")["changes"]
    entry = coordinator.get(f"/api/participants/screening/{staffed.participant.screening_id}/")
    assert part(entry, "links")["facts"][0]["value"] == link


def asked(client: Client, address: str, alias: str) -> int:
    client.get(address)  # what is read once a process is read now
    with CaptureQueriesContext(connections[alias]) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("role", "addresses"),
    [
        ("coordinator", ("/api/", "/api/participants/", "/api/participants/screening/", "/api/assessments/visits/")),
        ("datamanager", ("/api/participants/readings/", "/api/assessments/completeness/")),
        ("treatment", ("/unblinded/api/", "/unblinded/api/people/")),
    ],
)
def test_programs_ask_as_often_for_a_thousand(
    staffed: Staffed, database: psycopg.Connection[Any], role: str, addresses: tuple[str, ...]
) -> None:
    client = Program(staffed.people[role]).client
    alias = "unblinded" if role == "treatment" else "default"
    fill(database, staffed, 10)
    few = {address: asked(client, address, alias) for address in addresses}
    fill(database, staffed, 1000)
    assert {address: asked(client, address, alias) for address in addresses} == few
