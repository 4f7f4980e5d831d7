"""What people type can be the arm itself: words typed by each role into each free-text field, looked for as every blinded role.

Two worlds hold the same words, so that they cannot see this (see trial-conduct: free text). Which columns are typed says the classification
(``trial.config.disclosure``); a typed column in which nobody types here fails.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils.module_loading import import_string

from analysis.snapshots.actions import make_snapshot
from analysis.unblinded.looks import actions as looks
from analysis.unblinded.models import Look
from assessments.cleaning import actions as cleaning
from assessments.entry import actions as entry
from assessments.entry.queries import readiness
from assessments.visits.actions import assign_interviewer
from tests import world
from tests.access.test_every_url import NOT_THERE, addresses
from tests.records import AFTER_BOTH, T1, stay, with_abstractor
from tests.treatment import FIRST, HERE, START, Treatment
from trial.config.leakcheck.data import look
from trial.core import clock, side
from trial.core.access import actions as accounts
from trial.core.access.roles import OPEN_SIDE
from trial.core.actions import REGISTRY
from trial.core.classified import class_of, kept_out_of_history
from trial.core.disclosure import Disclosure
from trial.core.tokens.actions import make_token
from trial.participants import actions as way_in
from trial.participants.contact.actions import Details, record_contact
from trial.participants.events.actions import report_event
from trial.participants.models import Participant
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Item
from trial.protocol.queries import current
from trial.unblinded.disclosure.code_break.actions import break_code, explain_break
from trial.unblinded.events.actions import write_narrative
from trial.unblinded.events.queries import line_or_none
from trial.unblinded.records import actions as records
from trial.unblinded.records.models import Admission
from trial.unblinded.sessions import actions as treatment

TYPED = {
    table: " ".join(sorted(entry.typed)) for table, entry in import_string(configured.DISCLOSURE).items() if entry.typed
}
"""Columns that hold what a person typed in words of their own, as they are classified. Of an open history the reasons are empty: no open
action takes one."""

REASONS = {
    "trial.unblinded.records.actions.correct_admission",
    "trial.unblinded.records.actions.record_admission",
    "trial.unblinded.sessions.actions.groups.change_group",
    "trial.unblinded.sessions.actions.groups.change_stay",
    "trial.unblinded.sessions.actions.sessions.correct_session",
}
"""Actions whose ``reason`` is typed and goes into the history."""


def test_no_open_action_takes_a_reason_in_words() -> None:
    """What is typed as ``reason`` stands in the history, which blinded people read: on the open side reasons are codes."""
    import inspect

    addresses()  # every action is registered when its pages are
    assert {name for name, one in REGISTRY.items() if "reason" in inspect.signature(one).parameters} == REASONS


@dataclass
class Planted:
    """Who typed which words, and who may read them: nobody else may."""

    readers: dict[str, set[str]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def word(self, column: str, *readers: str) -> str:
        """A word that stands nowhere else, for this column."""
        made = f"canary{len(self.readers):02d}imr{re.sub('[^a-z]', '', column.partition('.')[2])}"[:20]
        self.readers[made] = set(readers)
        self.columns[column].add(made)
        return made


@dataclass
class Aviary:
    """The trial with all its open roles at one site, and everything typed."""

    trial: Treatment
    participant: Participant
    planted: Planted
    keys: dict[str, list[str]]


EVERYBODY = ("cora", "ines", "ivo", "rita", "dana", "mo", "stan", "prim", "spon", "cora2", "ines2")
OPEN = {
    "cora": "coordinator", "ines": "interviewer", "ivo": "interviewer", "rita": "rater", "mo": "monitor",
    "stan": "statistician", "prim": "investigator", "spon": "sponsor", "cora2": "coordinator", "ines2": "interviewer",
}  # fmt: skip


def identifies(column: str) -> bool:
    """Whether a planted column says who somebody is."""
    return class_of(column) == Disclosure.IDENTIFIES


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


@pytest.fixture
def aviary(database: psycopg.Connection[Any], settings: Any) -> Iterator[Aviary]:
    settings.TASK_SENDER = f"{__name__}.nowhere"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with clock.frozen(START):
        trial = with_abstractor(Treatment(people=5))
        for name, role in OPEN.items():
            site = trial.other_team.site_id if name.endswith("2") else trial.site
            trial.users[name] = world.make_user(name, role, site)
            trial.people[name] = world.person(trial.users[name])
        planted, keys = Planted(), defaultdict(list)
        participant = _open_side(trial, planted, keys)
        _behind_the_wall(trial, planted)
        _looks(database, planted)
        yield Aviary(trial, participant, planted, keys)


def _with_a_remark() -> Any:
    protocol = world.read("imr")
    remark = Item("remark", "Remark", "text", max=200, optional=True)
    changed = tuple(
        replace(one, items=(*one.items, remark)) if one.code == "background" else one for one in protocol.instruments
    )
    return replace(protocol, instruments=changed)


def _open_side(trial: Treatment, planted: Planted, keys: dict[str, list[str]]) -> Participant:
    people = trial.people
    with world.at_work(world.SETUP) as by:
        load_version(protocol=_with_a_remark(), used=Used(), by=by)
    with world.at_work(people["cora"]) as by:
        participant = world.register(by, trial.team)
        vault = {
            name: planted.word(f"participants_contact.{name}", "cora", "ines")
            for name in TYPED["participants_contact"].split()
        }
        record_contact(participant=participant, details=Details(**vault), by=by)
        assign_interviewer(participant=participant, interviewer=trial.users["ines"], by=by)
        keys["screening/<"].append(str(participant.screening_id))
    with world.at_work(people["ines"]) as by:
        form = entry.open_form(participant=participant, visit="T1", instrument="background", by=by)
        answers = {
            item.code: str(item.limits[0]) for item in current().instrument("background").items if item.kind != "text"
        }
        answers["remark"] = planted.word("entry_answer.value", "ines", "dana", "mo")
        form = entry.save_answers(form=form, answers=answers, revision=0, by=by)
        odd = readiness([form])["background"].checks
        if odd:
            entry.confirm_checks(form=form, checks=[check.code for check in odd], by=by)
        form = entry.sign_form(form=form, revision=form.revision, held_on=clock.today(), password=world.PASSWORD, by=by)
        changed = {"remark": planted.word("entry_amendedanswer.value", "ines", "dana", "mo")}
        entry.amend_form(form=form, answers=changed, reason_code="typed_wrong", password=world.PASSWORD, by=by)
        keys["forms/<"].append(str(form.pk))
        make_token(
            name=planted.word("tokens_token.name", "ines"), last_day=clock.today(), password=world.PASSWORD, by=by
        )
    for name, abouts in (("dana", ({"form": form, "item": "remark"}, {})), ("mo", ({},))):
        with world.at_work(people[name]) as by:
            for about in abouts:
                words = planted.word("cleaning_dataquery.text", "dana", "mo", "cora", "ines")
                query = cleaning.raise_query(
                    participant=participant, visit="T1", kind="other", text=words, by=by, **about
                )
                keys["queries/<"].append(str(query.pk))
    for name in ("cora", "ines", "dana"):
        with world.at_work(people[name]) as by:
            way_in.report_unblinding(
                participant_id=participant.pk, visit="T1", source="participant", by=by,
                words=planted.word("dropbox_unblinding_report.words"),
                believed_arm=planted.word("dropbox_unblinding_report.believed_arm"),
            )  # fmt: skip
    with world.at_work(people["ines"]) as by:
        way_in.drop_guess(participant_id=participant.pk, visit="T3", guess=planted.word("dropbox_guess.guess"), by=by)
    with world.at_work(people["dana"]) as by:
        make_snapshot(by=by)
    return participant


def _behind_the_wall(trial: Treatment, planted: Planted) -> None:
    def reason() -> str:
        return planted.word("unblinded_history.reason")

    with trial.at_work("thea") as by:
        group = treatment.open_group(
            site=trial.site, code=planted.word("unblinded_group.code"), name=planted.word("unblinded_group.name"),
            trainers=trial.trainers, opened_on=FIRST, by=by,
        )  # fmt: skip
        treatment.change_group(
            group=group, name=planted.word("unblinded_group.name"), trainers=trial.trainers, opened_on=FIRST,
            reason=reason(), by=by,
        )  # fmt: skip
    one = trial.of_arm("imr")[0]
    member = trial.place(group, one)
    trial.on(FIRST + dt.timedelta(days=7))
    session = trial.record(group, FIRST, {one: HERE})
    with trial.at_work("tim") as by:
        treatment.correct_session(
            session=session, day=FIRST, content=trial.content("m02"), marks={one.pk: HERE}, revision=session.revision,
            reason=reason(), by=by,
        )  # fmt: skip
    with trial.at_work("thea") as by:
        left = FIRST + dt.timedelta(days=3)
        treatment.change_stay(member=member, entered_on=FIRST, left_on=left, reason=reason(), by=by)
    trial.on(AFTER_BOTH)
    day = dt.timedelta(days=1)
    with trial.at_work("ada") as by:
        records.look_up(allocation=one, window="before", admissions=[stay(T1 - 20 * day, T1 - 11 * day)], by=by)
        found = stay(T1 - 20 * day, T1 - 12 * day)
        words = planted.word("unblinded_admission.reason")
        records.correct_admission(admission=Admission.objects.get(), found=found, reason=words, by=by)
    with world.at_work(world.SETUP) as by:
        event = report_event(participant=one.participant, kind="other", began_on=clock.today(), by=by)
    with trial.at_work("thea") as by:
        line = line_or_none(event.key)
        assert line is not None
        write_narrative(
            line=line, words=planted.word("unblinded_event_narrative.words"), relatedness="possible", expectedness="expected", by=by
        )  # fmt: skip
    with trial.at_work("ursula") as by:
        words = planted.word("unblinded_admission.reason")
        records.record_admission(
            allocation=one, window="before", found=stay(T1 - 9 * day, T1 - day), reason=words, by=by
        )
    with trial.at_work("thea") as by:
        make_token(name=planted.word("unblinded_token.name"), last_day=clock.today(), password=world.PASSWORD, by=by)
    with world.at_work(trial.people["prim"], on=side.UNBLINDED) as by:
        break_code(number=one.participant.number, password=world.PASSWORD, by=by)
        words = planted.word("unblinded_code_break_reason.words")
        explain_break(number=one.participant.number, words=words, by=by)
    admin = world.person(world.make_user("anna", "admin"))
    with world.at_work(admin) as by:
        user = accounts.create_account(
            username=planted.word("core_user.username", "dana", "mo"),  # in the history of accounts
            full_name=planted.word("core_user.full_name", *EVERYBODY),
            password="a long password 123", by=by,
        )  # fmt: skip
        accounts.give_role(user=user, role="interviewer", site=trial.site, by=by)


HELD = """
    set local session_replication_role = replica;
    insert into unblinded_look(id, number, plan_id, code, begun_by, begun_at) values (gen_random_uuid(), 1, gen_random_uuid(), 'half', 'x', now());
    insert into unblinded_look_result(id, look_id, run_id, information, z, alpha, held_at)
        select gen_random_uuid(), id, gen_random_uuid(), 1, 1, 0.01, now() from unblinded_look
