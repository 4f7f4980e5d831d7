"""Child processes that end when they should: in order when asked, and by themselves when the supervisor is killed.

Every child has a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone. On Linux the kernel
also sends each child a death signal when its parent dies (PR_SET_PDEATHSIG). That signal is tied to the *thread* that
started the child: start children from the main thread only.

Where the kernel has no death signal, ``remember`` writes who the child is and ``stop_left_over`` ends it at the next
start, after checking that the process number still belongs to the same process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.privileges import AS_WE_ARE, Demotion

_LINUX = platform.system() == "Linux"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if _LINUX else None
DEATH_IS_TOLD = _LINUX
"""Whether the kernel tells a child that its parent died."""


def die_with_parent(sig: int) -> Callable[[], None]:
    """Return a function for the child, to run before exec: ask the kernel for `sig` when the parent dies.

    Does nothing outside Linux. If the parent died before the request was made, the child exits at once.
    """
    parent = os.getpid()

    def request() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, sig)
            if os.getppid() != parent:
                os._exit(1)

    return request


def follow_parent() -> None:
    """Ask the kernel to send SIGTERM to this very process when its parent dies (Linux; elsewhere nothing happens)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def spawn(
    args: Sequence[str],
    *,
    log: Path,
    death_signal: int,
    env: Mapping[str, str] | None = None,
    cwd: str | Path = "/",
    demotion: Demotion = AS_WE_ARE,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, its output appended to `log`. Call this from the main thread.

    `keep_open` are numbers of open files that the child gets too.

    Raises SupervisorError when the log cannot be written or the program cannot be started.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                [*demotion.prefix, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=None if env is None else dict(env),
                start_new_session=True,
                pass_fds=tuple(keep_open),
                preexec_fn=die_with_parent(death_signal),
                user=demotion.user,
                group=demotion.user,
                extra_groups=None if demotion.user is None else [],
            )
    except OSError as error:
        raise SupervisorError(f"Cannot start {Path(args[0]).name}: {error}.") from error


def stop(process: subprocess.Popen[bytes], *, first: int = signal.SIGTERM, patience: float = 10.0) -> None:
    """End a child: `first`, then after `patience` seconds SIGKILL for its whole session. Returns when it is gone."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(first)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            _kill_session(process.pid, signal.SIGKILL)
            process.wait()
    # What the child itself left behind in its session (a worker's pool after the worker was killed).
    _kill_session(process.pid, signal.SIGKILL)


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, or an empty string when it cannot be read."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def remember(folder: Path, name: str, pid: int) -> None:
    """Write down which process `name` is, for `stop_left_over` at a later start."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pid").write_text(f"{pid}\n{fingerprint(pid) or ''}\n")


def forget(folder: Path, name: str) -> None:
    """Drop what `remember` wrote."""
    (folder / f"{name}.pid").unlink(missing_ok=True)


def stop_left_over(folder: Path, *, first: Mapping[str, int] | None = None) -> list[str]:
    """End every process that `remember` wrote down and that is still the same process. Returns their names.

    `first` names the first signal by process name (default SIGTERM); after 5 seconds comes SIGKILL. Call it only
    while holding the lock of the data folder: without it these may be somebody's running processes.
    """
    ended = []
    for path in sorted(folder.glob("*.pid")):
        pid_text, _, mark = path.read_text().strip().partition("\n")
        if pid_text.isdigit() and mark and fingerprint(int(pid_text)) == mark:
            end_stranger(int(pid_text), first=(first or {}).get(path.stem, signal.SIGTERM))
            ended.append(path.stem)
        path.unlink()
    return ended


def end_stranger(pid: int, *, first: int = signal.SIGTERM, patience: float = 5.0) -> None:
    """End a process that is not our child, and its session: `first`, after `patience` seconds SIGKILL."""
    mark = fingerprint(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, first)
    deadline = time.monotonic() + patience
    while fingerprint(pid) == mark is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    _kill_session(pid, signal.SIGKILL)
    while fingerprint(pid) == mark is not None and time.monotonic() < deadline + patience:
        time.sleep(0.05)


def fingerprint(pid: int) -> str | None:
    """Return what tells this process from a later one with the same number, or None when it does not run.

    Linux: boot id and start tick. Elsewhere: the start time that ``ps`` prints. A zombie counts as not running.
    """
    if _LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (OSError, IndexError):
            return None
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def works_on(pid: int, folder: Path) -> bool:
    """Return whether this process works in `folder` or names it in its command line."""
    if _LINUX:
        try:
            if Path(f"/proc/{pid}/cwd").resolve() == folder.resolve():
                return True
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return False
        return str(folder) in command
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(folder) in shown.stdout


def _kill_session(pid: int, sig: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sig)
