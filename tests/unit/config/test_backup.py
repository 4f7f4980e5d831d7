"""Backup and restore on real PostgreSQL; the sealed file against every way of tampering with it."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import database as server
from trial.config.backup import command, dump
from trial.config.backup.sealed import CHUNK, MAGIC, BackupError, seal, unseal

KEY = "an operator's own long key"


def _sealed(plain: bytes, key: str = KEY) -> bytes:
    file = io.BytesIO()
    seal([plain[:7], plain[7:]], file, key)
    return file.getvalue()


def _open(sealed: bytes, key: str = KEY) -> bytes:
    return b"".join(unseal(io.BytesIO(sealed), key))


def _is_refused(sealed: bytes) -> bool:
    try:
        _open(sealed)
    except BackupError:
        return True
    return False


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_sealed_file_opens_again(size: int) -> None:
    plain = os.urandom(size)
    sealed = _sealed(plain)
    assert _open(sealed) == plain
    assert sealed != _sealed(plain), "each file has its own salt"


def test_sealed_file_shows_nothing_and_takes_no_other_key() -> None:
    sealed = _sealed(b"allocation: imr" * 100)
    assert b"allocation" not in sealed
    with pytest.raises(BackupError, match="does not open this backup"):
        _open(sealed, "a quite different long key")


def test_sealed_file_that_was_changed_is_refused() -> None:
    first, second = os.urandom(CHUNK), os.urandom(CHUNK)
    sealed = _sealed(first + second)
    head, step = len(MAGIC) + 16, CHUNK + 16 + 5
    a, b = sealed[head : head + step], sealed[head + step :]
    changed = {
        "cut at a chunk": sealed[: head + step],
        "cut in a chunk": sealed[:-1],
        "chunks swapped": sealed[:head] + b + a,
        "chunk repeated": sealed[:head] + a + a + b,
        "a bit flipped": sealed[:-20] + bytes([sealed[-20] ^ 1]) + sealed[-19:],
        "last flag set early": sealed[: head + 4] + b"\1" + sealed[head + 5 :],
        "something added": sealed + b"x",
        "not a backup": b"x" + sealed,
    }
    assert [how for how, bad in changed.items() if not _is_refused(bad)] == []


@pytest.mark.parametrize(("key", "words"), [("", "BACKUP_KEY is not set"), ("short", "has 5 characters")])
def test_key_is_wanted(key: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=words):
        dump.back_up("postgresql://nobody@/nowhere", tmp_path / "x", key)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def source() -> Iterator[str]:
    """The owner's address of a database that was set up by the real command, with rows on every kind of table."""
    name = f"backup_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = server.clone(name)["OWNER_DATABASE_URL"]
    with psycopg.connect(url) as owner:
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            "insert into django_session(session_key, session_data, expire_date)"
            " select 'key ' || n, repeat('é', n), '2026-01-01T10:00+01:00'::timestamptz + n * interval '1 s'"
            " from generate_series(1, 500) n"
        )
    yield url
    for left in (name, f"{name}_restored", f"{name}_again"):
        server.drop(left)


@pytest.fixture
def restored() -> str:
    return f"backup_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_restored"


def _answer(url: str, query: str) -> Any:
    with psycopg.connect(url) as owner:
        return owner.execute(query).fetchall()  # type: ignore[call-overload]


