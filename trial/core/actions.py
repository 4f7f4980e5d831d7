"""What an action is: the only way in which the trial's state changes.

An action is a function in a module called ``actions``; keyword-only; with ``by=``. It runs in one transaction on the current side, and
its name goes into the history with everything that it writes. It refuses with :class:`trial.core.errors.Refused`, having changed nothing.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from trial.core import db, side
from trial.core.declassified import NAMES, SITE_STAFF

F = TypeVar("F", bound=Callable[..., Any])

REGISTRY: dict[str, Callable[..., Any]] = {}


def action(function: F) -> F:
    """Make ``function`` an action. A ``reason`` keyword, where there is one, goes into the history too.

    Refuses (TypeError, at import) a function with positional parameters or without ``by``.
    """
    parameters = inspect.signature(function).parameters
    positional = [p.name for p in parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    if positional or "by" not in parameters:
        raise TypeError(f"{function.__qualname__}: an action takes keywords only, `by` among them.")
    name = f"{function.__module__}.{function.__name__}"

    @functools.wraps(function)
    def run(**given: Any) -> Any:
        reason = str(given.get("reason", ""))
        with side.writing_open(name in NAMES), db.atomic(), db.acting(by=given["by"], action=name, reason=reason):
            return function(**given)

    REGISTRY[name] = run
    return run  # type: ignore[return-value]


def part(function: F) -> F:
    """Mark a public function that writes, or holds a row, as a part of actions: it runs inside one, under its name and author.

    Refuses (RuntimeError) to run alone.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not db.acting_in():
            raise RuntimeError(f"{function.__qualname__} is a part of an action and does not run alone.")
        return function(*args, **kwargs)

    return run  # type: ignore[return-value]


def author(by: db.Actor) -> str:
    """Whom an open row names as its author: of the unblinded side nobody in particular."""
    return SITE_STAFF if side.current() == side.UNBLINDED else by.actor_id
