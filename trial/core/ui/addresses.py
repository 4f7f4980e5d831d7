"""Addresses of pages that are mounted on both sides: below ``/unblinded/`` their names begin with ``unblinded_``."""

from typing import Any

from django.urls import reverse

from trial.core import side


def here(name: str, *args: Any) -> str:
    """The address of the page ``name`` on the side of the current unit of work."""
    return reverse(f"unblinded_{name}" if side.current() == side.UNBLINDED else name, args=args)
