"""Versions in the database: one at a time, append-only, and the command that loads them."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.world import SETUP, at_work, make_user, open_trial, person, register
from trial.core import db, side
from trial.core.errors import Refused
from trial.protocol import queries
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.models import ProtocolVersion, Site, Team

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"
pytestmark = pytest.mark.usefixtures("database")


def put(protocol: Protocol, used: Used | None = None) -> ProtocolVersion:
    with at_work(SETUP):
        version: ProtocolVersion = load_version(protocol=protocol, used=used or Used(), by=SETUP)
    return version


def test_loading_twice_is_once() -> None:
    imr = load(SHIPPED / "imr")
    assert put(imr).pk == put(imr).pk
    with at_work(SETUP):
        assert ProtocolVersion.objects.count() == 1
        assert queries.current() == imr
        assert (Site.objects.count(), Team.objects.count()) == (2, 14)


def test_a_change_is_a_new_version_and_sites_that_go_become_inactive() -> None:
    imr = load(SHIPPED / "imr")
    put(imr)
    smaller = replace(imr, teams=tuple(t for t in imr.teams if t.code != "W1"))
    assert put(smaller).number == 2
    with at_work(SETUP):
        assert not Team.objects.get(code="W1").is_active
        assert queries.current() == smaller


def test_going_back_word_for_word_is_refused() -> None:
    imr = load(SHIPPED / "imr")
    put(imr)
    put(replace(imr, title="Another title"))
    with pytest.raises(Refused, match="earlier version"):
        put(imr)


def test_orphans_are_refused_and_nothing_is_written() -> None:
    imr = load(SHIPPED / "imr")
    put(imr)
    smaller = replace(imr, teams=tuple(t for t in imr.teams if t.code != "W1"))
    with pytest.raises(Refused, match="W1") as refused:
        put(smaller, Used(teams=frozenset({"W1"})))
    assert refused.value.code == "protocol_orphans"
    with at_work(SETUP):
        assert ProtocolVersion.objects.count() == 1
        assert Team.objects.get(code="W1").is_active


def test_without_a_protocol_the_page_can_say_so() -> None:
    with at_work(SETUP):
        assert queries.version_or_none() is None
        with pytest.raises(queries.NoProtocol, match="load_protocol"):
            queries.current()


def test_a_document_changed_behind_our_back_is_refused(database: Any) -> None:
    put(load(SHIPPED / "imr"))
    queries._READ.clear()
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("""update protocol_protocolversion set document = jsonb_set(document, '{title}', '"x"')""")
    with at_work(SETUP), pytest.raises(ValueError, match="changed after it was loaded"):
        queries.current()


def test_the_command_loads_and_says_what(tmp_path: Path) -> None:
    out = StringIO()
    call_command("load_protocol", str(SHIPPED / "imr"), stdout=out)
    call_command("load_protocol", str(SHIPPED / "imr"), stdout=out)
    assert "Version 1 is in force now" in out.getvalue()
    assert "was in force already" in out.getvalue()
    with pytest.raises(CommandError, match="give the folder"):
        call_command("load_protocol", str(tmp_path / "nothing"), stdout=out)


def test_the_check_needs_no_database_and_writes_nothing() -> None:
    out = StringIO()
    call_command("load_protocol", str(SHIPPED / "btheb"), "--check", stdout=out)
    assert "is a valid protocol" in out.getvalue()
    with side.opened(), db.unit_of_work(by=SETUP):
        assert not ProtocolVersion.objects.exists()


def test_the_command_knows_what_data_refer_to(tmp_path: Path) -> None:
    """``settings.PROTOCOL_USED`` names what the packages above know."""
    import shutil

    open_trial()
    coordinator = person(make_user("coordinator", "coordinator", "rotterdam"))
    with at_work(coordinator):
        register(coordinator, Team.objects.get(code="W1"))
    folder = Path(shutil.copytree(SHIPPED / "imr", tmp_path / "imr"))
    sites = (folder / "sites.toml").read_text()
    block = '[[teams]]\ncode = "W1"\nname = "Team W1"\nsite = "rotterdam"\n'
    assert block in sites
    (folder / "sites.toml").write_text(sites.replace(block, ""))
    with pytest.raises(CommandError, match="the team W1 has data"):
        call_command("load_protocol", str(folder), stdout=StringIO())
