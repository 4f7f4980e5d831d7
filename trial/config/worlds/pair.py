"""Two processes play one world, a site each: their rows are disjoint, and so is what is allocated (strata are teams of a site).

What belongs to no site happens in the first process, at instants at which both have come to the same day. They talk over pipes, a word a
line: the second says ``here`` when it has come so far, and waits for ``on``.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.core.management.base import CommandError

from trial.config.supervisor import processes
from trial.config.worlds import imr, stage
from trial.config.worlds.plan.calendar import BEGIN
from trial.core import clock
from trial.protocol.definition import Protocol
from trial.protocol.loader import load

HERE, ON = "here", "on"


class Second:
    """The second process, as the first sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait(self) -> None:
        """Until it has come as far as we have. Refuses to go on without it."""
        assert self.process.stdout is not None  # noqa: S101 - it was started with a pipe
        if self.process.stdout.readline().strip() != HERE:
            raise CommandError("The process that plays the other site has ended; its last words stand above.")

    def go_on(self) -> None:
        """Let it go on to the next instant."""
        assert self.process.stdin is not None  # noqa: S101 - it was started with a pipe
        self.process.stdin.write(f"{ON}\n")
        self.process.stdin.flush()


@contextmanager
def second(world: str, protocol: Path, site: str) -> Iterator[Second]:
    """Start the process that plays ``site``. It ends with the block, and with this process."""
    command = [sys.executable, "manage.py", "play_demo", "--world", world, "--protocol", str(protocol), "--site", site]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ.copy(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=processes.die_with_parent(signal.SIGKILL),
    )
    try:
        yield Second(process)
        if process.wait(30):
            raise CommandError(f"The process that plays the other site ended with {process.returncode}.")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def play(world: str, folder: Path, plan: Path, say: Callable[[str], None]) -> None:
    """Play a world from an empty database, the first site in this process and the second in another."""
    protocol = load(folder)
    sites = tuple(site.code for site in protocol.sites)
    with second(world, folder, sites[1]) as other, stage.played(BEGIN, imr.SEED):
        imr.prepare(protocol, plan)
        here = imr.Play(protocol, sites[:1], say)
        other.wait()
        other.go_on()
        for at, act in imr.milestones(imr.WORLDS[world]):
            here.until(at)
            other.wait()
            clock.move_to(max(at, clock.frozen_at() or at))
            act()
            other.go_on()
        here.until(imr.WORLDS[world].until)


def play_alone(world: str, folder: Path, plan: Path, say: Callable[[str], None]) -> None:
    """Play a world from an empty database, all of it in this process."""
    protocol = load(folder)
    with stage.played(BEGIN, imr.SEED):
        imr.prepare(protocol, plan)
        here = imr.Play(protocol, tuple(site.code for site in protocol.sites), say)
        for at, act in imr.milestones(imr.WORLDS[world]):
            here.until(at)
            clock.move_to(max(at, clock.frozen_at() or at))
            act()
        here.until(imr.WORLDS[world].until)


def play_second(world: str, folder: Path, site: str, ask: TextIO, answer: TextIO) -> None:
    """What the second process does: play ``site``, and wait at each instant until it may go on."""
    protocol: Protocol = load(folder)
    here = imr.Play(protocol, (site,), lambda _line: None)
    _meet(ask, answer)
    with stage.played(BEGIN, imr.SEED + 1):
        for at, _act in imr.milestones(imr.WORLDS[world]):
            here.until(at)
            _meet(ask, answer)
        here.until(imr.WORLDS[world].until)


def _meet(ask: TextIO, answer: TextIO) -> None:
    answer.write(f"{HERE}\n")
    answer.flush()
    if ask.readline().strip() != ON:
        raise CommandError("The process that plays the first site has ended.")
