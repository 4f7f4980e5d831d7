"""The declassification list: what the unblinded side may write where blinded people read, and nothing else."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

from tests import world
from trial.core import db, ids, side
from trial.core.actions import REGISTRY, action
from trial.core.classified import class_of
from trial.core.declassified import DECLASSIFIED, SITE_STAFF
from trial.core.disclosure import Disclosure
from trial.participants.models import Death, Participant
from trial.protocol.models import Team

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "declassification.md"
TABLES = import_string(settings.RIGHTS)
ACCOUNTS = {"core_user", "core_membership", "core_setuptoken", "tokens_token"}
"""Accounts hold nothing about a participant; administrators keep them on that side."""


def test_the_unblinded_login_writes_open_tables_of_the_list_only() -> None:
    written = {
        name
        for name, table in TABLES.items()
        if table.side == "open" and ("i" in table.unblinded or table.unblinded_update)
    }
    assert written - ACCOUNTS == {one.table for one in DECLASSIFIED}
    for name in written - ACCOUNTS:
        assert set(TABLES[name].declassified) == {one.action for one in DECLASSIFIED if one.table == name}, name


def test_every_declared_action_exists_and_its_fields_too() -> None:
    from django.apps import apps

    columns = {m._meta.db_table: {f.column for f in m._meta.concrete_fields} for m in apps.get_models()}
    for one in DECLASSIFIED:
        import_string(one.action)
        assert one.action in REGISTRY
        assert set(one.fields) <= columns[one.table]
        assert one.why


RELEASE = "participants_release"
"""The gate: what it lets through reveals an arm, after lock and planned unblinding."""
HELD = {("participants_participant", "baseline_completed_at")}
"""Columns that the unblinded login may update only to hold the row; a guard refuses any change."""


def test_what_is_declassified_is_coded() -> None:
    high = {
        one.table for one in DECLASSIFIED for field in one.fields if class_of(f"{one.table}.{field}") != Disclosure.SAFE
    }
    assert high == {RELEASE}, "what the unblinded side writes on the open side are codes, numbers and days"


def test_every_column_that_the_unblinded_login_may_change_is_declared() -> None:
    declared = {(one.table, field) for one in DECLASSIFIED for field in one.fields}
    may = {
        (name, column) for name in {one.table for one in DECLASSIFIED} for column in TABLES[name].updates("unblinded")
    }
    assert may - declared == HELD


def test_the_page_says_what_the_code_says() -> None:
    page = DOCUMENT.read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(DECLASSIFIED)
    for one, row in zip(DECLASSIFIED, rows, strict=True):
        assert row.startswith(f"| `{one.action}` | `{one.table}` | {', '.join(one.fields)} |")


@pytest.fixture
def participant(database: psycopg.Connection[Any]) -> Participant:
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
        return world.register(world.SETUP, team)


def a_death(participant: Participant) -> Death:
    return Death(
        id=ids.derived(participant.pk, "death", 1),
        participant=participant,
        site_id=participant.site_id,
        number=1,
        step="reported",
        recorded_by=SITE_STAFF,
    )


@action
def planted(*, participant: Participant, by: db.Actor) -> None:
    """An action that is not on the list."""
    a_death(participant).save(force_insert=True)


def test_an_action_that_is_not_on_the_list_is_refused_by_the_database(participant: Participant) -> None:
    with pytest.raises(DatabaseError, match="declared actions only"), world.at_work(world.SETUP, on=side.UNBLINDED):
        planted(participant=participant, by=world.SETUP)
    with pytest.raises(DatabaseError, match="declared actions only"), world.at_work(world.SETUP, on=side.UNBLINDED):
        a_death(participant).save(force_insert=True)  # and without any action


def test_the_open_side_is_not_held_to_the_list(participant: Participant) -> None:
    with pytest.raises(DatabaseError, match="names its own author"), world.at_work(world.SETUP):
        planted(participant=participant, by=world.SETUP)
