"""The installation: locked, repeatable, and plain about what is missing. No network: pip and uv are played."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trial.config.supervisor import install
from trial.config.supervisor.errors import SupervisorError

LOCK = """\
sqlparse==0.6.1 \\
    --hash=sha256:aa
    # via django
uv==0.13.9 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via equipoise
uvicorn==1.0 \\
    --hash=sha256:dd
"""


class Installers:
    """Plays pip and uv: those named in `broken` fail, the others succeed. `commands` is what they were asked."""

    def __init__(self, root: Path, *broken: str) -> None:
        self.root = root
        self.broken = broken
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], log: Path, lock: int, extra: dict[str, str] | None = None) -> bool:
        self.commands.append(command)
        name = "venv" if "venv" in command else "uv" if command[0].endswith("/uv") else "pip"
        if name == "venv":
            (self.root / ".venv" / "bin").mkdir(parents=True)
            (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        elif name == "pip" and "--no-deps" in command and command[-1] != str(self.root / "requirements.txt"):
            assert Path(command[-1]).read_text() == install.locked_entry(LOCK, "uv")
            (self.root / ".venv" / "bin" / "uv").touch()
        log.write_text("ERROR: no route to the packages\nhint: something else\n")
        return name not in self.broken


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(LOCK)
    return tmp_path


def _install(root: Path, monkeypatch: pytest.MonkeyPatch, *broken: str) -> Installers:
    installers = Installers(root, *broken)
    monkeypatch.setattr(install, "_logged", installers)
    install.install(root, lambda step: None)
    return installers


def test_only_the_installer_is_taken_from_the_list() -> None:
    expected = "uv==0.13.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via equipoise\n"
    assert install.locked_entry(LOCK, "uv") == expected
    with pytest.raises(SupervisorError, match="does not list flask"):
        install.locked_entry(LOCK, "flask")


def test_uv_installs_the_locked_list_and_a_stamp_saves_the_next_start(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, pip, uv = _install(root, monkeypatch).commands
    assert venv[1:3] == ["-m", "venv"]
    assert "--require-hashes" in pip
    assert "--require-hashes" in uv
    assert uv[-1] == str(root / "requirements.txt")
    assert _install(root, monkeypatch).commands == []
    (root / "requirements.txt").write_text(LOCK.replace("sha256:dd", "sha256:ee"))
    assert not install.is_installed(root)


def test_pip_installs_the_same_list_where_uv_fails(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = _install(root, monkeypatch, "uv").commands[-1]
    assert last[1:4] == ["-m", "pip", "install"]
    assert "--require-hashes" in last
    assert last[-1] == str(root / "requirements.txt")
    assert install.is_installed(root)


def test_failed_installation_says_the_reason_and_is_repeated(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SupervisorError, match="ERROR: no route to the packages") as caught:
        _install(root, monkeypatch, "uv", "pip")
    assert len(str(caught.value).splitlines()) == 2
    assert not install.is_installed(root)
    _install(root, monkeypatch)
    assert install.is_installed(root)


def test_next_installation_waits_for_what_a_killed_one_left_running(root: Path) -> None:
    """The programs that write into .venv hold the lock themselves."""
    script = (
        "import sys, os, subprocess, pathlib; from trial.config.supervisor import install\n"
        "with install._alone(pathlib.Path(sys.argv[1])) as lock:\n"
        "    subprocess.Popen(['sleep', '1'], pass_fds=(lock,)); os._exit(9)\n"
    )
    began = time.monotonic()
    killed = subprocess.run([sys.executable, "-c", script, str(root)], cwd=install.ROOT, check=False)
    assert killed.returncode == 9
    with install._alone(root):
        assert time.monotonic() - began >= 1


def test_programs_that_write_into_venv_get_the_lock(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with install._alone(root) as lock:
        assert install._logged([sys.executable, "-c", f"import os; os.fstat({lock})"], log, lock), log.read_text()


def test_missing_venv_is_one_line_for_others_than_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SupervisorError, match=r"^Python's venv is missing\. Type: sudo apt-get install python3-venv"):
        install.install(root, lambda step: None)


def test_stamp_holds_the_hash_of_the_list(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(root, monkeypatch)
    stamp = (root / ".venv" / install.STAMP).read_text()
    assert stamp.startswith(hashlib.sha256(LOCK.encode()).hexdigest())
