"""A maintenance command on a world that is there: whose credentials it gets, and what is said where there is none."""

import os
from pathlib import Path

import pytest

from tests import database as server
from trial.config.supervisor.manage import main
from trial.config.supervisor.services import ADDRESSES

NOWHERE = "redis://localhost:1/0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR", str(tmp_path))
    for name in (*ADDRESSES, "TRIAL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("trial", "words", "said"),
    [
        ("imr", [""], "Say what to do"),
        ("imr", ["verify_history"], "There is no trial in"),
        ("elsewhere", ["verify_history"], "is not a world"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    trial: str, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIAL", trial)
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_the_command_gets_every_credential_and_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"manage_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    urls = {**server.clone(name), "REDIS_URL": NOWHERE, "UNBLINDED_REDIS_URL": NOWHERE}
    try:
        for address in ADDRESSES:
            monkeypatch.setenv(address, urls[address])
        assert main(["verify_history"]) == 0
        assert "open" in capfd.readouterr().out
        assert main(["verify_history --paper open 12 'ab12 cd34'"]) == 1
        assert capfd.readouterr().err
    finally:
        server.drop(name)
