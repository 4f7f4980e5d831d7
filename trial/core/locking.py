"""The database lock as every page sees it: a public fact, the same on both sides. The upper packages know it (``settings.LOCKED_AT``)."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string


def locked_at() -> dt.datetime | None:
    """When the database was locked, or None. One query."""
    named: str | Callable[[], dt.datetime | None] = getattr(settings, "LOCKED_AT", "")
    if not named:
        return None
    says: Callable[[], dt.datetime | None] = import_string(named) if isinstance(named, str) else named
    return says()


def locked_page(request: HttpRequest) -> HttpResponse | None:
    """What stands in place of a form that the lock refuses, None before the lock.

    Only when a form is asked for: what was typed before the lock goes to the action, which refuses it and keeps it on the page.
    """
    if request.method not in ("GET", "HEAD") or locked_at() is None:
        return None
    return render(request, "locked.html", status=409)
