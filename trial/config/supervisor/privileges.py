"""PostgreSQL refuses to run as root: how root starts it all the same.

The first choice is a user namespace in which root is user 65534: no account is added and no file changes its owner.
Where the kernel refuses user namespaces, the server runs as user 65534 for real; then its files must belong to that
user and lie where it can enter (``can_enter``, ``hand_over``).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534


@dataclass(frozen=True)
class Demotion:
    """How a server is started with fewer rights: a command put in front, or another user, or neither."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


AS_WE_ARE = Demotion()
_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")


@functools.cache
def for_servers() -> Demotion:
    """Return how to start a server that refuses root, for the user that we are."""
    if os.geteuid() != 0:
        return AS_WE_ARE
    if shutil.which("unshare") and subprocess.run([*_NAMESPACE, "true"], capture_output=True).returncode == 0:
        return Demotion(prefix=_NAMESPACE)
    return Demotion(user=NOBODY)


def can_enter(path: Path) -> bool:
    """Return whether user 65534 may enter this folder and all folders above it. `path` must exist."""
    resolved = path.resolve()
    return all(_may_pass(folder) for folder in (resolved, *resolved.parents))


def hand_over(folder: Path) -> None:
    """Give a folder and all that lies in it to user 65534."""
    os.chown(folder, NOBODY, NOBODY)
    for entry in folder.rglob("*"):
        os.chown(entry, NOBODY, NOBODY, follow_symlinks=False)


def _may_pass(folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == NOBODY:
        return bool(status.st_mode & 0o100)
    if status.st_gid == NOBODY:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
