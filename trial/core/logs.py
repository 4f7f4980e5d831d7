"""The log: what the program says of itself, without values of the trial.

An error of the database prints the row that it refused, with everything that was typed into it. The log is read by whoever runs the server,
so that such a row stands in it only where every field of its table is classified as safe.
"""

import logging
from collections.abc import Iterator

import psycopg
from django.db import Error

from trial.core.classified import is_safe

DATA_EXCEPTION = "22"
"""The class of errors whose first line already holds the value that was refused."""


class Formatter(logging.Formatter):
    """Writes errors of the database without the row that they print."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text. What was made for another handler (``exc_text``) is made anew, and not kept."""
        record.exc_text = None
        text = super().format(record)
        record.exc_text = None
        error = record.exc_info[1] if record.exc_info else None
        for one in _chain(error):
            if isinstance(one, psycopg.Error | Error) and str(one):
                said = _said(one)
                text = text.replace(repr(one), f"{type(one).__name__}({said!r})").replace(str(one), said)
        return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def _said(error: BaseException) -> str:
    """What the log says of an error of the database: its code, and what it is about."""
    diag = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "diag", None)
    if diag is None or diag.sqlstate is None:  # no connection: the server said nothing of a row
        return str(error)
    if diag.table_name and is_safe(diag.table_name):
        return str(error)
    about = [diag.table_name, diag.column_name, diag.constraint_name]
    words = "a value was refused" if diag.sqlstate.startswith(DATA_EXCEPTION) else diag.message_primary or ""
    return f"{words} [{' '.join((diag.sqlstate, *(one for one in about if one)))}]"
