"""Starts the supervisor as a person would, on a data folder of the test's own, and looks at what is left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("supervised.py")
READY = "Equipoise is ready"
PATIENT = 120.0
"""Seconds for what takes one or two on a machine that has nothing else to do; a test waits no longer than it must."""


@dataclass
class Started:
    """A supervisor that runs on stand-in programs. `facts` gets one file for each process that it starts."""

    process: subprocess.Popen[bytes]
    var: Path
    facts: Path
    output: Path

    def says(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def wait_for(self, text: str, patience: float = PATIENT) -> None:
        """Until it printed `text`; fails with all that it printed."""
        until(lambda: text in self.says() or self.process.poll() is not None, patience)
        assert text in self.says(), self.says()

    def stop(self, sig: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(PATIENT)

    def pid(self, name: str) -> int:
        """The process number of a service or server, as written down for the next start."""
        return int((self.var / "imr" / "pids" / f"{name}.pid").read_text().split()[0])


def until(condition: Callable[[], bool], patience: float = PATIENT) -> None:
    """Wait for a condition; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def processes_of(folder: Path) -> dict[int, str]:
    """The running processes (no zombies) whose command line names `folder`."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found[int(entry.name)] = command
    return found


@contextmanager
def supervised(
    base: Path,
    *,
    mode: str = "demo",
    ignore_interrupt: bool = False,
    sweep: bool = True,
    below_a_parent: bool = False,
    **extra: str,
) -> Iterator[Started]:
    """Run the supervisor on ``base/var``; with `sweep`, whatever is left of any start there is ended at the end.

    `below_a_parent`: `process` is then a shell that waits for the supervisor, as make does.
    """
    facts, output = base / "facts", base / f"output-{time.monotonic_ns()}"
    facts.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base),
        "PYTHONPATH": str(ROOT),
        "VAR": str(base / "var"),
        "PORT": "0",
        **extra,
    }

    def as_the_shell_does() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    command = [sys.executable, str(PROGRAM), str(facts), mode, *(["--with-parent"] if below_a_parent else [])]
    with output.open("wb") as out:
        process = subprocess.Popen(
            ["sh", "-c", '"$@"; :', "sh", *command] if below_a_parent else command,
            env=environment,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=as_the_shell_does if ignore_interrupt else None,
        )
    started = Started(process, Path(environment["VAR"]), facts, output)
    try:
        yield started
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in processes_of(base) if sweep else ():
            os.kill(pid, signal.SIGKILL)


def refused(base: Path, *, mode: str = "demo", **extra: str) -> str:
    """Run a start that must be refused; return what it said, after checking that it said it plainly."""
    with supervised(base, mode=mode, sweep=False, **extra) as started:
        assert started.process.wait(PATIENT) == 1
        said = started.says()
    assert "Traceback" not in said, said
    return said
