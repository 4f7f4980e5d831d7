"""Lawful redaction: two people, a mark in place of the text everywhere, a chain that stands, and nothing to try texts against."""

import hashlib
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from assessments.cleaning import actions as cleaning
from assessments.cleaning.models import DataQuery
from tests import world
from tests.unit.core.history.test_seal import command, findings
from trial.core import db
from trial.core.access import Person
from trial.core.errors import NotAllowed, Refused
from trial.core.history import actions
from trial.core.history.rules import redactable
from trial.core.history.tasks import seal_open
from trial.core.models import History, RedactedLine, Redaction
from trial.protocol.models import Team

NAME = "Jan Jansen, 06 1234"


class Case:
    """A data query in which somebody typed a name, and an answer that holds it in the history."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        world.open_trial(length=3)
        self.owner = owner
        self.dana, self.dirk, self.piet = (
            world.person(world.make_user(name, role))
            for name, role in (("dana", "datamanager"), ("dirk", "datamanager"), ("piet", "investigator"))
        )
        with world.at_work(self.dana) as by:
            one = world.register(world.SETUP, Team.objects.order_by("code")[0])
            self.query: DataQuery = cleaning.raise_query(
                kind="implausible", text=NAME, participant=one, visit="T1", form=None, item="", by=by
            )
        self._type_an_answer()

    def _type_an_answer(self) -> None:
        """As the trigger would have written it of a form with a question in words."""
        self.owner.execute(
            "insert into core_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt) values"
            " ('2025-01-06', 'x', 'x', 'x', '', 'entry_answer', 'INSERT', 'k', null, null,"
            " jsonb_build_object('value', %(n)s::text, 'item', 'q1'), gen_random_uuid()),"
            " ('2025-01-07', 'x', 'x', 'x', '', 'entry_answer', 'UPDATE', 'k', null,"
            " jsonb_build_object('value', %(n)s::text), '{\"value\": \"fine\"}', gen_random_uuid())",
            {"n": NAME},
        )

    def line(self, table: str = "entry_answer") -> History:
        with world.at_work(self.dana):
            return History.objects.filter(table_name=table).order_by("id")[0]

    def ask(self, table: str = "entry_answer", by: Person | None = None) -> Redaction:
        with world.at_work(by or self.dana) as person:
            asked: Redaction = actions.ask_redaction(
                line=self.line(table), field=redactable()[table][0], reason_code="participant", by=person
            )
        return asked

    def decide(self, asked: Redaction, carry_out: bool = True, by: Person | None = None) -> None:
        with world.at_work(by or self.piet) as person:
            now = Redaction.objects.get(pk=asked.pk)
            actions.decide_redaction(redaction=now, carry_out=carry_out, password=world.PASSWORD, by=person)

    def dump(self) -> str:
        tables = ("core_history", "core_redaction", "core_redactedline", "cleaning_dataquery")
        return "".join(str(self.owner.execute(f"select * from {t}").fetchall()) for t in tables)  # type: ignore[arg-type]


@pytest.fixture
def case(database: psycopg.Connection[Any]) -> Case:
    return Case(database)


def test_the_text_is_gone_and_the_chain_stands(case: Case) -> None:
    seal_open()
    sealed = case.owner.execute("select head from core_history_seal").fetchall()
    case.decide(case.ask())
    values = case.owner.execute(
        "select old ->> 'value', new ->> 'value' from core_history where row_id = 'k' order by id"
    )
    assert values.fetchall() == [(None, "[redacted 1]"), ("[redacted 1]", "fine")]
    assert (
        case.owner.execute(
            "select head from core_history_seal where number <= %s order by number", [len(sealed)]
        ).fetchall()
        == sealed
    )
    seal_open()
    assert findings() == []
    said = command()
    assert said.count("redacted, lawfully, number 1") == 2
    assert "Every sealed line is as it was sealed." in said


def test_a_record_loses_the_text_too_although_it_is_append_only(case: Case) -> None:
    case.decide(case.ask())
    case.decide(case.ask("cleaning_dataquery"))
    assert case.owner.execute("select text from cleaning_dataquery").fetchall() == [("[redacted 2]",)]
    assert "Jansen" not in case.dump()
    with (
        pytest.raises(DatabaseError, match=r"permission denied|append-only"),
        world.at_work(case.dana),
        db.cursor() as c,
    ):
        c.execute("update cleaning_dataquery set text = 'x'")
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"), case.owner.transaction():
        case.owner.execute("update cleaning_dataquery set text = 'x'")
    assert findings() == []


def test_nothing_is_left_to_try_texts_against(case: Case) -> None:
    """The digest of the line as it was needs the old salt, which is gone."""
    from trial.core.history.sealed import canonical_lines

    seal_open()
    line = case.line()
    with world.at_work(case.dana):
        before = dict(canonical_lines(History))[line.pk]
    case.decide(case.ask())
    with world.at_work(case.dana):
        after = dict(canonical_lines(History))[line.pk]
        known = set(RedactedLine.objects.values_list("digest", flat=True))
    sealed = b"".join(bytes(d) for (d,) in case.owner.execute("select digests from core_history_seal"))
    assert hashlib.sha256(before.encode()).digest() in sealed
    guessed = after.replace("[redacted 1]", NAME)
    assert guessed != before
    assert hashlib.sha256(guessed.encode()).digest() not in sealed
    assert hashlib.sha256(after.encode()).hexdigest() in known


def test_a_redacted_line_is_held_as_it_stands_since(case: Case) -> None:
    case.decide(case.ask())
    seal_open()
    case.owner.execute("update core_history set actor = 'y' where id = %s", [case.line().pk])
    assert [one.row for one in findings()] == [case.line().pk]


def test_a_redaction_made_by_hand_excuses_nothing(case: Case) -> None:
    seal_open()
    asked, line = case.ask(), case.line()
    with case.owner.transaction():
        case.owner.execute("set local session_replication_role = replica")
        case.owner.execute('update core_history set new = \'{"value": "forged"}\' where id = %s', [line.pk])
        case.owner.execute("update core_redaction set state = 'done', decided_by = %s", [case.piet.actor_id])
        case.owner.execute(
            "insert into core_redactedline(id, redaction_id, history_row, digest) select gen_random_uuid(), %s, id,"
            " encode(sha256(convert_to(equipoise_history_text(to_jsonb(h)), 'UTF8')), 'hex') from core_history h where id = %s",
            [asked.pk, line.pk],
        )
    assert [one.row for one in findings()] == [line.pk]


def test_it_takes_two_people_of_two_roles(case: Case) -> None:
    with pytest.raises(NotAllowed):
        case.ask(by=case.piet)
    asked = case.ask()
    assert case.ask().pk == asked.pk
    with pytest.raises(NotAllowed):
        case.decide(asked, by=case.dirk)
    with pytest.raises(Refused, match="not your password"), world.at_work(case.piet) as by:
        actions.decide_redaction(redaction=asked, carry_out=True, password="wrong", by=by)
    case.decide(asked, carry_out=False)
    assert "Jansen" in case.dump()
    with pytest.raises(Refused, match="decided otherwise"):
        case.decide(asked)
    case.decide(case.ask())
    with pytest.raises(Refused, match="Only what somebody typed"):
        case.ask()


SQL = {
    "who asked decides": ("dana", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "a data manager decides": ("dirk", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "nobody decides": ("", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "the state by hand": ("piet", "update core_redaction set state = 'done'", "permission denied"),
    "a line by hand": ("piet", "insert into core_redactedline(id) values (gen_random_uuid())", "permission denied"),
    "asked by another": ("piet", "insert into core_redaction {columns} values {values}", "a data manager asks"),
    "decided at once": ("dana", "insert into core_redaction {columns} values {done}", "begins as a question"),
    "of a code": ("dana", "insert into core_redaction {columns} values {code}", "typed field"),
}


@pytest.mark.parametrize("how", SQL)
def test_sql_on_the_login_redacts_nothing(case: Case, how: str) -> None:
    asked, (who, statement, words) = case.ask(), SQL[how]
    line, me = case.line(), getattr(case, who).actor_id if who else ""
    row = f"(gen_random_uuid(), 2, {line.pk}, 'entry_answer', 'k', '{{field}}', 'secret', '{{state}}', now(), '{case.dana.actor_id}', '')"
    given = {
        "key": asked.pk,
        "columns": "(id, number, history_row, table_name, row_id, field, reason, state, asked_at, asked_by, decided_by)",
        "values": row.format(field="value", state="asked"),
        "done": row.format(field="value", state="done"),
        "code": row.format(field="item", state="asked"),
    }
    with pytest.raises(DatabaseError, match=words), world.at_work(world.SETUP), db.cursor() as c:
        c.execute("select set_config('equipoise.actor', %s, true)", [me])
        c.execute(statement.format(**given))
    assert "Jansen" in case.dump()


def test_the_database_and_the_program_know_the_same_fields(case: Case) -> None:
    """Of every column that is classified; what the program knows follows from the classes."""
    known = case.owner.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and equipoise_redactable(table_name, column_name)"
    ).fetchall()
    assert {(str(table), str(field)) for table, field in known} == {
        (table, field) for table, fields in redactable().items() for field in fields
    }, "equipoise_redactable in functions.sql and trial/config/disclosure differ"