"""
"""A look that was held, as far as the committee's recommendation needs one: by the owner, without its run."""


def _looks(owner: psycopg.Connection[Any], planted: Planted) -> None:
    with owner.transaction():
        owner.execute(HELD)
    with world.at_work(world.person(world.make_user("coen", "dmc"))) as by:
        words = planted.word("unblinded_look_request.words")
        looks.ask_for_look(asked_for="committee", blind_timing=True, words=words, by=by)
        words = planted.word("unblinded_recommendation.words")
        looks.recommend(look=Look.objects.get(), word="continue", words=words, by=by)


OTHERS = re.compile(r"/([0-9]{8}|[0-9a-f-]{36})/")


def _leads_on(link: str, aviary: Aviary) -> bool:
    """Whether a link leads to another page of the open side; of the participants one is enough."""
    ours = {aviary.participant.number, *(key for found in aviary.keys.values() for key in found)}
    is_page = link.startswith("/") and not link.startswith(("/static/", "/unblinded/", "/logout"))
    return is_page and ("/analysis/" in link or set(OTHERS.findall(link)) <= ours)


def _pages(client: Client, aviary: Aviary) -> dict[str, str]:
    """Everything that this client finds by its links, and by every address with the keys that there are."""
    number = aviary.participant.number
    real = {"number": [number], "code": ["T1"], "instrument": ["background"], "part": ["interviews"]}
    waiting, seen = {"/"}, {}
    for one in addresses():
        if one.side != side.OPEN or one.route.startswith(("gallery", "logout")):
            continue
        asked = [one.path()]
        kind = next((kind for kind in aviary.keys if kind in one.route), "")
        real["key"] = aviary.keys[kind] if kind else []
        for name in sorted(one.arguments):
            asked = [
                path.replace(NOT_THERE[name], value) for path in asked for value in real.get(name, [NOT_THERE[name]])
            ]
        waiting |= set(asked)
    while waiting:
        address = waiting.pop()
        answer = client.get(address)
        text = answer.content.decode("utf-8", "replace") + str(dict(answer.headers))
        seen[address] = text
        if answer.status_code == 200 and "html" in answer.headers["Content-Type"]:
            links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/?[^"#:]*)"', text)}
            links = {address.partition("?")[0] + link if link.startswith("?") else link for link in links}
            waiting |= {link for link in links if _leads_on(link, aviary) and link not in seen}
        assert len(seen) < 500, sorted(seen)[:50]
    return seen


def test_words_reach_their_readers_and_nobody_else(aviary: Aviary) -> None:
    assert set(aviary.planted.columns) == {f"{table}.{name}" for table in TYPED for name in TYPED[table].split()}
    assert {OPEN[name] for name in OPEN} | {"datamanager"} == {role.code for role in OPEN_SIDE}
    who = {word for column in aviary.planted.columns if identifies(column) for word in aviary.planted.columns[column]}
    assert who
    read: dict[str, dict[str, str]] = defaultdict(dict)
    for name in EVERYBODY:
        client = Client(raise_request_exception=False)
        assert client.post("/login/", {"username": name, "password": world.PASSWORD}).status_code == 302
        pages = _pages(client, aviary)
        assert len(pages) > 20
        for address, text in pages.items():
            for word in aviary.planted.readers:
                if word in text:
                    read[word].setdefault(name, address)
                    assert word not in who or "text/csv" not in text, f"{address} puts into a file who somebody is"
    leaks = {
        f"{word} read by {name} at {address}"
        for word, found in read.items()
        for name, address in found.items()
        if name not in aviary.planted.readers[word]
    }
    assert leaks == set()
    unread = {word for word, readers in aviary.planted.readers.items() if readers and not read[word]}
    assert unread == set(), "nobody reads these words at all: the test looks in the wrong place"


def test_words_stand_in_their_own_column_alone(aviary: Aviary) -> None:
    """Of everything that the blinded login can read, histories and snapshots included."""
    tables = look(catalog=False).tables
    for column, words in aviary.planted.columns.items():
        table = column.partition(".")[0]
        for word in words:
            found = {name for name, rows in tables.items() if any(word in row for row in rows)}
            # the history keeps what a form and an account said; pages show it to the readers of those
            history = set() if kept_out_of_history(column) else {"core_history"}
            expected = set() if table.startswith(("dropbox_", "unblinded_")) else {table} | history
            assert found <= expected, word
