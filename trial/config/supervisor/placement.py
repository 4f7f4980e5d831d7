"""Where the database's programs and data lie, for a root that may have no user namespaces.

Usually both stay where they are. Without user namespaces the server runs as user 65534, which cannot enter root's own
folders: then the programs are copied, and the data kept, below /var/lib/equipoise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from trial.config.supervisor import privileges
from trial.config.supervisor.errors import SupervisorError

OPEN_ROOT = Path("/var/lib/equipoise")


@dataclass(frozen=True)
class Placement:
    """Where the programs are, which major version they have, and which folder gets the data."""

    programs: Path
    major: int
    folder: Path


def place(folder: Path, programs: Path, major: int, *, open_root: Path = OPEN_ROOT) -> Placement:
    """Return where to run from and where to keep the data for the world in `folder`.

    Raises SupervisorError when a folder is needed that cannot be made.
    """
    if privileges.for_servers().user is None:
        return Placement(programs, major, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not privileges.can_enter(programs):
            programs = _copy_programs(programs, open_root)
        if not privileges.can_enter(folder):
            mark = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
            folder = open_root / mark
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            folder.chmod(0o711)
    except OSError as error:
        raise SupervisorError(f"Cannot make {error.filename} for the database: {error.strerror}.") from error
    return Placement(programs, major, folder)


def _copy_programs(programs: Path, open_root: Path) -> Path:
    """Copy the whole installation (bin, lib, share) once; the copy is found again by its version's path."""
    home = programs.parent
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    target = open_root / f"programs-{mark}"
    if not target.exists():
        unfinished = target.with_name(target.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        open_root.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copytree(home, unfinished, symlinks=True)
        unfinished.rename(target)
    return target / programs.name
