"""Two worlds played one after the other in the test's own database, where the next one begins with nothing."""

from typing import Any

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string
from psycopg import sql

from trial.core import db


def reset(owner: psycopg.Connection[Any]) -> None:
    """An empty trial with its sequences at the beginning."""
    tables = [
        name
        for name, t in import_string(settings.RIGHTS).items()
        if t.side not in ("owner",) and not name.startswith(("core_login", "core_role"))
    ]
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute(sql.SQL("; ").join(sql.SQL("delete from {}").format(sql.Identifier(t)) for t in tables))
        for (sequence,) in owner.execute(
            "select oid::regclass::text from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
        ).fetchall():
            owner.execute(f"alter sequence {sequence} restart")  # type: ignore[arg-type]
    db.close_all()
