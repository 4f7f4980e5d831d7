"""The two servers of a world that has none given: database and broker, with the logins of this world."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from trial.config.supervisor import processes
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.postgres import EmbeddedPostgres
from trial.config.supervisor.services import (
    ALLOCATOR_URL,
    BLINDED_URL,
    BROKER_URL,
    OWNER_URL,
    UNBLINDED_BROKER_URL,
    UNBLINDED_URL,
)
from trial.config.supervisor.valkey import EmbeddedValkey
from trial.config.supervisor.world import World

DATABASE = "equipoise"


class EmbeddedServers:
    """PostgreSQL and Valkey on a world's folder, started and stopped together."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.database = EmbeddedPostgres(world.folder, owner_password=world.secret("owner"))
        self.broker = EmbeddedValkey(
            world.folder,
            blinded_password=world.secret("broker-blinded"),
            unblinded_password=world.secret("broker-unblinded"),
        )

    def start(self, pids: Path) -> dict[str, str]:
        """Start both; return the six addresses. Raises SupervisorError; then neither runs."""
        try:
            self.database.start()
            self._remember(pids)
            ensure_database(self.database.owner_url())
            self.broker.start()
            self._remember(pids)
        except BaseException:
            self.stop(pids)
            raise
        return self.addresses()

    def addresses(self) -> dict[str, str]:
        """The six addresses, whether the servers run or not."""
        return {
            OWNER_URL: self.database.owner_url(DATABASE),
            **{
                name: self.database.url(f"equipoise_{side}", self.world.secret(side), DATABASE)
                for name, side in ((BLINDED_URL, "blinded"), (UNBLINDED_URL, "unblinded"), (ALLOCATOR_URL, "allocator"))
            },
            BROKER_URL: self.broker.url("blinded"),
            UNBLINDED_BROKER_URL: self.broker.url("unblinded"),
        }

    def check(self, pids: Path) -> list[str]:
        """Start a broker that died again and return what to say about it.

        Raises SupervisorError, with the end of its log, when the database died: nothing can go on without it.
        """
        if self.database.process is not None and self.database.process.poll() is not None:
            raise SupervisorError(
                f"The database server stopped; everything else is stopped now. Its log is {self.database.log}.\n"
                f"{processes.tail(self.database.log, 6)}\nStart again with the same command; nothing saved is lost."
            )
        if self.broker.process is not None and self.broker.process.poll() is not None:
            self.broker.stop()
            self.broker.start()
            self._remember(pids)
            return [f"The broker stopped and was started again; log {self.broker.log}"]
        return []

    def stop(self, pids: Path) -> None:
        """Stop the broker, then the database. Returns when both are gone."""
        self.broker.stop()
        self.database.stop()
        for name in ("valkey", "postgres"):
            processes.forget(pids, name)

    def _remember(self, pids: Path) -> None:
        for name, process in (("postgres", self.database.process), ("valkey", self.broker.process)):
            if process is not None:
                processes.remember(pids, name, process.pid)


def ensure_database(owner_url: str) -> None:
    """Make the database if there is none, and close the others to service logins: their catalogs count secret rows too."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        if owner.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            owner.execute(sql.SQL("create database {} template template0").format(sql.Identifier(DATABASE)))
        for other in ("postgres", "template1"):
            owner.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(other)))
