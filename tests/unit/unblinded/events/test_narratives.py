"""Serious events behind the wall: who tells what happened, what is refused, who reads it, and the table of the committee."""

import uuid
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from tests import world
from tests.records import AFTER_BOTH, look_up_everybody
from tests.treatment import Treatment
from trial.core import clock, db, side
from trial.core.errors import NotAllowed, Refused
from trial.core.ui.tables import grouped
from trial.participants.actions import lock_database
from trial.participants.course.actions import report_death
from trial.participants.events import actions as open_side
from trial.participants.events.models import SeriousEvent
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.events import actions, queries
from trial.unblinded.events.models import EventNarrative
from trial.unblinded.randomization.models import Allocation

AT = "/unblinded/events/"
WORDS = "Admitted for nine days after a night without sleep."
TOLD = {"words": WORDS, "relatedness": "unlikely", "expectedness": "expected"}


def signed_in(username: str, own: str = "/unblinded/login/") -> Client:
    client = Client()
    assert client.post(own, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def report(trial: Treatment, allocation: Allocation, who: str = "cora", kind: str = "admission") -> SeriousEvent:
    with world.at_work(trial.people[who]) as by:
        made: SeriousEvent = open_side.report_event(
            participant=allocation.participant, kind=kind, began_on=clock.today(), by=by
        )
    return made


def tell(trial: Treatment, event: SeriousEvent, who: str = "thea", **changed: str) -> EventNarrative:
    with trial.at_work(who) as by:
        line = queries.line_or_none(event.key)
        assert line is not None
        made: EventNarrative = actions.write_narrative(line=line, by=by, **{**TOLD, **changed})
    return made


def test_the_treatment_coordinator_tells_and_twice_is_once(trial: Treatment) -> None:
    event = report(trial, trial.of_arm("imr")[0])
    first = tell(trial, event)
    assert tell(trial, event).pk == first.pk
    assert tell(trial, event, relatedness="possible").number == 2
    with trial.at_work("mina"):
        (line,) = queries.event_lines()
        assert line.narrative is not None
        assert (line.narrative.relatedness, line.narrative.words) == ("possible", WORDS)
        assert len(queries.narratives(event.key)) == 2


def test_nobody_else_tells(trial: Treatment) -> None:
    event = report(trial, trial.of_arm("imr")[0])
    for who in ("tim", "ursula", "irma", "mina", "dora"):
        with pytest.raises(NotAllowed):
            tell(trial, event, who)


def test_what_is_refused(trial: Treatment) -> None:
    event = report(trial, trial.of_arm("cau")[0])
    for changed, code in (({"words": "  "}, "words_missing"), ({"relatedness": "perhaps"}, "code_unknown")):
        with pytest.raises(Refused) as refusal:
            tell(trial, event, **changed)
        assert refusal.value.code == code
    with world.at_work(trial.people["cora"]) as by:
        open_side.correct_event(
            event=event, kind=event.kind, began_on=event.began_on, outcome="unknown", void=True, by=by
        )
    with pytest.raises(Refused, match="taken back"):
        tell(trial, event)


def test_a_narrative_is_written_after_the_lock_too(trial: Treatment) -> None:
    event = report(trial, trial.of_arm("imr")[0])
    trial.on(AFTER_BOTH)
    look_up_everybody()
    with world.at_work(trial.people["dana"]) as by:
        lock_database(password=world.PASSWORD, by=by)
    assert "Tell what happened" in shown(signed_in("thea"), "/unblinded/")
    assert tell(trial, event).number == 1


def planted(trial: Treatment, **given: Any) -> None:
    """A narrative by SQL: the first of an event, by the program, with what is ``given``."""
    row = {
        "id": uuid.UUID(int=9), "site": trial.site, "number": 1, **TOLD,
        "written_at": clock.now(), "written_by": world.SETUP.actor_id, **given,
    }  # fmt: skip
    marks = ", ".join(["%s"] * len(row))
    with trial.at_work(), db.cursor() as c:
        c.execute(f"insert into unblinded_event_narrative({', '.join(row)}) values ({marks})", list(row.values()))


def test_the_database_refuses_it_too(trial: Treatment) -> None:
    one, another = trial.of_arm("imr")[:2]
    right = {"event": report(trial, one).key, "allocation_id": one.pk}
    faults: list[tuple[dict[str, Any], str]] = [
        ({"written_by": "somebody"}, "names its own author"),
        ({"event": uuid.UUID(int=7)}, "of a serious event of this person"),
        ({"allocation_id": another.pk}, "of a serious event of this person"),
        ({"number": 2}, "follow each other"),
        ({"site": trial.other_team.site_id}, "of different sites"),
        ({"words": ""}, "unblinded_narrative_told"),
        ({"relatedness": "perhaps"}, "unblinded_narrative_coded"),
    ]
    for changed, match in faults:
        with pytest.raises(DatabaseError, match=match):
            planted(trial, **{**right, **changed})
    planted(trial, **right)  # and takes it without the fault


def test_from_the_work_list_to_the_page_of_the_event(trial: Treatment) -> None:
    one = trial.of_arm("imr")[0]
    event, number = report(trial, one), grouped(one.participant.number)
    thea = signed_in("thea")
    assert f"Tell what happened to participant {number}" in shown(thea, "/unblinded/")
    assert number in shown(thea, f"{AT}?state=missing")
    form = f"{AT}{event.key}/narrative/"
    refused = thea.post(form, {"words": WORDS, "relatedness": "possible"})
    assert refused.status_code == 422
    assert WORDS in refused.content.decode()
    assert thea.post(form, {**TOLD, "relatedness": "possible"}).status_code == 302
    page = shown(thea, f"{AT}{event.key}/")
    assert WORDS in page
    assert "Possible" in page
    assert "Serious event reported" in page
    assert "Tell what happened" not in shown(thea, "/unblinded/")
    assert "Possible,Expected" in shown(signed_in("mina"), f"{AT}?format=csv")
    assert [signed_in("thea2").get(address).status_code for address in (form, f"{AT}{event.key}/")] == [404, 404]
    with trial.at_work("ursula"):
        noted = set(LedgerEntry.objects.values_list("what", flat=True))
    assert {"serious events opened", "serious event opened"} <= noted


def test_behind_the_wall_a_report_looks_the_same_of_either_arm(trial: Treatment) -> None:
    thea, day = signed_in("thea"), clock.today()
    answers = []
    for allocation in (trial.of_arm("imr")[0], trial.of_arm("cau")[0]):
        number = allocation.participant.number
        assert f"/unblinded/people/{number}/events/new/" in shown(thea, f"/unblinded/people/{number}/")
        answer = thea.post(
            f"/unblinded/people/{number}/events/new/",
            {"kind": "admission", "began_on_day": day.day, "began_on_month": day.month, "began_on_year": day.year},
        )
        answers.append((answer.status_code, answer["Location"]))
    assert answers == [(302, "/unblinded/")] * 2
    page = shown(signed_in("cora", "/login/"), f"/participants/{trial.of_arm('imr')[0].participant.number}/events/")
    assert "site staff" in page
    assert "Thea" not in page


def test_nobody_blind_reads_what_was_told(trial: Treatment) -> None:
    one = trial.of_arm("imr")[0]
    event = report(trial, one)
    tell(trial, event, relatedness="definite")
    for name in ("cora", "dana", "mo", "prim"):
        client = signed_in(name, "/login/")
        for address in (f"/participants/{one.participant.number}/events/", "/participants/events/", "/history/"):
            answer = client.get(address).content.decode()
            assert WORDS not in answer
            assert "Definite" not in answer
        assert client.get(f"{AT}{event.key}/").status_code in (302, 403, 404)
    with world.at_work(trial.people["dana"]), pytest.raises(DatabaseError, match="permission denied"):
        EventNarrative.objects.count()


def test_who_died_is_on_no_list_of_work(trial: Treatment) -> None:
    one = trial.of_arm("imr")[0]
    event = report(trial, one)
    with world.at_work(trial.people["cora"]) as by:
        report_death(participant=one.participant, by=by)
    thea, number = signed_in("thea"), grouped(one.participant.number)
    assert "Tell what happened" not in shown(thea, "/unblinded/")
    assert number not in shown(thea, AT)
    assert number in shown(thea, f"{AT}?state=died")
    assert tell(trial, event).number == 1  # who asks for the event by its address may still tell


def test_the_committee_sees_events_by_arm(trial: Treatment) -> None:
    one, two = trial.of_arm("imr")[:2]
    usual = trial.of_arm("cau")[0]
    tell(trial, report(trial, one), relatedness="possible", expectedness="unexpected")
    report(trial, one, kind="other")
    report(trial, two)
    tell(trial, report(trial, usual, "thea"))
    for who in ("dora", "chris", "irma"):
        rows = dict(line.split(",", 1) for line in shown(signed_in(who), f"{AT}by-arm/?format=csv").splitlines()[1:])
        assert rows["Randomized"] == ",3,,2"
        assert rows["All serious events"] == "3,2,1,1"
        assert rows["Unplanned admission to hospital"] == "2,2,1,1"
        assert rows["Relatedness: possible"] == "1,1,0,0"
        assert rows["Relatedness: not judged yet"] == "2,2,0,0"
        assert rows["Expectedness: unexpected"] == "1,1,0,0"
    assert "4 serious events of 3 people since randomization" in shown(signed_in("dora"), f"{AT}by-arm/")
    assert signed_in("thea").get(f"{AT}by-arm/").status_code in (403, 404)
    assert signed_in("dora").get(AT).status_code in (403, 404)


def test_an_event_before_randomization_is_not_by_arm(trial: Treatment) -> None:
    with world.at_work(world.SETUP):
        participant = world.ready_to_randomize(world.SETUP, trial.team)
    with world.at_work(trial.people["cora"]) as by:
        event = open_side.report_event(participant=participant, kind="other", began_on=clock.today(), by=by)
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        assert queries.event_lines() == []
        assert queries.line_or_none(event.key) is None
