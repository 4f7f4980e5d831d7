"""What people type can be the arm itself: words typed by each role into each free-text field, looked for as every blinded role.

Two worlds hold the same words, so that they cannot see this (see trial-conduct: free text). Every text column of the models is either coded
(the program or a list writes it) or typed; a new column belongs to one of them before this passes.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db import models
from django.test import Client
from django.utils.module_loading import import_string

from analysis.snapshots.actions import make_snapshot
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
    "core_user": "full_name username",
    "participants_contact": "name phone email address contact_person contact_phone",
    "dropbox_unblinding_report": "words believed_arm",
    "dropbox_guess": "guess",
    "unblinded_code_break_reason": "words",
    "entry_answer": "value",
    "entry_amendedanswer": "value",
    "cleaning_dataquery": "text",
    "unblinded_group": "code name",
    "unblinded_admission": "reason",
    "unblinded_history": "reason",
    "unblinded_event_narrative": "words",
    "tokens_token": "name",
    "unblinded_token": "name",
}
"""Columns that hold what a person typed in words of their own. Of an open history the reasons are empty: no open action takes one."""

CODED = {
    "unblinded_forecast_run": "spec code_version environment_hash created_by stage failure result result_sha256",
    "unblinded_token": "digest password_mark revoked_by",
    "unblinded_contingency_release": "site slot_stratum arm released_by",
    "unblinded_contingency_request": "site asked_by",
    "unblinded_wrong_treatment": "site given_arm recorded_by",
    "unblinded_reveal": "differences content sha256",
    "unblinded_verification_order": "ordered_by",
    "concealed_draw": "arm levels",
    "participants_randomizationerror": "corrected_stratum other_number recorded_by",
    "dropbox_seed_share": "contributor share receipt",
    "participants_commitment": "sha256 purpose for_site",
    "tokens_token": "digest password_mark revoked_by",
    "core_user": "password",
    "core_membership": "role site granted_by confirmed_by ended_by",
    "core_history": "login actor action reason table_name operation row_id site old new",
    "core_history_seal": "head",
    "core_redaction": "table_name row_id field site asked_by decided_by",
    "core_redactedline": "site digest",
    "core_setuptoken": "sha256",
    "protocol_protocolversion": "sha256 document loaded_by",
    "protocol_site": "code name",
    "protocol_team": "code name",
    "protocol_importstate": "source sha256",
    "participants_screeningentry": "age_band sex reason criteria",
    "participants_participant": "number stratum",
    "participants_consent": "version part reason recorded_by",
    "participants_contact": "recorded_by",
    "participants_contactreading": "page reader",
    "participants_contactattempt": "visit recorded_by",
    "participants_transfer": "recorded_by",
    "participants_death": "recorded_by",
    "participants_seriousevent": "recorded_by",
    "unblinded_event_narrative": "site written_by",
    "participants_randomizationrequest": "requested_by refusal",
    "dropbox_unblinding_report": "site visit source reported_by",
    "dropbox_refusal": "place about actor",
    "dropbox_guess": "site visit rater guessed_by",
    "participants_databaselock": "locked_by signature",
    "participants_unblindingrequest": "requested_by signature",
    "participants_release": "title kind payload sha256",
    "concealed_sequence": "for_site algorithm parameters seed shares salt commitment sealed_by sha256",
    "concealed_slot": "stratum arm",
    "concealed_history_seal": "head",
    "unblinded_history_seal": "head",
    "concealed_history": "login actor action reason table_name operation row_id site old new",
    "unblinded_allocation": "site stratum slot_stratum arm levels",
    "unblinded_group": "site created_by",
    "unblinded_group_trainer": "site",
    "unblinded_told": "site recorded_by",
    "unblinded_member": "site placed_by",
    "unblinded_session": "site modules led_by recorded_by",
    "unblinded_attendance": "site recorded_by",
    "unblinded_withdrawal": "site recorded_by",
    "unblinded_completion": "site ended_by denominator",
    "unblinded_fidelity_rating": "site scale rater scores signature",
    "unblinded_fidelity_consensus": "site scale scores band reached_by signature",
    "unblinded_admission": "site recorded_by",
    "unblinded_lookup": "site sha256 looked_up_by",
    "unblinded_planned_unblinding": "requested_by confirmed_by signature",
    "unblinded_ledger": "actor what subject",
    "unblinded_code_break": "site broken_by signature",
    "unblinded_code_break_reason": "site given_by",
    "unblinded_handover_seed": "seed",
    "unblinded_handover_order": "site ordered_by",
    "unblinded_handover": "site visit",
    "unblinded_reading": "reader participants page",
    "unblinded_reentry": "session",
    "unblinded_history": "login actor action table_name operation row_id site old new",
    "visits_assessorassignment": "assigned_by",
    "visits_visitoutcome": "visit reason recorded_by",
    "entry_form": "visit instrument rater opened_by saved_by signed_by content_sha256 signature",
    "entry_answer": "item missing",
    "entry_confirmation": "check_code seen confirmed_by",
    "entry_amendment": "amended_by content_sha256 signature",
    "entry_amendedanswer": "item missing",
    "entry_score": "scale reason rater",
    "cleaning_dataquery": "visit item raised_as raised_by",
    "cleaning_queryevent": "code by",
    "snapshots_snapshot": "made_by sha256 dictionary",
    "pooled_pooledrun": "snapshot_sha256 spec code_version environment_hash created_by stage failure result result_sha256",
    "unblinded_comparative_run": "snapshot_sha256 spec code_version environment_hash created_by stage failure result result_sha256"
    " extract_sha256",
}
"""Columns that the program, a list of the protocol or a command fills; columns with ``choices`` need not stand here."""

REASONS = {
    "trial.unblinded.records.actions.correct_admission",
    "trial.unblinded.records.actions.record_admission",
    "trial.unblinded.sessions.actions.groups.change_group",
    "trial.unblinded.sessions.actions.groups.change_stay",
    "trial.unblinded.sessions.actions.sessions.correct_session",
}
"""Actions whose ``reason`` is typed and goes into the history."""


def test_every_text_column_is_coded_or_typed() -> None:
    rights = import_string(configured.RIGHTS)
    found: dict[str, set[str]] = defaultdict(set)
    for model in apps.get_models():
        table = model._meta.db_table
        if rights[table].side in ("infrastructure", "owner"):
            continue
        for one in model._meta.concrete_fields:
            is_text = isinstance(one, models.CharField | models.TextField | models.JSONField)
            if is_text and (not one.choices or one.name in CODED.get(table, "").split()):
                found[table].add(one.name)
    listed = {table: {*TYPED.get(table, "").split(), *CODED.get(table, "").split()} for table in {*TYPED, *CODED}}
    assert dict(found) == listed
    for table in TYPED:
        assert not set(TYPED[table].split()) & set(CODED.get(table, "").split()), table


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
            history = {"core_history"} if table.startswith(("core_", "entry_", "tokens_")) else set()
            expected = set() if table.startswith(("dropbox_", "unblinded_")) else {table} | history
            assert found <= expected, word
