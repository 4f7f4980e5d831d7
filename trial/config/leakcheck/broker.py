"""The broker at rest, as its blinded user reads it: a real server with the users of the installation, and the messages of a played world.

It is a scratch server, of the same program with the same list of users: nothing of a played world reaches the broker of the trial. One user
more, of the scratch server alone, lists the keys, since the blinded user cannot.
"""

import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from trial.config.celery import application
from trial.config.leakcheck.listening import relayed
from trial.config.supervisor.valkey import EmbeddedValkey

LISTER = "lister"
READS: dict[str, tuple[tuple[str, ...], ...]] = {
    "string": (("STRLEN",), ("GET",)),
    "list": (("LLEN",), ("LRANGE", "0", "-1")),
    "set": (("SCARD",), ("SMEMBERS",)),
    "zset": (("ZCARD",), ("ZRANGE", "0", "-1")),
    "hash": (("HLEN",), ("HGETALL",)),
    "stream": (("XLEN",), ("XRANGE", "-", "+")),
}
"""By type of a key, how its length and its content are read."""
WITHOUT_KEY = (
    "DBSIZE",
    "RANDOMKEY",
    "KEYS *",
    "SCAN 0",
    "INFO",
    "LASTSAVE",
    "ROLE",
    "CLIENT LIST",
    "PUBSUB CHANNELS",
    "SLOWLOG GET",
    "ACL WHOAMI",
)
"""What tells about other keys or people, and is asked for as well: a refusal is an answer."""

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CHANCE: dict[str, tuple[re.Pattern[str], str]] = {
    "the number of a message": (re.compile(rf'("(?:id|root_id|correlation_id|delivery_tag)": "){UUID}'), r"\1NUMBER"),
    "the process that sent a message": (re.compile(rf'("reply_to": "){UUID}'), r"\1PROCESS"),
    "the number of that process": (re.compile(r'("origin": "gen)[0-9]+@'), r"\1PROCESS@"),
}
"""What the program that sends draws anew for each message, and is no event of a trial."""


@dataclass(frozen=True)
class Broker:
    """A scratch server while it runs. ``urls``: its address for the open and for the unblinded side."""

    socket: Path
    passwords: dict[str, str]
    urls: dict[str, str]

    def send(self, queue: str, name: str, args: Sequence[str]) -> None:
        """Put the message where the application puts it; nobody works on it."""
        before, settings.BROKERS = settings.BROKERS, self.urls
        try:
            with application(queue) as app:
                app.send_task(name, args=list(args), queue=queue, retry=False)
        finally:
            settings.BROKERS = before

    def client(self, user: str) -> redis.Redis:
        """A connection of one of the server's users."""
        return redis.Redis(
            unix_socket_path=str(self.socket), username=user, password=self.passwords[user], decode_responses=True
        )

    def read(self) -> dict[str, list[str]]:
        """By key (and by question without a key) what the blinded user is answered: type, length and content.

        A key that this user may not read is not named: of such keys the user cannot even know that they are there.
        """
        found: dict[str, list[str]] = {}
        with self.client(LISTER) as lister, self.client("blinded") as blinded:
            for key in sorted(map(str, lister.execute_command("KEYS", "*"))):
                kind = _asked(blinded, "TYPE", key)
                if not _is_refused(kind):
                    questions = [(name, key, *rest) for name, *rest in READS.get(kind[0], ())]
                    found[key] = [*kind, *(line for question in questions for line in _asked(blinded, *question))]
            for question in WITHOUT_KEY:
                found[question] = _asked(blinded, *question.split())
        return found


def _is_refused(answer: list[str]) -> bool:
    return answer[0].startswith("NOPERM")


def _asked(client: redis.Redis, *question: str) -> list[str]:
    """The answer as lines, without chance. What has no order is sorted."""
    try:
        answer: Any = client.execute_command(*question)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return ["NOPERM"]
    if isinstance(answer, dict):
        answer = [f"{name}={value}" for name, value in answer.items()]
    lines = [str(one) for one in answer] if isinstance(answer, list | tuple | set) else [str(answer)]
    for pattern, kept in CHANCE.values():
        lines = [pattern.sub(kept, line) for line in lines]
    return sorted(lines) if question[0] in ("SMEMBERS", "HGETALL") else lines


@contextmanager
def scratch() -> Iterator[Broker]:
    """A server for the block, to which every message goes that a played world sends. Needs the program of the installation."""
    names = ("blinded", "unblinded", LISTER)
    passwords = {name: secrets.token_urlsafe(24) for name in names}
    lister = f"user {LISTER} reset on >{passwords[LISTER]} ~* resetchannels -@all +keys\n"
    with tempfile.TemporaryDirectory(prefix="equipoise-leakcheck-") as folder:
        server = EmbeddedValkey(
            folder,
            blinded_password=passwords["blinded"],
            unblinded_password=passwords["unblinded"],
            more_rules=lister,
        )
        server.start()
        try:
            urls = {"open": server.url("blinded"), "unblinded": server.url("unblinded")}
            broker = Broker(server.socket, passwords, urls)
            with relayed(broker.send):
                yield broker
        finally:
            server.stop()
