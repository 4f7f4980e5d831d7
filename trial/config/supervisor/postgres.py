"""A PostgreSQL server of our own: no container, no system service, nothing left behind.

>>> server = EmbeddedPostgres(Path("var/demo"), owner_password="...")   # doctest: +SKIP
>>> server.start()                                                      # doctest: +SKIP
>>> server.url("blinded", password, "equipoise")                        # doctest: +SKIP
'postgresql://blinded:...@/equipoise?host=%2Fsrv%2Fvar%2Fdemo%2Fsockets'
>>> server.stop()                                                       # doctest: +SKIP

It listens on a Unix socket only, asks every login for its scram password there too, and its first login, a superuser,
is ``equipoise_owner``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg

from trial.config.supervisor import privileges, processes
from trial.config.supervisor.binaries import postgres_folder, postgres_major
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.placement import Placement, place
from trial.config.supervisor.sockets import drop_socket_folder, socket_folder

OWNER = "equipoise_owner"
START_PATIENCE = 60.0

# Errors must not carry secret rows or statements into a log that both sides share: terse, and no statement.
_SETTINGS = {
    "listen_addresses": "",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "logging_collector": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server on one folder.

    `folder` gets ``postgres-<major>/`` (data), ``log/postgres.log`` and, where the path is short enough, ``sockets/``.
    `extra_settings` go to the server as ``-c name=value`` and win over the defaults; with ``fsync=off`` (tests) initdb
    does not wait for the disk either. `max_connections` is for all logins together.

    Attributes: `socket` (folder of the Unix socket), `data` (data folder), `log` (file), `process` (None when stopped).
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        owner_password: str,
        extra_settings: Mapping[str, str] | None = None,
        max_connections: int = 100,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.owner_password = owner_password
        self.extra_settings = dict(extra_settings or {})
        self.max_connections = max_connections
        self.log = self.folder / "log" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._placement: Placement | None = None

    @property
    def data(self) -> Path:
        """The data folder, with the major version in its name."""
        return self._place().folder / f"postgres-{self._place().major}"

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket."""
        return socket_folder(self._place().folder)

    @property
    def programs(self) -> Path:
        """The folder with ``postgres``, ``pg_dump``, ``pg_restore`` and the rest."""
        return self._place().programs

    def url(self, user: str, password: str, dbname: str) -> str:
        """Return the address for a login, as libpq and Django's settings read it."""
        host = quote(str(self.socket), safe="")
        return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@/{quote(dbname, safe='')}?host={host}"

    def owner_url(self, dbname: str = "postgres") -> str:
        """Return the address for the owner."""
        return self.url(OWNER, self.owner_password, dbname)

    def start(self) -> None:
        """Make the data folder if there is none, start the server and return once it answers.

        The caller holds the lock of `folder`. A server that an earlier, killed run left on this folder is ended
        first. Raises SupervisorError with the end of the log when the server does not come up.
        """
        if self.process is not None and self.process.poll() is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._end_left_over()
            if not (self.data / "PG_VERSION").exists():
                self._initialize()
        except OSError as error:
            raise SupervisorError(f"Cannot write to {self.folder}: {error.strerror}.") from error
        demotion = privileges.for_servers()
        if demotion.user is not None:
            privileges.hand_over(self.socket)
        self.process = processes.spawn(
            [str(self.programs / "postgres"), "-D", str(self.data), *self._settings()],
            log=self.log,
            # Our own death is a crash: at once, without the checkpoint of an orderly stop, which may outlast 3 s on a
            # slow disk. The next start recovers from the write-ahead log.
            death_signal=signal.SIGQUIT,
            demotion=demotion,
        )
        self._wait_until_it_answers(self.process)

    def stop(self, patience: float = 20.0) -> None:
        """Stop the server (a fast shutdown: open transactions are rolled back). Returns when it is gone."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                # Immediate shutdown: ends the server's own children too; the next start recovers from the log.
                processes.stop(self.process, first=signal.SIGQUIT, patience=5.0)
        self.process = None
        drop_socket_folder(self.socket)

    def _place(self) -> Placement:
        if self._placement is None:
            programs = postgres_folder()
            self._placement = place(self.folder, programs, postgres_major(programs))
        return self._placement

    def _settings(self) -> list[str]:
        escaped = str(self.socket).replace('"', '""')
        settings = {
            **_SETTINGS,
            "max_connections": str(self.max_connections),
            "unix_socket_directories": f'"{escaped}"',
            "unix_socket_permissions": "0700",
            **self.extra_settings,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialize(self) -> None:
        """Make the data folder under a temporary name, then rename: a killed initdb leaves nothing that counts."""
        unfinished = self.data.with_name(self.data.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        demotion = privileges.for_servers()
        with tempfile.NamedTemporaryFile("w", dir=unfinished.parent, prefix=".first-password-") as secret:
            secret.write(self.owner_password + "\n")
            secret.flush()
            if demotion.user is not None:
                os.chown(secret.name, demotion.user, demotion.user)
                privileges.hand_over(unfinished)
            command = [str(self.programs / "initdb"), "-D", str(unfinished), "-U", OWNER, f"--pwfile={secret.name}"]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", *self._locale()]
            if self.extra_settings.get("fsync") == "off":
                command.append("--no-sync")
            initdb_log = self.log.with_name("initdb.log")
            initdb_log.unlink(missing_ok=True)
            made = processes.spawn(command, log=initdb_log, death_signal=signal.SIGKILL, demotion=demotion)
            if made.wait() != 0:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise SupervisorError(
                    f"The database could not be made in {self.data.parent} (is the disk full?). "
                    f"Make room and start again.\n{processes.tail(initdb_log, 3)}"
                )
        unfinished.rename(self.data)

    def _locale(self) -> list[str]:
        """Sort by code point, upper and lower case by Unicode: the same on every machine and after every upgrade."""
        if self._place().major >= 17:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]

    def _end_left_over(self) -> None:
        """End a server of an earlier run that still has this data folder; drop a pid file that names somebody else."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if processes.fingerprint(pid) is None:
            return  # PostgreSQL itself clears a pid file whose process is gone, and looks for orphans while doing so
        if processes.works_on(pid, self.data):
            processes.end_stranger(pid, first=signal.SIGINT, patience=10.0)
        else:
            pid_file.unlink()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while True:
            # The child first: another server on the same socket would answer for a child that died.
            if process.poll() is not None:
                self.process = None
                raise SupervisorError(
                    f"The database server stopped while starting; its log is {self.log}.\n{processes.tail(self.log, 4)}"
                )
            try:
                psycopg.connect(self.owner_url(), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    self.stop()
                    raise SupervisorError(
                        f"The database in {self.data} does not accept the owner's password kept beside it. "
                        f"Put the old secrets folder back, or move {self.folder} away to begin anew."
                    ) from error
                if time.monotonic() > deadline:
                    self.stop()
                    raise SupervisorError(
                        f"The database server did not answer within {START_PATIENCE:.0f} s; its log is {self.log}."
                    ) from error
                time.sleep(0.02)
            else:
                return
