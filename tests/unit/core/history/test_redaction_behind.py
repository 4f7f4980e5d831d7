"""Lawful redaction behind the wall: the same rules as on the open side, two people of that side, and nothing that blinded people can read."""

import datetime as dt
import hashlib
import os
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from tests import world
from tests.records import stay
from tests.treatment import FIRST, START, Treatment
from tests.unit.core.history.test_seal import command
from trial.core import clock, db, side
from trial.core.access import actions as accounts
from trial.core.errors import NotAllowed, Refused
from trial.core.history import actions
from trial.core.history.chain import Finding
from trial.core.history.rules import CHANGE_REASON, REDACTABLE_BEHIND
from trial.core.history.sealed import canonical_lines, verified
from trial.core.history.tasks import seal_open, seal_unblinded
from trial.participants.actions import report_unblinding
from trial.participants.models import Participant
from trial.unblinded.disclosure.code_break.actions import break_code, explain_break
from trial.unblinded.disclosure.models import UnblindedHistory, UnblindedHistorySeal, UnblindedRedaction
from trial.unblinded.records.actions import record_admission
from trial.unblinded.sessions.actions import change_group

NAME = "Jan Jansen, 06 1234"
TEXTS = {
    "unblinded_group": "name",
    "dropbox_unblinding_report": "words",
    "unblinded_code_break_reason": "words",
    "unblinded_admission": "reason",
}
"""A typed column of each table in which one stands."""


