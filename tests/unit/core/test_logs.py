"""The log names what went wrong and prints no row that was refused."""

import io
import logging
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

from tests import world
from trial.core import db, side
from trial.core.logs import Formatter

TYPED = "Jansen of Dordrecht"
Connection = psycopg.Connection[Any]


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    """A logger that writes as the application does."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    given = {**settings.LOGGING["formatters"]["line"]}
    handler.setFormatter(import_string(given.pop("()"))(given["format"]))
    logger = logging.Logger("planted")
    logger.addHandler(handler)
    return logger, out


def logged(log: tuple[logging.Logger, io.StringIO], statement: str, *values: Any) -> str:
    """What the log says when this statement fails, on the side that keeps accounts."""
    logger, out = log
    with pytest.raises(DatabaseError), world.at_work(world.SETUP, on=side.UNBLINDED), db.cursor() as c:
        try:
            c.execute(statement, values)
        except DatabaseError as error:
            logger.exception("It failed: %r", error)
            raise
    return out.getvalue()


ACCOUNT = (
    "insert into core_user(id, username, full_name, password, is_active, must_change_password, created_at)"
    " values (gen_random_uuid(), 'someone', %s, 'x', true, null, now())"
)


def test_a_refused_row_with_free_text_is_not_printed(log: Any, database: Connection) -> None:
    text = logged(log, ACCOUNT, TYPED)
    assert "It failed: IntegrityError(" in text
    assert "Traceback" in text
    assert "[23502 core_user must_change_password]" in text
    assert "Failing row" not in text
    assert TYPED not in text


def test_a_value_that_fits_no_type_is_not_printed(log: Any, database: Connection) -> None:
    text = logged(log, "select %s::uuid", TYPED)
    assert "a value was refused [22P02]" in text
    assert TYPED not in text


def test_a_row_of_a_safe_table_helps_whoever_looks_for_the_fault(log: Any, database: Connection) -> None:
    columns = "id, user_id, role, site, granted_by, confirmed_by, ended_by, granted_at"
    text = logged(log, f"insert into core_membership({columns}) values (null, null, 'monitor', '*', '', '', '', now())")
    assert "Failing row contains" in text


def test_other_errors_are_written_as_they_are(log: Any) -> None:
    logger, out = log
    try:
        raise ValueError("a number was expected")
    except ValueError:
        logger.exception("Run %s failed.", 7)
    assert "Run 7 failed." in out.getvalue()
    assert "ValueError: a number was expected" in out.getvalue()
    assert isinstance(logger.handlers[0].formatter, Formatter)


def test_without_the_formatter_the_row_would_stand_there(log: Any, database: Connection) -> None:
    log[0].handlers[0].setFormatter(logging.Formatter())
    text = logged(log, ACCOUNT, TYPED)
    assert "Failing row" in text
    assert TYPED in text
