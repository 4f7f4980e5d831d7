"""The supervisor on real PostgreSQL and Valkey, with stand-ins for the application's own programs."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests import database
from tests.unit.config.starting import PATIENT, READY, Started, processes_of, refused, supervised, until
from trial.config.supervisor import processes, welcome
from trial.config.supervisor.postgres import EmbeddedPostgres
from trial.config.supervisor.sockets import socket_path
from trial.config.supervisor.world import DEMO_WORLDS, Choice

EVERYTHING = [
    "OWNER_DATABASE_URL",
    "DATABASE_URL",
    "UNBLINDED_DATABASE_URL",
    "ALLOCATOR_DATABASE_URL",
    "REDIS_URL",
    "UNBLINDED_REDIS_URL",
]
OWN_CREDENTIALS = {
    "web": ["DATABASE_URL", "UNBLINDED_DATABASE_URL", "REDIS_URL", "UNBLINDED_REDIS_URL"],
    "worker-default": ["DATABASE_URL", "REDIS_URL"],
    "worker-unblinded": ["UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL"],
    "worker-allocation": ["ALLOCATOR_DATABASE_URL", "REDIS_URL"],
    "beat-default": ["DATABASE_URL", "REDIS_URL"],
    "beat-unblinded": ["UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL"],
}


def _facts(started: Started) -> list[dict[str, object]]:
    written = [text for path in started.facts.glob("*.json") if (text := path.read_text())]
    return sorted((json.loads(text) for text in written), key=lambda fact: fact["at"])


def _commands(started: Started) -> list[str]:
    return [" ".join(f["arguments"]) for f in _facts(started) if f["name"] not in OWN_CREDENTIALS]  # type: ignore[arg-type]


def test_each_process_gets_its_own_credentials_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with supervised(tmp_path, ignore_interrupt=True, BACKUP_KEY="only-for-the-operator") as started:
        started.wait_for(READY)
        for account in ("coordinator", "interviewer", "independent", "admin2", "equipoise-demo"):
            assert account in started.says()
        until(lambda: {*OWN_CREDENTIALS} <= {str(fact["name"]) for fact in _facts(started)})
        facts = _facts(started)
        assert _commands(started) == ["setup_database --frozen-clock", "play_demo", "setup_database"]
        last = {str(f["name"]): f for f in facts}
        assert {name: last[name]["credentials"] for name in OWN_CREDENTIALS} == OWN_CREDENTIALS
        assert last["play_demo"]["credentials"] == EVERYTHING
        assert [f["offset"] for f in facts if f["name"] in ("web", "play_demo")] == [None, None, "-86400"]
        assert last["worker-default"]["offset"] == "-86400"
        assert not [f for f in facts if f["backup_key"]]
        assert {path.stat().st_mode & 0o777 for path in (started.var / "imr" / "secrets").iterdir()} == {0o600}
        assert started.stop(signal.SIGINT) == 0
        assert processes_of(tmp_path) == {}
    with supervised(tmp_path) as again:
        again.wait_for(READY)
        assert _commands(again)[3:] == ["setup_database"], "a played world is not played again"
        assert again.stop(signal.SIGTERM) == 0
        assert processes_of(tmp_path) == {}


def test_the_end_is_a_world_of_its_own(tmp_path: Path) -> None:
    end = Choice.read("demo", {"AT": "end", "VAR": str(tmp_path)})
    assert (end.world, end.folder, end.protocol.name) == ("imr-end", tmp_path / "imr-end", "imr")
    assert end.is_demo
    running = Choice.read("demo", {"AT": "", "VAR": str(tmp_path)})
    assert (running.world, running.folder, running.protocol.name) == ("imr", tmp_path / "imr", "imr")
    for world in DEMO_WORLDS:
        assert "equipoise-demo" in welcome.demo("http://here/", world)
    assert "confirm nothing" in welcome.demo("http://here/", "imr-end")


def test_the_trial_with_looks_is_played_by_the_protocol_of_the_trial(tmp_path: Path) -> None:
    for at, name in (("", "imr-interim"), ("end", "imr-interim-end")):
        there = Choice.read("demo", {"TRIAL": "imr-interim", "AT": at, "VAR": str(tmp_path)})
        assert (there.world, there.folder, there.protocol.name) == (name, tmp_path / name, "imr")
        assert there.is_demo


@pytest.mark.parametrize("name", ["a path with spaces", "long-" + "x" * 120])
def test_awkward_folders_work_and_a_second_start_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert name[0] == "a" or len(str(folder / "var")) >= 125
    with supervised(folder) as started:
        started.wait_for(READY)
        said = refused(folder)
        assert "already runs on" in said
        assert f"process {started.process.pid}" in said
        assert started.process.poll() is None
        sockets = socket_path(started.var / "imr")
        assert sockets.exists()
        assert started.stop() == 0
        assert processes_of(folder) == {}
        assert not sockets.exists()


def test_kill_9_leaves_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with supervised(tmp_path) as started:
        started.wait_for(READY)
        # the stand-ins' own children may come a moment after the page
        deadline = time.monotonic() + 20
        while len(processes_of(tmp_path)) < 9 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(processes_of(tmp_path)) >= 9
        started.process.kill()
        started.process.wait()
        deadline = time.monotonic() + 3.0
        while (left := processes_of(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left == {}
    with supervised(tmp_path) as again:
        again.wait_for(READY)


def test_kill_9_of_make_leaves_nothing_either(tmp_path: Path) -> None:
    """The person's own process is make, not the supervisor."""
    with supervised(tmp_path, below_a_parent=True) as started:
        started.wait_for(READY)
        assert len(processes_of(tmp_path)) >= 9
        started.process.kill()
        started.process.wait()
        until(lambda: not processes_of(tmp_path), 3.0)


