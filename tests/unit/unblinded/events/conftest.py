"""A trial on its treatment side, on the morning of 6 January 2025, with a committee and an open coordinator."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests import world
from tests.treatment import START, Treatment
from trial.core import clock

OTHERS = {
    "cora": "coordinator", "dora": "dmc", "chris": "chair", "mina": "monitor_unblinded", "mo": "monitor", "dana": "datamanager",
    "prim": "investigator",
}  # fmt: skip


@pytest.fixture
def trial(database: psycopg.Connection[Any], settings: Any) -> Iterator[Treatment]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    with clock.frozen(START):
        made = Treatment()
        for name, role in OTHERS.items():
            made.users[name] = world.make_user(name, role, made.site)
            made.people[name] = world.person(made.users[name])
        yield made
