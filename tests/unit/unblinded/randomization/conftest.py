"""Quick passwords, and nobody to send to."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
