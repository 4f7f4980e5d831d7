"""After the database lock every page says so, and none offers what would be refused."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client

from assessments.cleaning import actions as cleaning
from assessments.entry import actions as entry
from assessments.visits.actions import assign_interviewer
from tests import kept, world
from tests.access.test_every_url import addresses
from tests.crawl import Crawl, Seen
from tests.records import look_up_everybody
from tests.treatment import FIRST, HERE, START, Treatment, week
from trial.core import clock, side
from trial.core.access.roles import BY_CODE
from trial.participants.actions import lock_database
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Participant, ScreeningEntry
from trial.unblinded.records import actions as records
from trial.unblinded.sessions import actions as treatment

OTHERS = {
    "carla": "coordinator", "anna": "interviewer", "rita": "rater", "dana": "datamanager", "mona": "monitor", "stan": "statistician",
    "piet": "investigator", "saar": "sponsor", "ada": "abstractor", "mina": "monitor_unblinded",
}  # fmt: skip
STILL_DONE = {
    "death", "unblinded_death", "contact_edit", "withdraw", "unblinding_report", "visit_report", "snapshots", "run_new", "comparative_new",
    "request_unblinding", "planned_unblinding", "code_break", "code_break_reason", "me", "unblinded_me",
    "token_new", "unblinded_token_new", "forecast_new", "redaction_ask", "unblinded_redaction_ask", "plan_new", "plan_sign",
    "looks_sign", "event_narrative",
    "look_ask", "look_begin", "look_requested", "look_recommend", "look_sign", "look_tell",
    "report_new", "closed_report_new", "final_report_new",
}  # fmt: skip
"""What the lock does not refuse: a death, contact data, a withdrawal, a report into the drop box, analysis, unblinding, an emergency, a
lawful redaction, a plan of analysis, the narrative of a serious event, one's account."""
LATE = dt.date(2026, 1, 9)
"""A year after everybody was randomized: the visits at 12 months are due."""


class Locked(Treatment):
    """Work of every role was under way when the database was locked."""

    def __init__(self) -> None:
        super().__init__()
        for name, role in OTHERS.items():
            self.users[name] = world.make_user(name, role, self.site)
            self.people[name] = world.person(self.users[name])
        self._treat()
        self._follow()
        look_up_everybody()
        with world.at_work(self.people["dana"]) as by:
            lock_database(password=world.PASSWORD, by=by)

    def _treat(self) -> None:
        group, (one, two, *_others) = self.group(), self.of_arm("imr")
        self.place(group, one)
        self.on(week(1))
        with self.at_work("thea") as by:
            treatment.record_told(allocation=two, told_on=FIRST, by=by)
        self.record(group, FIRST, {one: HERE})
        self.place(group, two, FIRST)  # without attendance of the session on record
        with self.at_work("fay") as by:
            scores = {item.code: 4 for item in self.protocol.fidelity[0].items}
            treatment.save_rating(
                group=group, scale=self.protocol.fidelity[0].code, scores=scores, visited_on=FIRST, by=by
            )
        self.on(LATE)
        with self.at_work("ada") as by:
            day = FIRST - dt.timedelta(days=30)
            found = records.Found(day, day + dt.timedelta(days=3), "open", "file")
            records.record_admission(allocation=one, window="before", found=found, by=by)

    def _follow(self) -> None:
        with world.at_work(self.people["carla"]) as by:
            followed = list(Participant.objects.order_by("number")[:3])
            for participant in followed:
                assign_interviewer(participant=participant, interviewer=self.users["anna"], by=by)
                record_contact(participant=participant, details=synthetic(participant.number), by=by)
            self.ready = world.ready_to_randomize(by, self.team)
        with world.at_work(self.people["anna"]) as by:
            participant = followed[0]
            entry.open_form(participant=participant, visit="T2", instrument="sers", by=by)
        with world.at_work(self.people["mona"]) as by:
            query = cleaning.raise_query(participant=participant, visit="T2", kind="date", text="Which day?", by=by)
        with world.at_work(self.people["dana"]) as by:
            cleaning.accept_queries(queries_=[query], reason_code="nobody_knows", by=by)


