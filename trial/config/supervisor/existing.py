"""A world that is there already: the one that TRIAL and VAR name, with its servers, which are started for the while where they do not run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg

from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.servers import EmbeddedServers
from trial.config.supervisor.world import DEMO_WORLDS, PROTOCOLS, ROOT, Choice, World, remembered_protocol


def chosen() -> Choice:
    """The world that TRIAL names, or the team's own. Raises SupervisorError for a name that is no world."""
    name = os.environ.get("TRIAL") or "run"
    if name not in (*DEMO_WORLDS, "run"):
        raise SupervisorError(
            f"TRIAL={name} is not a world. Choose one of: {', '.join(DEMO_WORLDS)}, or none for your own."
        )
    folder = Path(os.environ.get("VAR") or "var").expanduser().absolute() / name
    known = remembered_protocol(folder)
    return Choice(
        name, folder, Path(known) if known else ROOT / "protocols" / PROTOCOLS.get(name.removesuffix("-end"), name)
    )


def must_exist(choice: Choice) -> None:
    """Raises SupervisorError where nobody has started this world yet."""
    if not (choice.folder / "secrets" / "owner").exists():
        raise SupervisorError(
            f"There is no trial in {choice.folder}. Say where: VAR=folder, and for a demo TRIAL={' or '.join(DEMO_WORLDS)}."
        )


@contextlib.contextmanager
def running(choice: Choice, *, broker: bool) -> Iterator[dict[str, str]]:
    """The six addresses of the world's servers. A running world is left alone; otherwise its database, and with ``broker`` that too, run
    for the block, and nobody else can start it meanwhile.
    """
    choice.folder.mkdir(parents=True, exist_ok=True)
    world = World(choice)
    servers = EmbeddedServers(world)
    try:
        psycopg.connect(servers.database.owner_url(), connect_timeout=3).close()
    except psycopg.OperationalError:
        with world:
            servers.database.start()
            try:
                if broker:
                    servers.broker.start()
                yield servers.addresses()
            finally:
                servers.broker.stop()
                servers.database.stop()
    else:
        yield servers.addresses()
