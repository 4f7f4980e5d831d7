"""The two commands: which database, which file, and what to say."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

from trial.config import env
from trial.config.backup import dump
from trial.config.backup.sealed import BackupError, check_key
from trial.config.supervisor import existing
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.services import OWNER_URL
from trial.config.supervisor.world import Choice

USAGE = "Usage: python -m trial.config.backup backup [FILE] | restore FILE [DATABASE]"
SCRATCH = "equipoise_restored"


def main(arguments: list[str]) -> int:
    """Back up or restore. Returns the exit code, after one or two lines that say what happened."""
    try:
        match [word for word in arguments if word]:
            case ["backup", *rest] if len(rest) <= 1:
                return _backup(*rest)
            case ["restore", file, *rest] if len(rest) <= 1:
                return _restore(Path(file), *rest)
            case ["restore"]:
                raise BackupError("Say which backup: make restore FILE=backups/....backup")
            case _:
                raise BackupError(USAGE)
    except (BackupError, SupervisorError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _backup(name: str = "") -> int:
    key = env.get("BACKUP_KEY")
    check_key(key)
    world, now = existing.chosen(), dt.datetime.now(dt.UTC)
    file = Path(name or f"backups/{world.world}-{now:%Y%m%d-%H%M%S}.backup").absolute()
    with _owner_url(world, must_exist=True) as url:
        held = dump.back_up(url, file, key)
    rows = sum(count for count, _ in held.tables.values())
    sys.stdout.write(
        f"{file}: {len(held.tables)} tables, {rows} rows, {file.stat().st_size / 1e6:.1f} MB, encrypted.\n"
    )
    return 0


def _restore(file: Path, database: str = SCRATCH) -> int:
    key = env.get("BACKUP_KEY")
    check_key(key)
    with _owner_url(existing.chosen(), must_exist=False) as url:
        held, differences = dump.restore(url, file.absolute(), key, database)
    if differences:
        raise BackupError(f"Restored into {database}, but not equal to what was backed up:\n" + "\n".join(differences))
    rows = sum(count for count, _ in held.tables.values())
    sys.stdout.write(
        f"Restored into the database {database}: {len(held.tables)} tables, {rows} rows, each equal to the backup.\n"
        "Its logins get their rights from setup_database, which the next start of Equipoise on it runs.\n"
    )
    return 0


@contextlib.contextmanager
def _owner_url(choice: Choice, *, must_exist: bool) -> Iterator[str]:
    """The owner's address: the operator's own server, or that of the world, started for the while if it does not run."""
    if url := env.get("OWNER_DATABASE_URL"):
        yield url
        return
    if must_exist:
        existing.must_exist(choice)
    with existing.running(choice, broker=False) as addresses:
        yield addresses[OWNER_URL]
