"""Fixtures for the tests of assessments: a small trial, and quick password hashes."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.unit.assessments.small_trial import START, Trial
from trial.core import clock


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def trial(database: psycopg.Connection[Any]) -> Iterator[Trial]:
    """Beat the Blues on the morning of 10 March 2026, with a frozen clock."""
    with clock.frozen(START):
        yield Trial()
