"""Names on the pages of groups: for trainers and the treatment coordinator, each reading written down once a page, behind the wall."""

from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.access.test_every_url import addresses
from tests.treatment import FIRST, HERE, Treatment, week
from trial.core import side
from trial.core.models import History
from trial.core.ui.gathering import Gathered, gathering
from trial.core.ui.tables import Table, as_csv, grouped
from trial.participants.contact.actions import Details, record_contact
from trial.participants.course.actions import report_death
from trial.participants.models import ContactReading
from trial.unblinded.disclosure.models import Reading
from trial.unblinded.sessions.models import GroupSession, TherapyGroup

AT = "/unblinded/treatment/"


def signed_in(username: str) -> Client:
    client = Client()
    assert client.post("/unblinded/login/", {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def named(trial: Treatment) -> dict[str, str]:
    """Everybody allocated gets a name; by study number."""
    names = {}
    for arm in ("imr", "cau"):
        for n, person in enumerate(trial.of_arm(arm)):
            names[person.participant.number] = f"Zephyr {arm.title()} {n}"
            with world.at_work(world.SETUP) as by:
                details = Details(name=names[person.participant.number])
                record_contact(participant=person.participant, details=details, by=by)
    return names


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    group = trial.group()
    for person in trial.of_arm("imr")[:2]:
        trial.place(group, person)
    trial.on(week(2))
    return group


def readings(trial: Treatment) -> list[tuple[str, list[str], str]]:
    """Page, people and reader of each row of the log, in their order; the log is emptied of nothing."""
    with trial.at_work():
        rows = Reading.objects.order_by("at", "id")
        return [(row.page, row.participants, row.reader) for row in rows]


def test_a_trainer_reads_the_names_of_own_members_and_the_log_says_so_once_a_page(
    trial: Treatment, group: TherapyGroup
) -> None:
    names = named(trial)
    mine = trial.of_arm("imr")[:2]
    session = trial.record(group, FIRST, {mine[0]: HERE})
    tim, me = signed_in("tim"), trial.people["tim"].actor_id
    keys = sorted(str(one.participant_id) for one in mine)
    pages = {
        f"{AT}{group.pk}/": "group",
        f"{AT}sessions/{session.pk}/": "session",
        f"{AT}{group.pk}/record/": "session_record",
        f"{AT}sessions/{session.pk}/correct/": "session_record",
    }
    for address, page in pages.items():
        before = readings(trial)
        text = tim.get(address).content.decode()
        for person in mine:
            assert names[person.participant.number] in text, address
            assert grouped(person.participant.number) in text
        assert not any(names[one.participant.number] in text for one in trial.of_arm("cau"))
        assert readings(trial)[len(before) :] == [(page, keys, me)]
    with world.at_work(world.SETUP):
        assert not ContactReading.objects.exists()
        assert not History.objects.filter(table_name__contains="reading").exists()
    log = signed_in("ursula").get("/unblinded/people/readings/").content.decode()
    assert "Session of a group" in log
    assert grouped(mine[0].participant.number) in log
    assert "Zephyr" not in log


def test_a_refused_page_with_names_is_written_down_too(trial: Treatment, group: TherapyGroup) -> None:
    """Its transaction is rolled back; the log is not."""
    names = named(trial)
    answer = signed_in("tim").post(f"{AT}{group.pk}/record/", {"minutes": "long"})
    assert answer.status_code == 422
    assert names[trial.of_arm("imr")[0].participant.number] in answer.content.decode()
    assert [page for page, _people, _reader in readings(trial)] == ["session_record"]
    with trial.at_work():
        assert not GroupSession.objects.exists()


def test_others_read_numbers_only_and_leave_no_reading(trial: Treatment, group: TherapyGroup) -> None:
    named(trial)
    ursula = signed_in("ursula")
    text = ursula.get(f"{AT}{group.pk}/").content.decode() + ursula.get(f"{AT}{group.pk}/record/").content.decode()
    assert grouped(trial.of_arm("imr")[0].participant.number) in text
    assert "Zephyr" not in text
    assert signed_in("tim2").get(f"{AT}{group.pk}/").status_code == 404
    assert readings(trial) == []
    assert "Zephyr" in signed_in("thea").get(f"{AT}{group.pk}/").content.decode()


def test_nobody_who_died_is_named(trial: Treatment, group: TherapyGroup) -> None:
    names = named(trial)
    person = trial.of_arm("imr")[0].participant
    with world.at_work(world.SETUP) as by:
        report_death(participant=person, by=by)
    assert names[person.number] not in signed_in("tim").get(f"{AT}{group.pk}/").content.decode()
    assert str(person.pk) not in readings(trial)[0][1]


def test_a_page_asks_the_database_as_often_for_one_member_as_for_many(trial: Treatment, group: TherapyGroup) -> None:
    named(trial)
    session = trial.record(group, FIRST, dict.fromkeys(trial.of_arm("imr")[:2], HERE))
    tim = signed_in("tim")
    addresses = (f"{AT}{group.pk}/", f"{AT}sessions/{session.pk}/", f"{AT}{group.pk}/record/")

    def asked(address: str) -> int:
        tim.get(address)
        with CaptureQueriesContext(connections["unblinded"]) as captured:
            assert tim.get(address).status_code == 200
        return len(captured)

    few = [asked(address) for address in addresses]
    for person in (*trial.of_arm("imr")[2:], *trial.of_arm("cau")):
        trial.place(group, person, FIRST)
    assert [asked(address) for address in addresses] == few


def test_the_log_has_no_row_about_nobody(trial: Treatment) -> None:
    with trial.at_work() as by, pytest.raises(IntegrityError, match="of_somebody"):
        Reading(participants=[], page="group", reader=by.actor_id).save(force_insert=True)


def test_rows_of_before_say_what_they_said(database: psycopg.Connection[Any]) -> None:
    """The change of the column keeps each row, without firing its triggers."""
    migration = import_module("trial.unblinded.disclosure.migrations.0004_reading_of_a_page")
    key = "00000000-0000-4000-8000-000000000001"
    with database.transaction(force_rollback=True):
        database.execute("alter table unblinded_reading drop constraint unblinded_reading_of_somebody")
        database.execute(migration.TO_ONE)
        database.execute("select set_config('equipoise.actor', 'x', true)")
        database.execute(
            "insert into unblinded_reading(id, at, reader, participant_id, page) values (%s, now(), 'x', %s, 'people')",
            [key, key],
        )
        database.execute(migration.TO_LIST)
        assert database.execute("select participants from unblinded_reading").fetchall() == [([key],)]


def _tables(found: Gathered) -> list[Table]:
    """Every table of a page, those of its panels too."""
    inner = [table for part in found.parts if isinstance(part.value, Gathered) for table in _tables(part.value)]
    return [*inner, *(part.value for part in found.parts if isinstance(part.value, Table))]


def test_no_file_names_anybody(trial: Treatment, group: TherapyGroup) -> None:
    """Pages show names to whoever may read them; the CSV of any of their tables, which is carried about, has numbers alone."""
    names = set(named(trial).values())
    session = trial.record(group, FIRST, {trial.of_arm("imr")[0]: HERE})
    thea, naming, files = signed_in("thea"), 0, 0
    for one in addresses():
        if one.side != side.UNBLINDED or "logout" in one.route or "api/" in one.route:
            continue
        for path in {one.path(key=str(key)) for key in (group.pk, session.pk)}:
            with gathering() as found:
                thea.get(path)
            for table in _tables(found):
                naming += any(name in str(row) for row in table.rows for name in names)
                assert not any(name in as_csv(table) for name in names), path
            answer = thea.get(path + "?format=csv")
            if answer.headers.get("Content-Type", "").startswith("text/csv"):
                files += 1
                assert not any(name in answer.content.decode() for name in names), path
    assert naming == 3, "people, a group, a session"
    assert files > 3
