"""The coordinator's pages, through the whole stack of middlewares, on the real logins."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from tests import world
from trial.core import clock
from trial.core.ui.tables import grouped
from trial.participants.models import Participant, RandomizationRequest, ScreeningEntry
from trial.protocol.models import Team
from trial.protocol.queries import current


@pytest.fixture
def trial(database: psycopg.Connection[Any]) -> dict[str, Any]:
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
    return {"team": team, "coordinator": world.make_user("coordinator", "coordinator", team.site_id)}


def signed_in(username: str, *, unblinded: bool = False) -> Client:
    client = Client()
    address = "/unblinded/login/" if unblinded else "/login/"
    answer = client.post(address, {"username": username, "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def test_the_way_in_on_paper_and_screen(trial: dict[str, Any]) -> None:
    client = signed_in("coordinator")
    assert b"Database locked" not in client.get("/").content
    assert (
        b'href="/participants/screening/"' in client.get("/participants/screening/new/").content.split(b"<main")[1]
    ), "cancel"
    answer = client.post("/participants/screening/new/", {"team": "", "month": "", "age_band": "30-39"})
    assert answer.status_code == 422
    assert b"Error:" in answer.content
    month = clock.today().replace(day=1).isoformat()
    answer = client.post(
        "/participants/screening/new/",
        {"team": trial["team"].code, "month": month, "age_band": "30-39", "sex": "female"},
    )
    assert answer.status_code == 302, answer.content.decode()
    entry_page = answer["Location"]
    assert client.get(entry_page).status_code == 200
    with world.at_work(world.SETUP):
        protocol = current()
    today = clock.today()
    data = {"step": "consent", "signed_on_day": today.day, "signed_on_month": today.month, "signed_on_year": today.year}
    data |= {f"part_{code}": "yes" for code in protocol.consent_version.parts}
    assert client.post(entry_page, data).status_code == 302
    answers = {f"criterion_{c.code}": "yes" if c.kind == "inclusion" else "no" for c in protocol.criteria}
    assert client.post(entry_page, {"step": "eligibility", **answers}).status_code == 302
    page = client.get(entry_page)
    assert b"Register participant" in page.content
    answer = client.post(entry_page + "register/")
    number = answer["Location"].strip("/").split("/")[-1]
    assert client.post(entry_page + "register/")["Location"] == answer["Location"]
    assert client.get(answer["Location"]).status_code == 200
    with world.at_work(world.SETUP):
        from trial.participants.actions import record_baseline

        record_baseline(participant=Participant.objects.get(number=number), by=world.SETUP)
    assert b"Randomize participant" in client.get(f"/participants/{number}/").content
    assert client.get(f"/participants/{number}/randomize/").status_code == 200
    assert client.post(f"/participants/{number}/randomize/").status_code == 302
    assert b"Randomization was asked for" in client.get(f"/participants/{number}/").content
    with world.at_work(world.SETUP):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    page = client.get(f"/participants/{number}/")
    assert b"has been told" in page.content
    assert client.get("/participants/").status_code == 200
    assert client.get("/participants/?format=csv")["Content-Type"].startswith("text/csv")
    assert client.get("/participants/screening/").status_code == 200


def test_an_entry_can_be_closed_and_screened_again(trial: dict[str, Any]) -> None:
    client = signed_in("coordinator")
    coordinator = world.person(trial["coordinator"])
    with world.at_work(coordinator):
        from trial.participants.actions import open_screening

        entry = open_screening(team=trial["team"], month=clock.today(), age_band="40-49", sex="male", by=coordinator)
        reason = current().reasons.decline[0].code
    answer = client.post(f"/participants/screening/{entry.pk}/", {"step": "close", "reason": f"declined:{reason}"})
    assert answer.status_code == 302
    assert b"Screen again" in client.get(f"/participants/screening/{entry.pk}/").content
    month = clock.today().replace(day=1).isoformat()
    answer = client.post(
        f"/participants/screening/new/?previous={entry.pk}",
        {"team": trial["team"].code, "month": month, "age_band": "40-49", "sex": "male"},
    )
    with world.at_work(world.SETUP):
        again = ScreeningEntry.objects.exclude(pk=entry.pk).get()
    assert again.previous_id == entry.pk


def test_lock_request_confirmation(trial: dict[str, Any]) -> None:
    world.make_user("datamanager", "datamanager")
    world.make_user("sponsor", "sponsor")
    world.make_user("independent", "independent")
    manager, sponsor, independent = (
        signed_in("datamanager"),
        signed_in("sponsor"),
        signed_in("independent", unblinded=True),
    )
    assert b"follows the database lock" in sponsor.get("/participants/unblinding/").content
    assert manager.post("/participants/lock/", {"password": "wrong"}).status_code == 422
    assert manager.post("/participants/lock/", {"password": world.PASSWORD}).status_code == 302
    assert b"Done and signed" in manager.get("/participants/lock/").content
    assert b"Ask for planned unblinding" in sponsor.get("/").content
    assert sponsor.post("/participants/unblinding/", {"password": world.PASSWORD}).status_code == 302
    assert b"Confirm planned unblinding" in independent.get("/unblinded/").content
    assert independent.post("/unblinded/disclosure/", {"password": world.PASSWORD}).status_code == 302
    assert b"Confirmation of planned unblinding" in independent.get("/unblinded/disclosure/").content
    assert b"Request for planned unblinding" in sponsor.get("/participants/unblinding/").content
    assert b"Planned unblinding confirmed" in independent.get("/unblinded/disclosure/ledger/").content
    assert independent.get("/unblinded/disclosure/reports/").status_code == 200


def test_the_treatment_coordinator_sees_own_allocations(trial: dict[str, Any]) -> None:
    coordinator = world.person(trial["coordinator"])
    with world.at_work(coordinator):
        participant = world.ready_to_randomize(coordinator, trial["team"])
        from trial.participants.actions import request_randomization

        request = request_randomization(participant=participant, by=coordinator)
    world.randomize(request)
    world.make_user("treatment", "treatment", trial["team"].site_id)
    with world.at_work(world.SETUP):
        elsewhere = Team.objects.exclude(site=trial["team"].site_id).first()
        assert elsewhere is not None
    world.make_user("treatment2", "treatment", elsewhere.site_id)
    shown = grouped(participant.number).encode()
    assert shown in signed_in("treatment", unblinded=True).get("/unblinded/allocations/").content
    assert shown not in signed_in("treatment2", unblinded=True).get("/unblinded/allocations/").content
    assert signed_in("coordinator").get("/unblinded/allocations/").status_code == 403
