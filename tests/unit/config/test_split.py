"""Production runs the open and the unblinded web apart: each process with its own credential, one session table, one secret."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests import world
from tests.database import ROOT
from trial.config.supervisor.services import ONE_THREAD, environment_for

SECRETS = (
    "OWNER_DATABASE_URL",
    "DATABASE_URL",
    "UNBLINDED_DATABASE_URL",
    "ALLOCATOR_DATABASE_URL",
    "REDIS_URL",
    "UNBLINDED_REDIS_URL",
)


def serve(*credentials: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k not in SECRETS or k in credentials}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "trial.config.wsgi:application",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            get(port, "/nothing-here")
            return process, port
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the web process does not answer")


def get(port: int, path: str, cookie: str = "", data: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": cookie} if cookie else {}
    if data is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(
        "POST" if data is not None else "GET", path, urlencode(data) if data is not None else None, headers
    )
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    cookies = "; ".join(v.split(";")[0] for k, v in answer.getheaders() if k.lower() == "set-cookie")
    connection.close()
    return answer.status, {**dict(answer.getheaders()), "cookies": cookies}, body


def sign_in(port: int, path: str, username: str) -> str:
    _status, headers, body = get(port, path)
    token = body.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    data = {"username": username, "password": world.PASSWORD, "csrfmiddlewaretoken": token}
    status, answer, _body = get(port, path, headers["cookies"], data)
    assert status == 302
    return answer["cookies"]


@pytest.fixture
def processes(database: psycopg.Connection[Any]) -> Iterator[tuple[int, int]]:
    world.open_trial()
    web, port = serve("DATABASE_URL")
    unblinded, other = serve("UNBLINDED_DATABASE_URL")
    yield port, other
    for process in (web, unblinded):
        process.terminate()
        process.wait(20)


def test_each_process_serves_its_half(processes: tuple[int, int]) -> None:
    web, unblinded = processes
    world.make_user("carla", "coordinator", "rotterdam")
    world.make_user("thea", "treatment", "rotterdam")
    for path in ("/unblinded/", "/unblinded/login/", "/unblinded/allocations/"):
        assert get(web, path)[0] == 404
    for path in ("/", "/login/", "/participants/"):
        assert get(unblinded, path)[0] == 404
    carla = sign_in(web, "/login/", "carla")
    assert get(web, "/participants/", carla)[0] == 200
    thea = sign_in(unblinded, "/unblinded/login/", "thea")
    assert get(unblinded, "/unblinded/allocations/", thea)[0] == 200
    # one session table, one secret: the other process knows who it is, and that it is nobody of its own
    assert get(web, "/participants/", thea)[0] == 403
    assert get(unblinded, "/unblinded/allocations/", carla)[0] == 403
    # the open form knows nobody of the unblinded side, and names the other form to everybody
    _status, headers, body = get(web, "/login/")
    token = body.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    data = {"username": "thea", "password": world.PASSWORD, "csrfmiddlewaretoken": token}
    status, _answer, body = get(web, "/login/", headers["cookies"], data)
    assert status == 200
    assert "do not belong together" in body
    assert 'href="/unblinded/login/"' in body


def test_services_keep_linear_algebra_to_one_thread_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    assert ONE_THREAD.items() <= environment_for((), {}, {}).items()
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    assert environment_for((), {}, {})["OPENBLAS_NUM_THREADS"] == "4"
