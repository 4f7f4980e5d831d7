"""What must be settled before the database lock, as the upper packages say it (``settings.LOCK_CHECKS``, dotted functions)."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from trial.core.ui.tables import Table
from trial.core.ui.text import Text


@dataclass(frozen=True)
class LockCheck:
    """Something that is open: what, and where it is settled in one step."""

    title: Text
    table: Table
    settle_url: str
    settle: Text


def open_checks() -> list[LockCheck]:
    """Everything that holds up the lock; empty when nothing does."""
    named: list[str] = settings.LOCK_CHECKS
    asked: list[Callable[[], LockCheck | None]] = [import_string(name) for name in named]
    return [found for found in (ask() for ask in asked) if found is not None]
