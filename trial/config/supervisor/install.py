"""Makes ``.venv`` from the locked list of packages, and starts the supervisor in it. Standard library only.

The packages are those of ``requirements.txt``, each checked against its hash. ``uv`` is fetched first, by pip and with
the same check, because it installs the rest several times as fast; where it fails, pip installs the same list. A stamp
inside ``.venv`` says which list is in there, so that the next start has nothing to do. A killed installation has no
stamp and is simply repeated.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from trial.config.supervisor import listening
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.processes import die_with_parent, follow_parent
from trial.config.supervisor.progress import ProgressPage

ROOT = Path(__file__).resolve().parents[3]
STAMP = "equipoise-packages"
Say = Callable[[str], None]


def main(arguments: list[str]) -> int:
    """Install if need be; for ``demo`` and ``run`` become the supervisor. Returns the exit code.

    With ``--with-parent`` this process is asked to end when its parent (make) is killed.
    """
    if "--with-parent" in arguments:
        follow_parent()
    mode = next((word for word in arguments if not word.startswith("-")), "install")
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGINT, _interrupted)
    try:
        if not is_installed(ROOT):
            if mode == "install":
                install(ROOT, print)
            else:
                _install_behind_a_page()
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Nothing is broken: the same command goes on from here.", file=sys.stderr)
        return 130
    if mode != "install":
        _become_supervisor(mode)
    return 0


def is_installed(root: Path) -> bool:
    """Return whether .venv holds exactly the packages of requirements.txt, by its stamp."""
    try:
        return (root / ".venv" / STAMP).read_text() == _mark(root) and (root / ".venv" / "bin" / "python").exists()
    except OSError:
        return False


def install(root: Path, say: Say) -> None:
    """Make .venv. Two installations of the same folder wait for each other.

    Raises SupervisorError with one plain line when something is missing that we may not install ourselves.
    """
    with _alone(root) as lock:
        if is_installed(root):
            return
        try:
            _make_venv(root, say, lock)
            _install_packages(root, say, lock)
            (root / ".venv" / STAMP).write_text(_mark(root))
        except OSError as error:
            raise SupervisorError(f"Cannot write to {root / '.venv'}: {error.strerror}.") from error
    say("Packages are installed.")


def locked_entry(requirements: str, name: str) -> str:
    """Return the lines of one package, with its hashes, from the text of requirements.txt."""
    found = re.search(rf"^{re.escape(name)}==.*(?:\n[ \t]+.*)*", requirements, re.MULTILINE)
    if found is None:
        raise SupervisorError(f"requirements.txt does not list {name}.")
    return found.group(0) + "\n"


def _install_behind_a_page() -> None:
    """Install while a page on the final port says how far we are; leaves the port open for the supervisor."""
    listener = listening.listen(listening.port_from_environment())
    print(f"First start. Follow it at {listening.address(listener)}", flush=True)
    with ProgressPage(listener) as page:

        def say(step: str) -> None:
            page.say(step)
            print(step, flush=True)

        install(ROOT, say)
    listening.pass_on(listener)


def _become_supervisor(mode: str) -> NoReturn:
    """Replace this process, so that signals and the end of the terminal reach the supervisor itself."""
    python = str(ROOT / ".venv" / "bin" / "python")
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(python, [python, "-m", "trial.config.supervisor", mode])  # noqa: S606


def _interrupted(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _mark(root: Path) -> str:
    """The hash of the locked list, and the place: a .venv that was moved no longer works."""
    return f"{hashlib.sha256((root / 'requirements.txt').read_bytes()).hexdigest()} {root}\n"


@contextmanager
def _alone(root: Path) -> Iterator[int]:
    """Hold the lock; yields its file number. Whoever writes into .venv for us holds it too: were we killed, the next
    installation waits until the last of them has ended, and meets nobody in there.
    """
    with (root / "requirements.txt").open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        yield locked.fileno()


def _make_venv(root: Path, say: Say, lock: int) -> None:
    venv = root / ".venv"
    python = venv / "bin" / "python"
    if python.exists() and _runs([str(python), "-c", "import sys, pip; assert sys.version_info >= (3, 11)"]):
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        _install_debian_venv(say)
    say("Making a place for the packages (.venv)")
    shutil.rmtree(venv, ignore_errors=True)
    with tempfile.TemporaryDirectory() as aside:
        log = Path(aside) / "venv.log"
        if not _logged([sys.executable, "-m", "venv", str(venv)], log, lock):
            raise SupervisorError(f"Python could not make {venv}: {_reason(log)}")


def _install_debian_venv(say: Say) -> None:
    packages = ["python3-venv", "python3-pip"]
    if sys.executable.rpartition("/")[2] not in ("python3", "python"):
        packages.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SupervisorError(f"Python's venv is missing. Type: sudo apt-get install {' '.join(packages)}")
    say("Installing Python's venv and pip with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0:
        return
    subprocess.run(["apt-get", "update", "-q"], env=environment, capture_output=True, check=False)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if again.returncode != 0:
        raise SupervisorError(f"apt could not install {' '.join(packages)}: {_last_line(again.stderr)}")


def _install_packages(root: Path, say: Say, lock: int) -> None:
    python = root / ".venv" / "bin" / "python"
    log = root / ".venv" / "install.log"
    uv = root / ".venv" / "bin" / "uv"
    entry = locked_entry((root / "requirements.txt").read_text(), "uv")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    say("Fetching the installer (uv)")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write(entry)
        alone.flush()
        have_uv = _logged([*pip, "-q", "-r", alone.name], log, lock) and uv.exists()
    locked = str(root / "requirements.txt")
    say("Installing the packages; this takes about a minute")
    if have_uv and _logged(
        [str(uv), "pip", "install", "--require-hashes", "--python", str(python), "-r", locked],
        log,
        lock,
        {"UV_HTTP_TIMEOUT": "60"},
    ):
        return
    say("Installing the packages with pip instead; this takes a few minutes")
    if not _logged([*pip, "-r", locked], log, lock):
        raise SupervisorError(
            f"The packages could not be installed: {_reason(log)}\n"
            f"Is this machine connected? The whole log is {log}; the same command tries again."
        )


def _logged(command: list[str], log: Path, lock: int, extra: dict[str, str] | None = None) -> bool:
    """Run a command with its output in `log`; return whether it succeeded. It ends when we are killed."""
    environment = {**os.environ, **(extra or {})}
    environment.pop("PYTHONPATH", None)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=(lock,),
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        try:
            return child.wait() == 0
        except BaseException:
            child.kill()
            child.wait()
            raise


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _reason(log: Path) -> str:
    """The line of a log that says what went wrong: the last that begins with ``error``, else the last."""
    text = log.read_text(errors="replace")
    errors = [line for line in text.splitlines() if line.lower().startswith("error")]
    return _last_line("\n".join(errors) or text)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason given"