def test_killed_while_the_database_is_made(tmp_path: Path) -> None:
    with supervised(tmp_path) as started:
        until(lambda: bool(list((tmp_path / "var").glob("imr/postgres-*.unfinished/base"))))
        started.process.kill()
        started.process.wait()
        until(lambda: not processes_of(tmp_path), 3.0)
        assert not list((tmp_path / "var").glob("imr/postgres-??"))
    with supervised(tmp_path) as again:
        again.wait_for(READY)
        assert not list((tmp_path / "var").glob("imr/*.unfinished"))


def test_left_over_server_and_worker_are_ended_first(tmp_path: Path) -> None:
    """As where the kernel has no death signal: the parent was killed, its children run on."""
    world = tmp_path / "var" / "imr"
    (world / "secrets").mkdir(parents=True, mode=0o700)
    (world / "secrets" / "owner").write_text("kept")
    server = EmbeddedPostgres(world, owner_password="kept")
    server.start()
    worker = subprocess.Popen(["sleep", "600"], start_new_session=True)
    processes.remember(world / "pids", "worker-default", worker.pid)
    somebody = subprocess.Popen(["sleep", "600"])
    (world / "pids" / "web.pid").write_text(f"{somebody.pid}\nthe mark of an earlier process with this number\n")
    assert server.process is not None
    try:
        with supervised(tmp_path) as started:
            started.wait_for(READY)
            assert "Ended what an earlier run left behind: worker-default" in started.says()
            assert server.process.wait(1) is not None
            assert worker.wait(1) == -signal.SIGTERM
            assert somebody.poll() is None, "a number that now belongs to somebody else is left alone"
    finally:
        somebody.kill()
        somebody.wait()
        server.stop()