@pytest.fixture(scope="module")
def locked(owner: psycopg.Connection[Any]) -> Iterator[Locked]:
    with pytest.MonkeyPatch.context() as patch, clock.frozen(START):
        from django.conf import settings

        patch.setattr(settings, "TASK_SENDER", "trial.config.worlds.stage.send_nothing")
        patch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
        yield Locked()
    kept.clean(owner)


def signed_in(name: str, role: str) -> tuple[Client, str]:
    home = "/" if BY_CODE[role].side == "open" else "/unblinded/"
    client = Client()
    answer = client.post(f"{home}login/", {"username": name, "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:1500]
    return client, home


STAFF = {
    "thea": "treatment",
    "tim": "therapist",
    "fay": "fidelity",
    "ursula": "datamanager_unblinded",
    "irma": "independent",
    **OTHERS,
}


def _complaint(seen: Seen) -> str | None:
    if seen.answer.status_code not in (200, 302):
        return f"{seen.address} ({seen.name}), offered on {seen.came_from}: {seen.answer.status_code}"
    if seen.answer.status_code == 200 and seen.is_page:
        if "Database locked on" not in seen.text:
            return f"{seen.address} does not say that the database is locked"
        if seen.asks - STILL_DONE:
            return f"{seen.address} still asks for {seen.asks - STILL_DONE}"
    return None


@pytest.mark.parametrize("name", STAFF)
def test_no_page_offers_what_would_be_refused(locked: Locked, name: str) -> None:
    client, home = signed_in(name, STAFF[name])
    seen = list(Crawl(client, home).pages())
    assert len(seen) > 3
    assert [found for one in seen if (found := _complaint(one))] == []
    page = seen[0].text
    goes_on = any(text in page for text in ("Ask for planned unblinding", "Make the first snapshot"))
    assert ('class="work-title"' in page) == goes_on, "work that the lock has ended"


def test_the_address_of_a_form_says_why_it_is_gone(locked: Locked) -> None:
    with side.opened(), world.at_work(world.SETUP):
        entry_key = ScreeningEntry.objects.latest("created_at").pk
    number = locked.of_arm("imr")[0].participant.number
    given = {"number": number, "key": str(entry_key), "code": "T2", "instrument": "background", "part": "interviews"}
    closed = [address for address in addresses() if address.access.stops_at_lock]
    assert len(closed) > 30
    clients: dict[str, Client] = {}
    for address in closed:
        name = next((n for n, role in STAFF.items() if address.admits(BY_CODE[role])), None)
        if name is None:  # of the coordinator who sees allocations: the same page is mounted on the open side
            assert address.route.startswith("unblinded/participants/"), address
            continue
        client = clients.get(name) or clients.setdefault(name, signed_in(name, STAFF[name])[0])
        answer = client.get(address.path(**given))
        assert answer.status_code == 409, address.route
        text = answer.content.decode()
        assert "The database is locked" in text, address.route
        assert "nothing was changed" in text
        assert not Seen(address.path(**given), "", answer, "").asks


def test_a_new_consent_is_refused_and_a_withdrawal_is_not(locked: Locked) -> None:
    client, _home = signed_in("carla", "coordinator")
    number = locked.ready.number
    page = client.get(f"/participants/{number}/consent/")
    assert b"Withdraw" in page.content
    assert client.get(f"/participants/{number}/consent/interviews/").status_code == 200
    today = clock.today()
    day = {"day_day": today.day, "day_month": today.month, "day_year": today.year}
    assert client.post(f"/participants/{number}/consent/sharing/", {**day, "reason": "none"}).status_code in (302, 422)


def test_what_was_typed_before_the_lock_stays_on_the_page(locked: Locked) -> None:
    """The form was open when the lock came: the answer names the reason and keeps what was typed."""
    client, _home = signed_in("carla", "coordinator")
    month = clock.today().replace(day=1).isoformat()
    typed = {"team": locked.team.code, "month": month, "age_band": "30-39", "sex": "female"}
    answer = client.post("/participants/screening/new/", typed)
    assert answer.status_code == 422
    assert b"The database is locked" in answer.content
    assert b'value="30-39"' in answer.content
