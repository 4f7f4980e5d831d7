"""The history as a page: all of what one may see, filtered, paged and as a file; the head; a redaction in the browser."""

from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils.module_loading import import_string

from assessments.cleaning import actions as cleaning
from tests import world
from tests.treatment import START, Treatment
from trial.config.history_words import TABLES
from trial.core import clock
from trial.core.history.tasks import seal_open, seal_unblinded
from trial.participants.course.actions import report_death
from trial.participants.models import Participant


def signed_in(name: str, where: str = "/login/") -> Client:
    client = Client()
    assert client.post(where, {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


@pytest.fixture
def trial(database: psycopg.Connection[Any], settings: Any) -> Any:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    with clock.frozen(START):
        played = Treatment(people=3)
        for name, role in (
            ("dana", "datamanager"), ("mona", "monitor"), ("piet", "investigator"), ("mina", "monitor_unblinded"), ("carla", "coordinator"),
        ):  # fmt: skip
            played.users[name] = world.make_user(name, role, played.site)
            played.people[name] = world.person(played.users[name])
        played.group()
        with world.at_work(played.people["thea"]) as by:
            report_death(participant=Participant.objects.order_by("number")[0], by=by)
        seal_open()
        seal_unblinded()
        yield played


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_every_table_with_a_history_has_a_word() -> None:
    tables = import_string(configured.RIGHTS)
    kept = {name for name, one in tables.items() if one.has_history and one.side != "concealed"}
    assert kept - set(TABLES) == set()


def test_open_roles_see_site_staff_and_nothing_behind_the_wall(trial: Treatment) -> None:
    page = text(signed_in("dana"), "/history/?table_name=participants_death")
    assert "Death reported" in page
    assert "site staff" in page.lower()
    whole = text(signed_in("mona"), "/history/?format=csv")
    for hidden in ("Therapy group", "Allocation,", "R1-A"):
        assert hidden not in whole
    assert signed_in("carla").get("/history/").status_code == 403


def test_behind_the_wall_with_the_true_author_and_in_the_ledger(trial: Treatment) -> None:
    client = signed_in("mina", "/unblinded/login/")
    page = text(client, "/unblinded/history/?table_name=participants_death")
    assert "Thea" in page
    assert "Group made" in text(client, "/unblinded/history/?action=trial.unblinded.sessions.actions.groups.open_group")
    assert "History of this side opened" in text(
        signed_in("irma", "/unblinded/login/"), "/unblinded/disclosure/ledger/"
    )


def test_filters(trial: Treatment) -> None:
    client = signed_in("dana")
    with world.at_work(world.SETUP):
        one, other = Participant.objects.order_by("number")[:2]
    mine = text(client, f"/history/?participant={one.number}&format=csv")
    assert one.number[:4] in mine
    assert other.number[4:] not in mine
    assert "Consent recorded" in mine
    assert "Request to randomize" in mine
    assert "Nothing has been changed yet" in text(client, "/history/?participant=00000000")
    assert "Nothing has been changed yet" in text(client, "/history/?site=nowhere")
    assert "Nothing has been changed yet" in text(client, "/history/?until=2024-12")
    assert "Registered" in text(client, "/history/?since=2025-01&until=2025-01&table_name=participants_participant")
    assert "Registered" in text(
        client, f"/history/?since=nonsense&site={trial.site}&action=trial.participants.actions.register"
    )
    assert "page=2" in text(client, "/history/")
    assert text(client, "/history/?page=2") != text(client, "/history/")


@pytest.mark.parametrize(
    ("name", "login", "address"),
    [
        ("dana", "/login/", "/history/seal/"),
        ("mina", "/unblinded/login/", "/unblinded/history/seal/"),
        ("irma", "/unblinded/login/", "/unblinded/history/seal/"),
    ],
)  # fmt: skip
def test_the_head_is_shown(
    trial: Treatment, database: psycopg.Connection[Any], name: str, login: str, address: str
) -> None:
    table = "unblinded_history_seal" if "unblinded" in address else "core_history_seal"
    (head,) = database.execute(f"select head from {table} order by number desc limit 1").fetchone() or ("",)  # type: ignore[arg-type]
    page = text(signed_in(name, login), address)
    assert page.count(" ".join(head[i : i + 8] for i in range(0, 64, 8))) == 2


def test_a_redaction_from_asking_to_the_mark(trial: Treatment, database: psycopg.Connection[Any]) -> None:
    with world.at_work(trial.people["dana"]) as by:
        one = Participant.objects.order_by("number")[1]
        cleaning.raise_query(kind="implausible", text="Ask Jan Jansen", participant=one, visit="T1", by=by)
    dana, piet = signed_in("dana"), signed_in("piet")
    page = text(dana, "/history/?table_name=cleaning_dataquery")
    address = page.partition('href="/history/')[2].partition('redact/"')[0].rpartition('href="/history/')[2]
    (row,) = database.execute("select id from core_history where table_name = 'cleaning_dataquery'").fetchone() or (0,)
    assert address.endswith(f"{row}/")
    assert "Redact" not in text(signed_in("mona"), "/history/?table_name=cleaning_dataquery").replace("Redactions", "")
    assert dana.post(f"/history/{row}/redact/", {}).status_code == 422
    assert dana.post(f"/history/{row}/redact/", {"reason": "other_person"}).status_code == 302
    assert "Decide on redaction 1" in text(piet, "/")
    (key,) = database.execute("select id from core_redaction").fetchone() or ("",)
    assert piet.post(f"/history/redactions/{key}/", {"decision": "redact", "password": "wrong"}).status_code == 422
    assert (
        piet.post(f"/history/redactions/{key}/", {"decision": "redact", "password": world.PASSWORD}).status_code == 302
    )
    assert database.execute("select text from cleaning_dataquery").fetchall() == [("[redacted 1]",)]
    assert "It names somebody else" in text(dana, "/history/redactions/")