def test_dead_worker_starts_again_and_dead_database_ends_everything(tmp_path: Path) -> None:
    with supervised(tmp_path) as started:
        started.wait_for(READY)
        first = started.pid("worker-unblinded")
        os.kill(first, signal.SIGKILL)
        started.wait_for("worker-unblinded stopped (signal 9) and starts again in 1 s")
        until(lambda: started.pid("worker-unblinded") != first)
        os.kill(started.pid("valkey"), signal.SIGKILL)
        started.wait_for("The broker stopped and was started again")
        os.kill(started.pid("postgres"), signal.SIGQUIT)
        assert started.process.wait(PATIENT) == 1
        assert "The database server stopped; everything else is stopped now" in started.says()
        assert "immediate shutdown" in started.says(), "the tail of its log"
        until(lambda: not processes_of(tmp_path), 3.0)


def test_failed_setup_says_why_and_stops(tmp_path: Path) -> None:
    said = refused(tmp_path, STAND_IN_FAILS="play_demo")
    assert "play_demo did not succeed" in said
    assert "the reason it gives" in said
    assert processes_of(tmp_path) == {}


def test_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path, PORT=str(port))
    assert f"Port {port} is in use" in said
    assert f"PORT={port + 1}" in said


@pytest.mark.parametrize(
    ("mode", "extra", "words"),
    [
        ("demo", {"TRIAL": "other"}, ["TRIAL=other", "imr, imr-interim, btheb"]),
        ("demo", {"AT": "month 3"}, ["AT=month 3", "AT=end"]),
        ("demo", {"TRIAL": "btheb", "AT": "end"}, ["AT=end is for TRIAL=imr", "Leave AT out"]),
        ("demo", {"PORT": "eighty"}, ["PORT=eighty"]),
        ("run", {}, ["make run PROTOCOL=folder"]),
        ("run", {"PROTOCOL": "/no/such/folder"}, ["/no/such/folder", "not a folder"]),
        ("demo", {"DATABASE_URL": "postgresql://one@/x"}, ["Some addresses", "OWNER_DATABASE_URL"]),
    ],
)
def test_a_wrong_wish_is_answered_plainly(tmp_path: Path, mode: str, extra: dict[str, str], words: list[str]) -> None:
    said = refused(tmp_path, mode=mode, **extra)
    assert [word for word in words if word not in said] == []


def test_with_six_addresses_no_server_is_started(tmp_path: Path) -> None:
    given = {name: url for name, url in database.environment_of("postgres").items() if name in EVERYTHING}
    protocol = tmp_path / "protocol"
    protocol.mkdir()
    with supervised(tmp_path, mode="run", PROTOCOL=str(protocol), **given) as started:
        started.wait_for(READY)
        assert not list((started.var / "run").glob("postgres-*"))
        assert not (started.var / "run" / "valkey").exists()
        assert _commands(started) == ["setup_database", f"load_protocol {protocol}", "first_administrator_token"]
        assert started.stop() == 0


def test_read_only_folder(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "var", "size=1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "var")], check=True)
        said = refused(tmp_path)
    assert "Cannot write to the data folder" in said
    assert "VAR=" in said


def test_full_disk(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "var", "size=5m"):
        said = refused(tmp_path)
        assert "nearly full" in said
        assert "300 MB needed" in said


def test_disk_that_fills_while_the_database_is_made(tmp_path: Path) -> None:
    """More free than asked for at first, and taken by somebody else while initdb writes."""
    with _small_disk(tmp_path / "var", "size=310m"):
        hog = tmp_path / "var" / "hog"
        with supervised(tmp_path) as started:
            until(lambda: bool(list((tmp_path / "var").glob("imr/postgres-*.unfinished"))))
            _fill(hog)
            assert started.process.wait(PATIENT) == 1
            assert "is the disk full?" in started.says().lower()
        hog.unlink()
        with supervised(tmp_path) as again:
            again.wait_for(READY)
            assert again.stop() == 0


def _fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as output:
        while output.write(b"x" * 1_000_000) == 1_000_000:
            pass


class _small_disk:  # noqa: N801 - reads as a statement
    """A tmpfs of its own; only root may mount one."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder, self.options = folder, options

    def __enter__(self) -> None:
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", str(self.folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("only root may mount a small disk")

    def __exit__(self, *_: object) -> None:
        for _attempt in range(20):
            if subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
