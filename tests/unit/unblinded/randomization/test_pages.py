"""The pages around the allocation, through the whole stack."""

from typing import Any

import psycopg
from django.test import Client

from tests import world
from trial.protocol.actions import load_version
from trial.protocol.changes import Used

AT = "/unblinded/allocations/"


def signed_in(username: str, at: str = "/unblinded/login/") -> Client:
    client = Client()
    answer = client.post(at, {"username": username, "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_two_people_contribute_and_everybody_sees_the_commitment(database: psycopg.Connection[Any]) -> None:
    for name, role in (("irma", "independent"), ("ursula", "datamanager_unblinded"), ("dana", "datamanager")):
        world.make_user(name, role)
    with world.at_work(world.SETUP):
        load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
    nobody = Client()
    assert "before the first participant" in shown(nobody, "/commitment/")
    irma, ursula = signed_in("irma"), signed_in("ursula")
    assert "Sealing and commitments" in shown(irma, AT)
    assert "Contribute to the seed" in shown(irma, f"{AT}sealing/")
    wrong = irma.post(f"{AT}sealing/contribute/", {"password": "no"})
    assert wrong.status_code == 422
    for client in (irma, ursula):
        assert client.post(f"{AT}sealing/contribute/", {"password": world.PASSWORD})["Location"] == f"{AT}sealing/"
    again = irma.post(f"{AT}sealing/contribute/", {"password": world.PASSWORD})
    assert again.status_code == 422
    assert b"already" in again.content
    receipts = [row[0] for row in database.execute("select receipt from dropbox_seed_share")]
    for client in (irma, ursula):
        page = shown(client, f"{AT}sealing/")
        assert all(receipt in page for receipt in receipts)
        assert "Irma" in page
        assert "Ursula" in page
    sealed = world.seal(world.blocks(5))
    for client, address in (
        (nobody, "/commitment/"),
        (signed_in("dana", "/login/"), "/commitment/"),
        (irma, f"{AT}sealing/"),
    ):
        assert sealed.commitment in shown(client, address)
    assert sealed.salt not in shown(irma, f"{AT}sealing/")