def test_restored_database_is_equal(source: str, restored: str, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    held = dump.back_up(source, file, KEY)
    assert held.tables["public.django_session"][0] == 500
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"django_session" not in file.read_bytes()
    again, differences = dump.restore(source, file, KEY, restored)
    assert differences == []
    assert again == held
    url = source.replace(f"/{restored.removesuffix('_restored')}?", f"/{restored}?")
    sessions = "select session_key, session_data, expire_date from django_session order by 1"
    assert _answer(url, sessions) == _answer(source, sessions)
    triggers = "select count(*) from pg_trigger where not tgisinternal"
    assert _answer(url, triggers) == _answer(source, triggers) != [(0,)]
    policies = "select tablename, policyname, roles::text, qual from pg_policies order by 1, 2"
    assert _answer(url, policies) == _answer(source, policies) != []


def test_difference_is_named(source: str, restored: str, tmp_path: Path) -> None:
    held = dump.back_up(source, tmp_path / "one.backup", KEY)
    with psycopg.connect(source) as owner:
        owner.execute("update django_session set session_data = 'other' where session_key = 'key 7'")
        owner.execute("delete from django_migrations where app = 'axes'")
    now = dump.back_up(source, tmp_path / "two.backup", KEY)
    differences = held.differences(now)
    assert [line.split(":")[0] for line in differences] == ["public.django_migrations", "public.django_session"]
    assert "with other contents" in differences[1]


def test_nothing_is_overwritten_and_nothing_is_left_of_a_failure(source: str, restored: str, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    dump.back_up(source, file, KEY)
    with pytest.raises(BackupError, match="exists already"):
        dump.back_up(source, file, KEY)
    with pytest.raises(BackupError, match="is not empty"):
        dump.restore(source, file, KEY, restored.removesuffix("_restored"))
    assert _answer(source, "select count(*) from django_session") == [(500,)]
    cut = tmp_path / "cut.backup"
    cut.write_bytes(file.read_bytes()[:-1000])
    for bad, key in ((cut, KEY), (file, "a quite different long key")):
        with pytest.raises(BackupError):
            dump.restore(source, bad, key, restored)
        assert _answer(source, f"select count(*) from pg_database where datname = '{restored}'") == [(0,)]


def test_commands(
    source: str, restored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OWNER_DATABASE_URL", source)
    monkeypatch.delenv("BACKUP_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert command.main(["backup", ""]) == 1
    assert "BACKUP_KEY is not set" in capsys.readouterr().err
    (tmp_path / "key").write_text(KEY + "\n")
    monkeypatch.setenv("BACKUP_KEY_FILE", str(tmp_path / "key"))
    assert command.main(["backup", ""]) == 0
    (made,) = (tmp_path / "backups").iterdir()
    assert "500" not in made.name
    assert command.main(["restore", str(made), restored]) == 0
    assert "each equal to the backup" in capsys.readouterr().out
    assert command.main(["restore", str(made), restored]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert command.main(["restore"]) == 1
    assert "Say which backup" in capsys.readouterr().err


def test_backup_of_a_world_whose_server_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trial.config.supervisor.servers import EmbeddedServers
    from trial.config.supervisor.world import Choice, World

    monkeypatch.delenv("OWNER_DATABASE_URL")
    monkeypatch.delenv("TRIAL", raising=False)
    monkeypatch.setenv("VAR", str(tmp_path / "var"))
    monkeypatch.setenv("BACKUP_KEY", KEY)
    assert command.main(["backup", str(tmp_path / "one.backup")]) == 1
    assert "There is no trial in" in capsys.readouterr().err
    choice = Choice("run", tmp_path / "var" / "run", tmp_path)
    with World(choice) as world:
        servers = EmbeddedServers(world)
        servers.start(choice.folder / "pids")
        with psycopg.connect(servers.database.owner_url("equipoise")) as owner:
            owner.execute("create table answer as select 42 as value")
        assert command.main(["backup", str(tmp_path / "running.backup")]) == 0
        servers.stop(choice.folder / "pids")
    assert command.main(["backup", str(tmp_path / "stopped.backup")]) == 0
    assert command.main(["restore", str(tmp_path / "stopped.backup")]) == 0
    assert "1 tables, 1 rows, each equal" in capsys.readouterr().out
    # a new machine: nothing is there but the file
    monkeypatch.setenv("VAR", str(tmp_path / "elsewhere"))
    assert command.main(["restore", str(tmp_path / "stopped.backup"), "equipoise"]) == 0
