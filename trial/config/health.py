"""``/healthz``: 200 once logins, migrations, brokers, workers and beats are ready, and in JSON what is not."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from trial.config import alive
from trial.core import db, side
from trial.core.access import public


@public(alone=True)  # it asks both sides, each in turn
def healthz(request: HttpRequest) -> JsonResponse:
    """Each part with ``ok`` or what is wrong, in short. Says nothing about the trial."""
    parts: dict[str, Any] = {"web": "ok"}
    for alias, name in (("default", "database, open side"), ("unblinded", "database, unblinded side")):
        if db.is_configured(alias):
            parts[name] = _database(alias)
    for broker, url in settings.BROKERS.items():
        if url:
            parts[f"broker, {broker} side"], missing = _broker(broker)
            parts |= {name: "no sign of life" if name in missing else "ok" for name in alive.EXPECTED[broker]}
    ready = all(value == "ok" for value in parts.values())
    response = JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)
    # Asked every moment while things start: not an error for the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _database(alias: str) -> str:
    try:
        with side.on(alias):  # type: ignore[arg-type]
            return "ok" if not db.pending_migrations() else "a migration is pending: run setup_database"
    except Exception as error:
        return f"does not answer ({type(error).__name__})"


def _broker(broker: str) -> tuple[str, list[str]]:
    """The state of the broker, and the workers and beats that it has no sign of life of."""
    try:
        return "ok", alive.missing(broker)
    except Exception as error:
        return f"does not answer ({type(error).__name__})", list(alive.EXPECTED[broker])
