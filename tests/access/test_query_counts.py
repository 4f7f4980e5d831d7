"""Every list asks the database as often for a thousand participants as for ten: each address without arguments, and each role's first page.

The addresses come from the resolver, so a new list is held to this without a line here.
"""

from typing import Any

import psycopg
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.access.test_every_url import addresses
from trial.core.access.roles import ALL, Role
from trial.protocol.models import ProtocolVersion, Team

MORE = {
    "coordinator": ("/participants/?state=died", "/participants/?page=2", "/participants/screening/?outcome=excluded"),
    "datamanager": ("/assessments/forms/?state=signed", "/assessments/queries/?state=open"),
}
"""The same pages as their filters ask for them."""

DEFAULTS = {
    "boolean": "false", "smallint": "1", "integer": "1", "bigint": "1", "numeric": "1", "double precision": "1", "jsonb": "'{}'",
    "timestamp with time zone": "now()", "date": "current_date", "bytea": "''", "uuid": "gen_random_uuid()",
}  # fmt: skip


def key(of: str, n: str = "n") -> str:
    """The key of the n-th row of a kind."""
    return f"md5('{of}' || ({n}))::uuid"


def kinds(site: str, team: str, version: str, users: dict[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    """By table: which of the people have a row, and what stands in it; everything else is filled by its type."""
    here, person, of = f"'{site}'", key("person"), f"'{users['interviewer']}'::uuid"
    group, allocation = key("group", "n / 40"), key("allocation")
    at = {"site_id": here, "participant_id": person}
    behind = {"site": here, "allocation_id": allocation}
    return {
        "participants_screeningentry": ("true", {
            "id": key("entry"), "month": "'2026-01-01'", "outcome": "case when n % 3 = 0 then 'excluded' else 'registered' end",
            "reason": "case when n % 3 = 0 then 'condition' else '' end", "site_id": here, "team_id": f"'{team}'",
        }),
        "participants_participant": ("true", {
            "id": person, "number": "lpad(n::text, 8, '0')", "baseline_completed_at": "now()",
            "randomized_at": "case when n % 2 = 0 then now() end", "stratum": "case when n % 2 = 0 then 'x' else '' end",
            "site_id": here, "team_id": f"'{team}'", "screening_id": key("entry"),
        }),
        "participants_consent": ("true", {
            "version": "'v1'", "part": "'interviews'", "given": "n % 7 > 0", "site_id": here, "screening_id": key("entry"),
        }),
        "participants_contact": ("true", {**at, "name": "'Synthetic Person ' || n"}),
        "participants_contactreading": ("true", {**at, "page": "'contact'", "reader": f"'{users['coordinator']}'"}),
        "participants_contactattempt": ("true", {
            **at, "visit": "'T1'", "day": "current_date - 3", "way": "'phone'", "outcome": "'no_answer'", "next_on": "current_date - 1",
        }),
        "participants_transfer": ("n % 9 = 0", {**at, "team_id": f"'{team}'"}),
        "participants_death": ("n % 10 = 0", {**at, "step": "'reported'"}),
        "participants_randomizationrequest": ("n % 2 = 1 and n > 5", {**at, "state": "'waiting'"}),
        "dropbox_unblinding_report": ("true", {"participant_id": person, "certainty": "3"}),
        "visits_assessorassignment": ("n % 5 > 0", {**at, "interviewer_id": of}),
        "visits_visitoutcome": ("n % 4 = 0", {**at, "visit": "'T2'", "outcome": "'missed'", "reason": "'declined'"}),
        "entry_form": ("true", {
            **at, "id": key("form"), "visit": "'T1'", "instrument": "'imrs_client'", "protocol_version_id": f"'{version}'::uuid",
            "rater": "'participant'", "state": "'draft'", "revision": "1",
        }),
        "entry_answer": ("true", {"site_id": here, "form_id": key("form"), "item": "'imrs_client_01'", "value": "'1'"}),
        "cleaning_dataquery": ("true", {
            **at, "id": key("query"), "visit": "'T1'", "form_id": key("form"), "kind": "'other'", "text": "'Is it so?'",
            "raised_as": "'datamanager'", "raised_by": f"'{users['datamanager']}'",
        }),
        "cleaning_queryevent": ("n % 2 = 0", {"site_id": here, "query_id": key("query"), "what": "'answered'", "code": "'confirmed'"}),
        "core_user": ("n % 10 = 0", {"id": key("user"), "username": "'user' || n", "full_name": "'User ' || n", "is_active": "true"}),
        "core_membership": ("n % 10 = 0", {
            "user_id": key("user"), "role": "case when n % 20 = 0 then 'interviewer' else 'rater' end", "site": here,
            "confirmed_at": "now()", "granted_by": "'x'", "confirmed_by": "'y'",
        }),
        "snapshots_snapshot": ("n % 10 = 0", {
            "id": key("snapshot"), "protocol_version_id": f"'{version}'::uuid", "sha256": "md5('s' || n) || md5('s' || n)", "dictionary": "'[]'",
        }),
        "unblinded_allocation": ("n % 2 = 0", {
            "id": allocation, "participant_id": person, "site": here, "stratum": "'x'", "position": "n", "number": "n",
            "arm": "case when n % 4 = 0 then 'imr' else 'cau' end",
        }),
        "unblinded_group": ("n % 40 = 0 or n = 1", {"id": group, "site": here, "code": "'G' || n", "name": "'Group'"}),
        "unblinded_group_trainer": ("n % 40 = 0 or n = 1", {
            "site": here, "group_id": group, "trainer_id": f"'{users['therapist']}'::uuid",
        }),
        "unblinded_told": ("n % 8 = 0", behind),
        "unblinded_member": ("n % 4 = 0", {**behind, "group_id": group}),
        "unblinded_session": ("n % 40 = 0 or n = 1", {
            "id": key("session", "n / 40"), "site": here, "group_id": group, "state": "'held'", "modules": "'[\"m01\"]'",
            "minutes": "90", "led_by": f"jsonb_build_array('{users['therapist']}')",
        }),
        "unblinded_attendance": ("n % 8 = 0", {**behind, "session_id": key("session", "n / 40"), "mark": "'attended'"}),
        "unblinded_withdrawal": ("n % 24 = 0", {**behind, "reason": "'burden'"}),
        "unblinded_admission": ("n % 4 = 0", {
            **behind, "\"window\"": "'before'", "ward": "'open'", "source": "'file'", "discharged_on": "current_date",
        }),
        "unblinded_lookup": ("n % 8 = 0", {**behind, "\"window\"": "'before'", "sha256": "repeat('a', 64)"}),
        "unblinded_ledger": ("true", {"what": "'opened'", "actor": f"'{users['independent']}'"}),
        "dropbox_guess": ("n % 2 = 0", {
            "participant_id": person, "site": here, "visit": "'T3'", "rater": "'interviewer'", "guess": "'imr'",
            "guessed_by": f"'{users['interviewer']}'",
        }),
        "unblinded_code_break": ("n % 4 = 0", {**behind, "id": key("break"), "broken_by": f"'{users['investigator']}'"}),
        "unblinded_code_break_reason": ("n % 4 = 0", {
            "site": here, "code_break_id": key("break"), "words": "'why'", "given_by": f"'{users['investigator']}'",
        }),
        "unblinded_handover_order": ("n % 4 = 0", {**behind, "id": key("order"), "ordered_by": f"'{users['datamanager_unblinded']}'"}),
        "unblinded_handover": ("n % 8 = 0", {
            **behind, "visit": "'T2'", "outcome": "'handed_over'", "before": of, "after": of,
        }),
        "unblinded_reading": ("true", {
            "participants": f"jsonb_build_array({person})", "reader": f"'{users['treatment']}'", "page": "'people'",
        }),
    }  # fmt: skip


def fill(owner: psycopg.Connection[Any], rows: dict[str, tuple[str, dict[str, str]]], first: int, last: int) -> None:
    """Rows of the people ``first`` to ``last``, by the owner and without the triggers: a thousand by actions would take minutes."""
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        for table, (who, given) in rows.items():
            columns = owner.execute(
                "select column_name, data_type, is_nullable = 'YES' from information_schema.columns"
                " where table_schema = 'public' and table_name = %s and is_identity = 'NO'",
                [table],
            ).fetchall()
            values = {f'"{name}"': DEFAULTS.get(kind, "''") for name, kind, may_be_null in columns if not may_be_null}
            values |= {f'"{name.strip(chr(34))}"': value for name, value in given.items()}
            statement = (
                f"insert into {table} ({', '.join(values)}) select {', '.join(values.values())}"
                f" from generate_series({first}, {last}) n where {who}"
            )
            owner.execute(statement)  # type: ignore[arg-type]


def signed_in(role: type[Role]) -> Client:
    client = Client()
    own = "/login/" if role.side == "open" else "/unblinded/login/"
    assert client.post(own, {"username": role.code, "password": world.PASSWORD}).status_code == 302
    return client


def lists() -> list[tuple[type[Role], str]]:
    """Every address without arguments with one of its readers; the first pages with each."""
    found = []
    for one in sorted(addresses(), key=lambda one: one.route):
        if one.arguments or one.access.is_public or one.access.by_token or one.route.endswith(("logout/", "healthz")):
            continue
        readers = [role for role in ALL if one.admits(role)]
        found += [(role, one.path()) for role in (readers if one.route in ("", "unblinded/") else readers[:1])]
    return found + [(role, address) for role in ALL for address in MORE.get(role.code, ())]


def asked(client: Client, role: type[Role], address: str) -> int | None:
    """How many statements an address takes; None for one that only takes a form."""
    with CaptureQueriesContext(connections["default" if role.side == "open" else "unblinded"]) as captured:
        status = client.get(address).status_code
    assert status in (200, 302, 404, 405), f"{address} as {role.code}: {status}"
    return len(captured) if status == 200 else None


def test_a_thousand_ask_as_often_as_ten(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial(seen_at=("dordrecht",))
    with world.at_work(world.SETUP):
        team = Team.objects.filter(site="rotterdam").order_by("code")[0]
        version = ProtocolVersion.objects.get()
    users = {
        role.code: str(world.make_user(role.code, role.code, "dordrecht" if role.where_seen else "rotterdam").pk)
        for role in ALL
    }
    rows = kinds(team.site_id, team.pk, str(version.pk), users)
    clients = {role: signed_in(role) for role in ALL}
    fill(database, rows, 1, 10)
    pages = lists()
    for role, address in pages:
        asked(clients[role], role, address)  # what is read once a process is read now
    few = {(role.code, address): asked(clients[role], role, address) for role, address in pages}
    fill(database, rows, 11, 1000)
    many = {(role.code, address): asked(clients[role], role, address) for role, address in pages}
    assert {page: (few[page], many[page]) for page in few if few[page] != many[page]} == {}
    assert sum(count is not None for count in few.values()) > 50
