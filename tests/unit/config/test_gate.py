"""The web server loads while the database is set up, and answers only then."""

import os
import subprocess
import sys

import pytest

from trial.config.supervisor.gate import GATE, Gate

WAITER = (
    "from trial.config.supervisor import gate; print('loaded', flush=True); gate.wait(); print('through', flush=True)"
)


def _waiter(**settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WAITER],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[int(number) for number in settings.values()],
    )


def test_nobody_passes_a_closed_gate_and_everybody_an_open_one() -> None:
    gate = Gate()
    process = _waiter(**{GATE: str(gate.waiting_end)})
    assert process.stdout is not None
    assert process.stdout.readline() == "loaded\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    gate.open()
    gate.open()
    assert process.communicate(timeout=10)[0] == "through\n"


def test_without_a_gate_nobody_waits() -> None:
    assert _waiter().communicate(timeout=10)[0] == "loaded\nthrough\n"
