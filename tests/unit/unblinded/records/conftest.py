"""A trial on its treatment side with an abstractor, on the morning of 6 January 2025, with a frozen clock."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.records import with_abstractor
from tests.treatment import START, Treatment
from trial.core import clock


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


@pytest.fixture
def trial(database: psycopg.Connection[Any]) -> Iterator[Treatment]:
    with clock.frozen(START):
        yield with_abstractor(Treatment(people=2))
