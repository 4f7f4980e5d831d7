"""Played worlds that tests only read: each is played once a run, by the command itself, into a database that all workers share."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from assessments.visits.schedule import State
from tests import database as server

THIN = ("background", "imrs_client", "sers", "ses", "asi")
"""Instruments of a thin world: the primary, self-esteem, one of a clinician, one of a single item."""

PERSONAL = {State.WITHDRAWN, State.DIED}
"""States of a visit that come from the person: the calendar alone does not make them."""


def thin_protocol(folder: Path) -> Path:
    """The IMR protocol with a third of its forms: the same people and visits in a fifth of the time."""
    copy = folder / "imr"
    shutil.copytree(server.ROOT / "protocols" / "imr", copy)
    for file in (copy / "instruments").glob("*.toml"):
        if file.stem not in THIN:
            file.unlink()
    plan = copy / "plan.toml"
    left = ", ".join(f'"{code}"' for code in THIN if code not in ("background", "imrs_client"))
    text = re.sub(r"^secondary = \[.*\]", f"secondary = [{left}]", plan.read_text(), flags=re.MULTILINE)
    # lots and samples are held elsewhere: here they would take as long as everything else
    plan.write_text(re.sub(r'\[\[sensitivity\]\].*\ncode = "(?:rerandomization|bootstrap)"\n(?:\w.*\n)+', "", text))
    return copy


def played(world: str, folder: Path, protocol: Path | None = None, *, processes: int = 2) -> dict[str, str]:
    """The environment of a database in which ``world`` has been played. ``folder``: VAR of the play."""
    name = "_".join(["equipoise", world.replace("-", "_"), "thin" if protocol else "whole", str(processes)])
    environment = server.environment_of(name)
    maintenance = environment["OWNER_DATABASE_URL"].replace(f"/{name}?", "/postgres?")
    with psycopg.connect(maintenance, autocommit=True) as owner:
        owner.execute("select pg_advisory_lock(42)")
        if not owner.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            _play(world, folder, protocol, processes, f"{name}_unfinished")
            owner.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(f"{name}_unfinished"), sql.Identifier(name)
                )
            )
    return environment


def _play(world: str, folder: Path, protocol: Path | None, processes: int, database: str) -> None:
    environment = {**os.environ, **server.clone(database), "VAR": str(folder)}
    command = [sys.executable, "manage.py", "play_demo", "--world", world, "--processes", str(processes)]
    command += ["--protocol", str(protocol)] if protocol else []
    run = subprocess.run(command, cwd=server.ROOT, env=environment, capture_output=True, text=True, check=False)
    print(run.stdout.splitlines()[-1:])  # noqa: T201 - how long it took
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