class Case(Treatment):
    """Somebody typed a name wherever words can be typed behind the wall."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        super().__init__(people=1)
        self.owner = owner
        for name, role in (
            ("ugo", "datamanager_unblinded"), ("ivo", "independent"), ("prim", "investigator"), ("dana", "datamanager"),
        ):  # fmt: skip
            self.users[name] = world.make_user(name, role, self.site)
            self.people[name] = world.person(self.users[name])
        self._type()

    def _type(self) -> None:
        group = self.group()
        with self.at_work("ursula") as by:
            change_group(
                group=group, name=NAME, trainers=self.trainers, opened_on=FIRST, reason=f"Because of {NAME}", by=by
            )
        (one,) = [*self.of_arm("imr"), *self.of_arm("cau")]
        day = dt.date(2024, 11, 4)
        with self.at_work("ursula") as by:
            record_admission(
                allocation=one, window="before", found=stay(day, day + dt.timedelta(days=9)), reason=NAME, by=by
            )
        with world.at_work(world.SETUP):
            person = Participant.objects.get()
        with world.at_work(self.people["dana"]) as by:
            report_unblinding(
                participant_id=person.pk, visit="T1", source="participant", words=NAME, believed_arm="", by=by
            )
        with world.at_work(self.people["prim"], on=side.UNBLINDED) as by:
            break_code(number=person.number, password=world.PASSWORD, by=by)
            explain_break(number=person.number, words=NAME, by=by)

    def line(self, table: str, field: str) -> UnblindedHistory:
        """The newest line of a table in which the text stands."""
        with self.at_work():
            found = UnblindedHistory.objects.filter(table_name=table)
            found = found.exclude(reason="") if field == CHANGE_REASON else found.filter(new__has_key=field)
            line = found.order_by("-id").first()
        assert line is not None
        return line

    def ask(self, table: str = "unblinded_group", field: str = "name", by: str = "ursula") -> UnblindedRedaction:
        line = self.line(table, field)
        with self.at_work(by) as person:
            asked: UnblindedRedaction = actions.ask_redaction(
                line=line, field=field, reason_code="other_person", by=person
            )
        return asked

    def decide(self, asked: UnblindedRedaction, carry_out: bool = True, by: str = "irma") -> None:
        with self.at_work(by) as person:
            now = UnblindedRedaction.objects.get(pk=asked.pk)
            actions.decide_redaction(redaction=now, carry_out=carry_out, password=world.PASSWORD, by=person)

    def dump(self, *tables: str) -> str:
        listed = tables or ("unblinded_history", "unblinded_redaction", "unblinded_redactedline", *TEXTS)
        return "".join(str(self.owner.execute(f"select * from {t}").fetchall()) for t in listed)  # type: ignore[arg-type]


@pytest.fixture
def case(database: psycopg.Connection[Any], settings: Any) -> Any:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with clock.frozen(START):
        yield Case(database)


def findings() -> list[Finding]:
    with side.owner(), db.atomic():
        return verified(UnblindedHistory, UnblindedHistorySeal).findings


def open_side(owner: psycopg.Connection[Any]) -> list[Any]:
    """What a login of the open side can read that a redaction could touch: its histories and redactions, and when the catalogue changed."""
    return [
        owner.execute(query).fetchall()  # type: ignore[arg-type]
        for query in (
            "select * from core_history order by id",
            "select * from core_history_seal order by number",
            "select * from core_redaction",
            "select * from core_redactedline",
            "select oid, xmin, ctid, tgenabled from pg_trigger order by oid",
            "select oid, xmin from pg_class order by oid",
        )
    ]


def test_every_typed_text_goes_and_the_chain_stands(case: Case) -> None:
    seal_open()
    seal_unblinded()
    sealed = case.owner.execute("select number, head from unblinded_history_seal order by number").fetchall()
    before = open_side(case.owner)
    for number, (table, field) in enumerate(TEXTS.items(), start=1):
        case.decide(case.ask(table, field))
        assert case.owner.execute(f"select {field} from {table}").fetchall() == [(f"[redacted {number}]",)]  # type: ignore[arg-type]
    case.decide(case.ask("unblinded_group", CHANGE_REASON))
    assert "Jansen" not in case.dump()
    assert open_side(case.owner) == before
    heads = case.owner.execute(
        "select number, head from unblinded_history_seal where number <= %s order by number", [len(sealed)]
    )
    assert heads.fetchall() == sealed
    seal_unblinded()
    assert findings() == []
    said = command()
    assert said.count("unblinded_history line") == said.count("redacted, lawfully, number") == len(TEXTS)
    assert "Every sealed line is as it was sealed." in said


def test_one_altered_byte_is_still_found(case: Case) -> None:
    asked = case.ask()
    case.decide(asked)
    seal_unblinded()
    redacted, other = asked.history_row, case.line("unblinded_group_trainer", "trainer_id").pk
    for row in (redacted, other):
        case.owner.execute(
            "update unblinded_history set actor = overlay(actor placing '~' from 3) where id = %s", [row]
        )
    assert [(one.kind, one.row) for one in findings()] == [("altered", row) for row in sorted((redacted, other))]


def test_nothing_is_left_to_try_texts_against(case: Case) -> None:
    seal_unblinded()
    line = case.line("unblinded_group", "name").pk
    with case.at_work():
        before = dict(canonical_lines(UnblindedHistory))[line]
    case.decide(case.ask())
    with case.at_work():
        after = dict(canonical_lines(UnblindedHistory))[line]
    sealed = b"".join(bytes(d) for (d,) in case.owner.execute("select digests from unblinded_history_seal"))
    assert hashlib.sha256(before.encode()).digest() in sealed
    assert hashlib.sha256(after.replace("[redacted 1]", NAME).encode()).digest() not in sealed


def test_a_redaction_made_by_hand_excuses_nothing(case: Case) -> None:
    seal_unblinded()
    asked = case.ask()
    with case.owner.transaction():
        case.owner.execute("set local session_replication_role = replica")
        case.owner.execute("update unblinded_history set new = '{}' where id = %s", [asked.history_row])
        case.owner.execute("update unblinded_redaction set state = 'done', decided_by = 'x'")
        case.owner.execute(
            "insert into unblinded_redactedline(id, redaction_id, history_row, digest) select gen_random_uuid(), %s, id,"
            " encode(sha256(convert_to(equipoise_history_text(to_jsonb(h)), 'UTF8')), 'hex') from unblinded_history h where id = %s",
            [asked.pk, asked.history_row],
        )
    assert [one.row for one in findings()] == [asked.history_row]


def test_it_takes_two_people_of_two_roles_of_that_side(case: Case) -> None:
    for name in ("irma", "thea", "fay"):
        with pytest.raises(NotAllowed):
            case.ask(by=name)
    asked = case.ask()
    assert case.ask(by="ugo").pk == asked.pk
    for name in ("ugo", "thea", "tim"):
        with pytest.raises(NotAllowed):
            case.decide(asked, by=name)
    with pytest.raises(Refused, match="not your password"), case.at_work("irma") as by:
        actions.decide_redaction(redaction=asked, carry_out=True, password="wrong", by=by)
    case.decide(asked, carry_out=False)
    assert "Jansen" in case.dump("unblinded_group")
    with pytest.raises(Refused, match="decided otherwise"):
        case.decide(asked)
    case.decide(case.ask())
    with pytest.raises(Refused, match="Only what somebody typed"):
        case.ask()


def test_who_holds_both_roles_does_not_decide_on_the_own_question(case: Case) -> None:
    asked = case.ask()
    anna, bert = (world.person(world.make_user(name, "admin")) for name in ("anna", "bert"))
    with world.at_work(anna, on=side.UNBLINDED) as by:
        role = accounts.give_role(user=case.users["ursula"], role="independent", site="*", by=by)
    with world.at_work(bert, on=side.UNBLINDED) as by:
        accounts.confirm_role(membership=role, by=by)
    case.people["ursula"] = world.person(case.users["ursula"])
    with pytest.raises(Refused, match="another person"):
        case.decide(asked, by="ursula")
    with pytest.raises(DatabaseError, match="another person"), case.at_work("ursula"), db.cursor() as c:
        c.execute("select equipoise_decide_redaction(%s, true)", [asked.pk])
    case.decide(asked)


SQL = {
    "who asked decides": ("ursula", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "a data manager decides": ("ugo", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "an investigator decides": ("prim", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "nobody decides": ("", "select equipoise_decide_redaction('{key}', true)", "another person"),
    "the state by hand": ("irma", "update unblinded_redaction set state = 'done'", "permission denied"),
    "a line by hand": ("irma", "insert into unblinded_redactedline(id) values (gen_random_uuid())", "permission denied"),
    "the record by hand": (
        "irma", "select equipoise_redact_record('unblinded_group', 'x', 'name', 'a', 'b', true)", "permission denied",
    ),
    "the history by hand": ("irma", "update unblinded_history set reason = ''", "permission denied"),
    "asked by another": ("irma", "insert into unblinded_redaction {columns} values {name}", "a data manager asks"),
    "asked by the open data manager": ("dana", "insert into unblinded_redaction {columns} values {name}", "a data manager asks"),
    "decided at once": ("ursula", "insert into unblinded_redaction {columns} values {done}", "begins as a question"),
    "of a code": ("ursula", "insert into unblinded_redaction {columns} values {code}", "typed field"),
    "of no line": ("ursula", "insert into unblinded_redaction {columns} values {none}", "typed field"),
    "asked on the open side": ("ursula", "insert into core_redaction {columns} values {name}", "permission denied"),
}  # fmt: skip


@pytest.mark.parametrize("how", SQL)
def test_sql_on_the_unblinded_login_redacts_nothing(case: Case, how: str) -> None:
    asked, (who, statement, words) = case.ask(), SQL[how]
    line, me = case.line("unblinded_group", "name"), case.people[who].actor_id if who else ""

    def row(field: str = "name", state: str = "asked", number: int = line.pk) -> str:
        return (
            f"(gen_random_uuid(), 2, {number}, 'unblinded_group', '{line.row_id}', '{field}', '{line.site}', 'secret', '{state}', now(),"
            f" '{case.people['ursula'].actor_id}', '')"
        )

    given = {
        "key": asked.pk,
        "columns": "(id, number, history_row, table_name, row_id, field, site, reason, state, asked_at, asked_by, decided_by)",
        "name": row(),
        "done": row(state="done"),
        "code": row("code"),
        "none": row(number=0),
    }
    with pytest.raises(DatabaseError, match=words), case.at_work(), db.cursor() as c:
        c.execute("select set_config('equipoise.actor', %s, true)", [me])
        c.execute(statement.format(**given))
    assert "Jansen" in case.dump("unblinded_group")


def test_a_question_of_that_side_is_nothing_to_the_blinded_login(case: Case) -> None:
    """Its function looks among the redactions of its own side; of the others not even the number can be guessed from the answer."""
    asked = case.ask()
    for key in (asked.pk, "00000000-0000-4000-8000-000000000000"):
        with (
            pytest.raises(DatabaseError, match="no such question"),
            world.at_work(case.people["prim"]),
            db.cursor() as c,
        ):
            c.execute("select equipoise_decide_redaction(%s, true)", [key])
    for table in ("unblinded_redaction", "unblinded_redactedline"):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            world.at_work(case.people["prim"]),
            db.cursor() as c,
        ):
            c.execute(f"select count(*) from {table}")


def test_the_mark_opens_no_record_to_other_hands(case: Case) -> None:
    """What lets a redaction pass lets nothing else pass: neither before it nor after it, and not by the owner either."""
    asked = case.ask("dropbox_unblinding_report", "words")
    change = "update dropbox_unblinding_report set words = '[redacted 1]'"
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"), case.owner.transaction():
        case.owner.execute(change)
    case.decide(asked)
    for other in (change, "update dropbox_unblinding_report set words = '[redacted 1]', source = 'x'"):
        with pytest.raises(psycopg.errors.CheckViolation, match="append-only"), case.owner.transaction():
            case.owner.execute(other)
    case.decide(case.ask())
    lines = case.owner.execute("select count(*) from unblinded_history").fetchone()
    with case.at_work("ursula"), db.cursor() as c:
        c.execute("update unblinded_group set name = 'Tuesday'")
        c.execute("update unblinded_group set name = '[redacted 2]'")
    assert case.owner.execute("select count(*) - 2 from unblinded_history").fetchone() == lines


def test_a_redaction_keeps_no_drop_box_waiting(case: Case) -> None:
    """While one is under way, a blinded person reports: to wait would tell when the unblinded side redacts."""
    asked = case.ask("dropbox_unblinding_report", "words")
    with case.at_work("irma") as by:
        actions.decide_redaction(redaction=asked, carry_out=True, password=world.PASSWORD, by=by)
        with psycopg.connect(os.environ["DATABASE_URL"]) as blinded:
            blinded.execute(
                "select set_config('equipoise.actor', 'system:test', false), set_config('equipoise.sites', '*', false),"
                " set_config('lock_timeout', '2s', false)"
            )
            blinded.execute(
                "insert into dropbox_refusal(id, at, what, place, actor, about) values (gen_random_uuid(), now(), 'page', '', 'x', '')"
            )
            blinded.execute(
                "insert into dropbox_unblinding_report(id, site, participant_id, visit, source, believed_arm, words, reported_by, reported_at)"
                " select gen_random_uuid(), site_id, id, 'T1', 'x', '', '', 'x', now() from participants_participant limit 1"
            )


def test_after_the_database_lock_a_text_can_still_go(case: Case) -> None:
    asked = case.ask()
    with case.owner.transaction():
        case.owner.execute("set local session_replication_role = replica")
        case.owner.execute(
            "insert into participants_databaselock(id, \"only\", locked_at, locked_by, signature) values (gen_random_uuid(), true, now(), 'x', '{}')"
        )
    with pytest.raises(DatabaseError, match="locked"), case.at_work("ursula"), db.cursor() as c:
        c.execute("update unblinded_group set name = '[redacted 1]'")
    case.decide(asked)
    assert case.owner.execute("select name from unblinded_group").fetchall() == [("[redacted 1]",)]


def test_the_database_and_the_program_know_the_same_fields(case: Case) -> None:
    for table, fields in REDACTABLE_BEHIND.items():
        for field in (*fields, CHANGE_REASON, "id"):
            known = case.owner.execute("select equipoise_redactable_behind(%s, %s)", [table, field]).fetchone()
            assert known == (field in fields or (field == CHANGE_REASON and "reason" not in fields),), (table, field)


def test_the_pages_from_asking_to_the_mark(case: Case) -> None:
    def signed_in(name: str) -> Client:
        client = Client()
        answer = client.post("/unblinded/login/", {"username": name, "password": world.PASSWORD})
        assert answer.status_code == 302
        return client

    def text(client: Client, address: str, status: int = 200) -> str:
        answer = client.get(address)
        assert answer.status_code == status, (address, answer.status_code)
        return answer.content.decode()

    ursula, irma = signed_in("ursula"), signed_in("irma")
    row = case.line("unblinded_group", "name").pk
    address = f"/unblinded/history/{row}/redact/"
    assert f'href="{address}"' in text(ursula, "/unblinded/history/?table_name=unblinded_group")
    page = text(ursula, address)
    assert NAME in page
    assert f"Because of {NAME}" in page
    assert "Ask the independent statistician" in page
    assert ursula.post(address, {"reason": "other_person"}).status_code == 422  # which of the two
    assert ursula.post(address, {"reason": "other_person", "field": "code"}).status_code == 422
    assert ursula.post(address, {"reason": "other_person", "field": "name"}).status_code == 302
    assert "Waits for the independent statistician" in text(ursula, "/unblinded/history/redactions/")
    assert "Decide on redaction 1" in text(irma, "/unblinded/")
    (key,) = case.owner.execute("select id from unblinded_redaction").fetchone() or ("",)
    decide = f"/unblinded/history/redactions/{key}/"
    assert NAME in text(irma, decide)
    text(ursula, decide, 403)
    text(irma, address, 403)
    assert irma.post(decide, {"decision": "redact", "password": "wrong"}).status_code == 422
    assert irma.post(decide, {"decision": "redact", "password": world.PASSWORD}).status_code == 302
    assert case.owner.execute("select name from unblinded_group").fetchall() == [("[redacted 1]",)]
    listed = text(irma, "/unblinded/history/redactions/")
    assert "Redacted" in listed
    assert "Ursula" in listed
    assert "Text to be redacted opened" in text(irma, "/unblinded/disclosure/ledger/")


def test_blinded_people_find_no_page_of_it(case: Case) -> None:
    client = Client()
    assert client.post("/login/", {"username": "dana", "password": world.PASSWORD}).status_code == 302
    asked = case.ask()
    for address in ("redactions/", f"redactions/{asked.pk}/", f"{asked.history_row}/redact/"):
        answer = client.get(f"/unblinded/history/{address}")
        assert answer.status_code in (302, 403), address
        assert "Jansen" not in answer.content.decode()
    assert "Redactions" in client.get("/history/").content.decode()
    assert "Nothing was redacted" in client.get("/history/redactions/").content.decode()
