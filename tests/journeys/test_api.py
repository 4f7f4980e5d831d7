"""A program against the live server, with nothing but the standard library: baseline entered and signed, then randomized."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg

from assessments.visits.actions import assign_interviewer
from tests import world
from tests.programs import token_of
from trial.core import clock
from trial.participants.models import RandomizationRequest
from trial.protocol.models import Team

NAMES = {"carla": "coordinator", "ines": "interviewer", "rob": "rater"}


class Script:
    """What a programmer at a trial team writes."""

    def __init__(self, live: str, token: str) -> None:
        self.live, self.token = live, token

    def ask(self, address: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Status and JSON of an answer; a body makes it a POST."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            with urlopen(Request(f"{self.live}{address}", data, headers), timeout=60) as answer:  # noqa: S310 - our own server
                return answer.status, json.loads(answer.read())
        except HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def fill_in(self, address: str) -> int:
        """Answer every item of a form, confirm what is odd; returns the revision."""
        _status, form = self.ask(address)
        answers = {item["code"]: _answer(item) for item in form["items"]}
        status, saved = self.ask(address, {"answers": answers, "revision": form["revision"]})
        assert status == 200, saved
        assert saved["open"] == []
        assert {check["strength"] for check in saved["checks"]} <= {"soft"}, saved["checks"]
        if saved["checks"]:
            status, saved = self.ask(f"{address}check/", {"checks": [check["code"] for check in saved["checks"]]})
            assert (status, saved["checks"]) == (200, [])
        return int(saved["revision"])

    def complete(self, visit: str, username: str) -> int:
        """Fill in and sign every form of a visit that is this person's; returns how many."""
        _status, ready = self.ask(f"{visit}sign/")
        revisions = {one["instrument"]: self.fill_in(f"{visit}forms/{one['instrument']}/") for one in ready["forms"]}
        today = clock.today().isoformat()
        proof = {"username": username, "password": world.PASSWORD}
        status, signed = self.ask(f"{visit}sign/", {"forms": revisions, "held_on": today, **proof})
        assert status == 200, signed
        return len(signed["signed"])


def _answer(item: dict[str, Any]) -> str:
    if item["levels"]:
        return str(item["levels"][0]["value"])
    if item["kind"] == "date":
        return "2000-01-01"
    return "words" if item["kind"] == "text" else str(item["min"])


def test_a_program_enters_signs_and_randomizes(live: str, database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
    users = {name: world.make_user(name, role, team.site_id) for name, role in NAMES.items()}
    people = {name: world.person(user) for name, user in users.items()}
    with world.at_work(people["carla"]) as by:
        participant = world.register(by, team)
        assign_interviewer(participant=participant, interviewer=users["ines"], by=by)
    programs = {name: Script(live, token_of(person)) for name, person in people.items()}
    here = f"/api/participants/{participant.number}/"
    visit = f"/api/assessments/{participant.number}/visits/T1/"

    status, refused = programs["carla"].ask(f"{here}randomize/", {})
    assert (status, refused["code"]) == (422, "no_baseline")
    assert Script(live, "wrong").ask(here)[0] == 401

    assert programs["ines"].complete(visit, "ines") > 5
    assert programs["rob"].complete(visit, "rob") > 0
    assert programs["ines"].ask(f"{visit}forms/asi/")[1]["state"] == "signed"

    status, asked = programs["carla"].ask(f"{here}randomize/", {})
    assert (status, asked["state"]) == (202, "waiting")
    with world.at_work(people["carla"]):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    status, done = programs["carla"].ask(f"{here}randomization/")
    assert (status, done["state"]) == (200, "done")
    assert done["participant"] == participant.number
