"""What listens while a world is asked: the log, e-mails, messages to the open queues, and the statements that an answer takes."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.core import mail
from django.test.utils import override_settings

from trial.core import db, side
from trial.core.api import gate

SENT: list[tuple[str, str, tuple[str, ...]]] = []
OPEN_QUEUES = ("default", "allocation")
"""The queues whose broker user blinded processes hold."""
RELAYS: list[Callable[[str, str, Sequence[str]], None]] = []
"""Who gets each message as well."""


SAVEPOINT = re.compile(r'"s[0-9]+_x[0-9]+"')


def keep(queue: str, name: str, args: Sequence[str]) -> None:
    """In place of the broker: remember the message, and let nobody work on it."""
    SENT.append((queue, name, tuple(args)))
    for relay in RELAYS:
        relay(queue, name, args)


@contextmanager
def relayed(to: Callable[[str, str, Sequence[str]], None]) -> Iterator[None]:
    """While the block lasts each message goes there, too."""
    RELAYS.append(to)
    try:
        yield
    finally:
        RELAYS.remove(to)


@dataclass
class Listener(logging.Handler):
    """Everything that was noticed since it was last asked."""

    statements: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def note(self, statement: str) -> None:
        """A statement, without the name that Django gives a savepoint after the thread."""
        self.statements.append(SAVEPOINT.sub("SAVEPOINT", statement))

    def emit(self, record: logging.LogRecord) -> None:
        """A record of the application's log, with the error that it carries."""
        error = repr(record.exc_info[1]) if record.exc_info else ""
        self.records.append(f"{record.levelname} {record.name}: {record.getMessage()} {error}".strip())

    def taken(self) -> dict[str, tuple[str, ...]]:
        """What was noticed, by channel; then nothing is left."""
        mails = [f"{one.subject}\n{sorted(one.recipients())}\n{one.message()}" for one in getattr(mail, "outbox", [])]
        found = {
            "queries": tuple(self.statements),
            "log": tuple(self.records),
            "mail": tuple(mails),
            "broker": tuple(f"{queue} {name} {args}" for queue, name, args in SENT if queue in OPEN_QUEUES),
        }
        for full in (self.statements, self.records, SENT, getattr(mail, "outbox", [])):
            full.clear()
        return found


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen while the block lasts. Nothing is sent, and no program is slowed down by the pace of its questions."""
    listener = Listener()
    paces = {pace: pace.limit for pace in (gate.PER_TOKEN, gate.WRONG_TOKENS)}
    root = logging.getLogger()
    here = {
        "TASK_SENDER": f"{__name__}.keep",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "ALLOWED_HOSTS": [*settings.ALLOWED_HOSTS, "testserver"],
    }
    with ExitStack() as stack:
        stack.enter_context(override_settings(**here))
        for one in (side.OPEN, side.UNBLINDED):
            with side.on(one):
                stack.enter_context(db.watched(listener.note))
        handlers, root.handlers = root.handlers, [listener]  # what is provoked is not printed
        for pace in paces:
            pace.limit = 1_000_000
        listener.taken()
        try:
            yield listener
        finally:
            root.handlers = handlers
            for pace, limit in paces.items():
                pace.limit = limit
