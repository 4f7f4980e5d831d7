"""One world: its folder, its lock, its secrets. A second start on the same folder is refused here."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from trial.config.supervisor.errors import SupervisorError

ROOT = Path(__file__).resolve().parents[3]
NEEDED_MEGABYTES = 300
PROTOCOLS = {"imr": "imr", "imr-interim": "imr", "btheb": "btheb"}
"""The trials of the demo, the first unless another is asked for, each with the folder of its protocol."""
DEMO_WORLDS = ("imr", "imr-end", "imr-interim", "imr-interim-end", "btheb")
"""The worlds: a trial at a point in time, each with a data folder of its own."""
SECRETS = ("owner", "blinded", "unblinded", "allocator", "broker-blinded", "broker-unblinded", "key")


@dataclass(frozen=True)
class Choice:
    """What the person asked for: a demo world or the team's own trial, and where."""

    world: str
    folder: Path
    protocol: Path

    @property
    def is_demo(self) -> bool:
        """Whether this world holds synthetic data and known passwords."""
        return self.world in DEMO_WORLDS

    @classmethod
    def read(cls, mode: str, environment: Mapping[str, str]) -> Choice:
        """Read TRIAL, AT, VAR and PROTOCOL. Raises SupervisorError, with what is allowed, for anything else."""
        root = Path(environment.get("VAR") or "var").expanduser().absolute()
        if mode == "demo":
            trial, world = _demo(environment.get("TRIAL") or next(iter(PROTOCOLS)), environment.get("AT", ""))
            return cls(world, root / world, ROOT / "protocols" / PROTOCOLS[trial])
        protocol = environment.get("PROTOCOL", "") or remembered_protocol(root / "run")
        if not protocol:
            raise SupervisorError("Say which trial to run: make run PROTOCOL=folder (protocols/imr is an example).")
        path = Path(protocol).expanduser().absolute()
        if not path.is_dir():
            raise SupervisorError(f"PROTOCOL={protocol} is not a folder. Give the folder with your trial's protocol.")
        return cls("run", root / "run", path)

    def remember_protocol(self) -> None:
        """Let the next ``make run`` on this folder do without PROTOCOL."""
        (self.folder / "protocol").write_text(str(self.protocol))


def _demo(trial: str, at: str) -> tuple[str, str]:
    """The trial of a demo and the world: the trial, or the trial at its end."""
    if trial not in PROTOCOLS:
        raise SupervisorError(f"TRIAL={trial} is not a demo. Choose one of: {', '.join(PROTOCOLS)}.")
    if at not in ("", "end"):
        raise SupervisorError(f"AT={at} is not a time of the demo. Say AT=end, or nothing for the trial under way.")
    if at and f"{trial}-{at}" not in DEMO_WORLDS:
        raise SupervisorError(
            f"AT={at} is for TRIAL=imr or imr-interim: the demo of {trial} is at its end anyway. Leave AT out."
        )
    return trial, f"{trial}-{at}" if at else trial


def remembered_protocol(folder: Path) -> str:
    """The protocol that this folder was started with; nothing before the first start."""
    try:
        return (folder / "protocol").read_text().strip()
    except OSError:
        return ""


class World:
    """The locked folder of a running world. Use it as a context manager; the lock ends with this process at the latest.

    Entering raises SupervisorError when the folder cannot be made or written to, when its disk is full, or when
    another Equipoise runs on it.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.folder = choice.folder
        self._lock: TextIO | None = None

    def __enter__(self) -> World:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a+")
        except OSError as error:
            raise SupervisorError(
                f"Cannot write to the data folder {self.folder}: {error.strerror}.\nChoose another: VAR=/path/to/folder"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            where = lock.read().strip() or "it is still starting"
            lock.close()
            raise SupervisorError(
                f"Equipoise already runs on {self.folder} ({where}).\n"
                "Use that one, or stop it with Ctrl-C, or choose another folder: VAR=/path/to/folder"
            ) from error
        self._lock = lock
        self._check_room()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def tell(self, text: str) -> None:
        """Write into the lock what a second start shall say about the first."""
        if self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(text)
            self._lock.flush()

    def secret(self, name: str) -> str:
        """Return a secret of this world, made up at its first use and kept in ``secrets/``, mode 0600."""
        if name not in SECRETS:
            raise KeyError(name)
        path = self.folder / "secrets" / name
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not path.exists() or not path.read_text().strip():
                unfinished = path.with_name(f".{name}.unfinished")
                unfinished.unlink(missing_ok=True)
                with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_urlsafe(32))
                unfinished.rename(path)
            return path.read_text().strip()
        except OSError as error:
            raise SupervisorError(f"Cannot keep a secret in {path}: {error.strerror}.") from error

    def clock_offset(self) -> str | None:
        """Return the seconds that the demo's clock is off, as its player wrote them down, or None."""
        try:
            return (self.folder / "clock_offset").read_text().strip() or None
        except OSError:
            return None

    def told(self) -> dict[str, str]:
        """What every process of this world is told: nothing confidential but the key that signs sessions."""
        choice = self.choice
        told = {
            "DJANGO_SETTINGS_MODULE": "trial.config.settings",
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.secret("key"),
            "DEMO": "1" if choice.is_demo else "0",
            "EQUIPOISE_WORLD": choice.world,
            "VAR": str(choice.folder.parent),
            "PROTOCOL": str(choice.protocol),
        }
        offset = self.clock_offset()
        return told if offset is None else {**told, "CLOCK_OFFSET": offset}

    @property
    def is_played(self) -> bool:
        """Whether the demo's player reached its end, at this start or an earlier one."""
        return (self.folder / "complete").exists()

    def _check_room(self) -> None:
        """Try the disk before a database is half made on it."""
        try:
            free = shutil.disk_usage(self.folder).free
            probe = self.folder / ".probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise SupervisorError(
                    f"Cannot write to the data folder {self.folder}: {error.strerror}.\n"
                    "Choose another: VAR=/path/to/folder"
                ) from error
            free = 0
        if free < NEEDED_MEGABYTES * 1_000_000:
            raise SupervisorError(
                f"The disk of {self.folder} is nearly full: {free // 1_000_000} MB free, "
                f"{NEEDED_MEGABYTES} MB needed.\nMake room, or choose another: VAR=/path/to/folder"
            )
