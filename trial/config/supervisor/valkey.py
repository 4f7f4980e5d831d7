"""A Valkey server of our own: the broker, with one user for each side.

The user ``blinded`` reaches only keys and channels that begin with ``open:``, the user ``unblinded`` only those that
begin with ``unblinded:``, and neither can count or list what the other has. Nobody gets in without a password. Celery
must therefore set ``global_keyprefix`` to ``open:`` or ``unblinded:`` in its broker's transport options.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from trial.config.supervisor import processes
from trial.config.supervisor.binaries import valkey_server
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.sockets import drop_socket_folder, socket_folder

PREFIXES = {"blinded": "open:", "unblinded": "unblinded:"}
START_PATIENCE = 30.0

# What Celery's transport needs and nothing that tells about other keys: SCAN, RANDOMKEY, DBSIZE and PUBSUB answer
# without regard to the key prefix; INFO, KEYS, CLIENT LIST, MONITOR, SLOWLOG are in @dangerous or @admin. Of the scripts
# only loading: a worker frees its lock by a script, whose keys are checked like any other's.
_RIGHTS = "+@all -@admin -@dangerous -scan -randomkey -dbsize -pubsub -memory -object -function -script +script|load -wait -waitaof"


def access_list(passwords: Mapping[str, str]) -> str:
    """Return the text of the ACL file for these passwords by user; it holds hashes only.

    A subscription by pattern must name a pattern that the list has literally: those that Celery's remote control and
    event messages subscribe to are therefore listed one by one.
    """
    lines = ["user default reset off"]
    for user, password in passwords.items():
        prefix = PREFIXES[user]
        channels = [f"&{prefix}*"] + [f"&{prefix}/0.{name}" for name in ("celery.pidbox", "celeryev", "celeryev/*")]
        digest = hashlib.sha256(password.encode()).hexdigest()
        lines.append(f"user {user} reset on #{digest} ~{prefix}* resetchannels {' '.join(channels)} {_RIGHTS}")
    return "\n".join(lines) + "\n"


class EmbeddedValkey:
    """One Valkey server on one folder, with an append-only file, so that a job outlives a killed server.

    `folder` gets ``valkey/`` (data and ACL), ``log/valkey.log`` and, where the path is short enough, ``sockets/``.

    `more_rules` are further lines of the list of users, for a scratch server.
    Attributes: `socket` (the socket's path), `log` (file), `process` (None when stopped).
    """

    def __init__(
        self, folder: Path | str, *, blinded_password: str, unblinded_password: str, more_rules: str = ""
    ) -> None:
        self.folder = Path(folder).absolute()
        self.passwords = {"blinded": blinded_password, "unblinded": unblinded_password}
        self.more_rules = more_rules
        self.data = self.folder / "valkey"
        self.log = self.folder / "log" / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The path of the Unix socket."""
        return socket_folder(self.folder) / "valkey.sock"

    def url(self, user: str) -> str:
        """Return the broker's address for ``blinded`` or ``unblinded``, as Celery (kombu) reads it.

        The form is ``redis+socket://user:password@/quoted/path``: the slash after ``@`` is the path's first. For
        redis-py itself the same address begins with ``unix://``.
        """
        return f"redis+socket://{user}:{quote(self.passwords[user], safe='')}@{quote(str(self.socket))}"

    def start(self) -> None:
        """Start the server and return once it answers. The caller holds the lock of `folder`.

        Raises SupervisorError with the end of the log when it does not come up.
        """
        if self.process is not None and self.process.poll() is None:
            return
        rules = self.data / "users.acl"
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            rules.touch(mode=0o600)
            rules.write_text(access_list(self.passwords) + self.more_rules)
            self.socket.unlink(missing_ok=True)
        except OSError as error:
            raise SupervisorError(f"Cannot write to {self.data}: {error.strerror}.") from error
        self.process = processes.spawn(
            [str(valkey_server()), *self._settings(rules)], log=self.log, death_signal=signal.SIGTERM, cwd=self.data
        )
        deadline = time.monotonic() + START_PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SupervisorError(
                    f"The broker stopped while starting; its log is {self.log}.\n{processes.tail(self.log, 4)}"
                )
            time.sleep(0.02)

    def stop(self, patience: float = 10.0) -> None:
        """Stop the server; what is queued is on disk. Returns when it is gone."""
        if self.process is not None:
            processes.stop(self.process, first=signal.SIGTERM, patience=patience)
            self.process = None
            drop_socket_folder(self.socket.parent)

    def _settings(self, rules: Path) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "aclfile": str(rules),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _answers(self) -> bool:
        """Whether our child is alive and answers; without a password the right answer is a refusal."""
        if self.process is None or self.process.poll() is not None:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5.0)
            try:
                client.connect(os.fspath(self.socket))
                client.sendall(b"PING\r\n")
                reply = client.recv(64)
            except OSError:
                return False
        return reply.startswith((b"-NOAUTH", b"+PONG"))
