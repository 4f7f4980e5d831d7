"""Parts of a page that follow what happens: sent when they changed, silent otherwise, and the same for everybody who sees the same."""

import re
from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.methods.canonical import digest
from analysis.pooled import actions
from analysis.pooled.models import PooledRun
from analysis.runs import actions as runs
from analysis.snapshots.models import Snapshot
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from trial.protocol.queries import version

FOLLOWS = re.compile(r'<div id="live-(\w+)" hx-get="([^"]+)" hx-trigger="every 10s"')


@pytest.fixture
def run(database: psycopg.Connection[Any], settings: Any) -> PooledRun:
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.open_trial()
    content = table(people=12)
    with world.at_work(world.SETUP):
        snapshot = Snapshot(
            made_by="test", protocol_version=version(), content=content, sha256=digest(content), dictionary=[],
            participants=12, rows=36, after_lock=False,
        )  # fmt: skip
        snapshot.save(force_insert=True)
        return actions.start_run(snapshot=snapshot, kind="pooled", by=world.SETUP)


def signed_in(role: str, site: str = "*") -> Client:
    world.make_user(f"a_{role}", role, site)
    client = Client()
    assert client.post("/login/", {"username": f"a_{role}", "password": world.PASSWORD}).status_code == 302
    return client


def asked(client: Client, page: str) -> str:
    """The address under which the page follows its part."""
    found = FOLLOWS.search(client.get(page).content.decode())
    assert found is not None
    return page + found[2].replace("&amp;", "&")


def test_an_open_page_shows_what_changed_and_nothing_else(run: PooledRun) -> None:
    client, interviewer = signed_in("statistician"), signed_in("interviewer", "rotterdam")
    pages = [asked(client, page) for page in ("/analysis/", "/")]
    nothing = asked(interviewer, "/")
    assert [client.get(page).status_code for page in pages] == [204, 204]
    with world.at_work(world.SETUP):
        runs.ask_to_cancel(run=run, by=world.SETUP)
    for page in pages:
        part = client.get(page)
        assert part.status_code == 200
        text = part.content.decode()
        assert "Canceled" in text
        assert "<html" not in text
        again = FOLLOWS.search(text)
        assert again is not None, "it goes on following"
        assert client.get(page.split("?")[0] + again[2].replace("&amp;", "&")).status_code == 204
    assert interviewer.get(nothing).status_code == 204, "who sees no runs is told nothing"
