"""Who withdrew from a part, or died: which visits and forms stop, and how they are counted."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from assessments.entry import actions as entry
from assessments.overview.flow import visit_flow
from assessments.visits import presenters as show
from assessments.visits.actions import record_missed
from assessments.visits.queries import VisitLine, visit_lines
from assessments.visits.schedule import State
from tests import world
from tests.unit.assessments.small_trial import START, Trial
from trial.core import clock
from trial.core.errors import Refused
from trial.participants import queries as people
from trial.participants.contact.actions import record_attempt
from trial.participants.course import actions as course
from trial.participants.models import Participant


@pytest.fixture
def imr(database: Any) -> Any:
    """The IMR trial, one participant randomized, at the target day of T2."""
    with clock.frozen(START):
        trial = Trial("imr")
        with world.at_work(world.SETUP):
            from trial.participants.actions import record_baseline

            record_baseline(participant=trial.participant, by=world.SETUP)
        trial.randomize()
        clock.move_to(START.replace(year=2027))
        yield trial


def lines_of(trial: Trial) -> dict[str, VisitLine]:
    with trial.at_work("coordinator"):
        one = people.everybody().get(pk=trial.participant.pk)
        return {line.visit.code: line for line in visit_lines([one], trial.protocol, clock.today())}


def withdraw(trial: Trial, part: str) -> None:
    with trial.at_work("coordinator") as by:
        course.withdraw(participant=trial.participant, part=part, day=clock.today(), by=by)


def report_death(trial: Trial) -> None:
    with trial.at_work("rater") as by:
        course.report_death(participant=trial.participant, by=by)


def page(name: str, address: str) -> str:
    client = Client()
    assert client.post("/login/", {"username": name, "password": world.PASSWORD}).status_code == 302
    return client.get(address).content.decode()


def test_withdrawal_from_interviews_stops_interviews_only(imr: Trial) -> None:
    assert lines_of(imr)["T2"].state is State.DUE
    assert imr.participant.number[:4] in page("anna", "/assessments/")
    withdraw(imr, "interviews")
    lines = lines_of(imr)
    assert [lines[code].state for code in ("T1", "T2", "T3")] == [State.DONE, State.WITHDRAWN, State.WITHDRAWN]
    assert imr.participant.number[:4] not in page("anna", "/assessments/")
    assert "Withdrawn from interviews" in page("coordinator", "/assessments/visits/")
    assert "2 forms to sign" in page("rater", "/")  # the clinician still rates
    with imr.at_work("anna") as by, pytest.raises(Refused, match="withdrawn"):
        entry.open_form(participant=imr.participant, visit="T2", instrument="asi", by=by)
    with imr.at_work("rater") as by:
        entry.open_form(participant=imr.participant, visit="T2", instrument="ses", by=by)


def test_withdrawal_from_contact_with_the_clinician_stops_clinicians_forms_only(imr: Trial) -> None:
    whole = lines_of(imr)["T2"].instruments
    withdraw(imr, "clinician")
    assert lines_of(imr)["T2"].instruments == whole - 2
    assert lines_of(imr)["T2"].state is State.DUE
    assert "forms to sign" not in page("rater", "/")
    with imr.at_work("rater") as by, pytest.raises(Refused, match="withdrawn"):
        entry.open_form(participant=imr.participant, visit="T2", instrument="ses", by=by)
    assert "Begin" in page("anna", f"/assessments/{imr.participant.number}/visits/T2/")


def test_people_come_back(imr: Trial) -> None:
    withdraw(imr, "interviews")
    with imr.at_work("coordinator") as by:
        course.consent_again(participant=imr.participant, part="interviews", signed_on=clock.today(), by=by)
    assert lines_of(imr)["T2"].state is State.DUE


def test_the_baseline_is_complete_without_forms_that_the_consent_does_not_allow(database: Any) -> None:
    with clock.frozen(START):
        trial = Trial("imr")
        withdraw(trial, "clinician")
        for instrument in trial.protocol.instruments_at("T1"):
            if instrument.rater not in ("participant", "interviewer"):
                continue
            form = trial.open(instrument.code, "T1")
            form = trial.save(form, 0, **{i.code: answer_to(i) for i in instrument.items})
            trial.sign(form, form.revision)
        with trial.at_work("coordinator"):
            assert Participant.objects.get().baseline_completed_at is not None


def answer_to(item: Any) -> str:
    if item.levels:
        return str(item.levels[0][0])
    if item.kind == "date":
        return "2020-01-01"
    return str(int(item.min) if item.min is not None else 1)


def test_who_died_stands_on_no_list_and_in_every_count(imr: Trial) -> None:
    report_death(imr)
    assert lines_of(imr)["T2"].state is State.DIED
    assert imr.participant.number[:4] not in page("anna", "/assessments/")
    assert "forms to sign" not in page("coordinator", "/")
    assert "Assign an interviewer" not in page("coordinator", f"/assessments/{imr.participant.number}/")
    with imr.at_work("coordinator"):
        counts = show.completeness(visit_lines(people.everybody(), imr.protocol, clock.today()))
        site = imr.participant.site_id
        assert (counts["T2", site].expected, counts["T2", site].died, counts["T2", site].open) == (1, 1, 0)
        assert counts["T3", site].expected == 0  # its window has not opened


def test_the_flow_counts_everybody_once(imr: Trial) -> None:
    def counted() -> list[tuple[int, ...]]:
        with imr.at_work("coordinator"):
            flows = visit_flow(visit_lines(people.everybody(), imr.protocol, clock.today()), imr.protocol)
        return [(f.total, f.done, f.missed.total(), f.withdrawn, f.died, f.open, f.upcoming) for f in flows]

    assert counted() == [(1, 0, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, 0, 1)]
    with imr.at_work("coordinator") as by:
        record_missed(participant=imr.participant, visit="T2", reason_code="not_located", by=by)
    withdraw(imr, "interviews")
    assert counted() == [(1, 0, 1, 0, 0, 0, 0), (1, 0, 0, 1, 0, 0, 0)]
    report_death(imr)
    assert counted() == [(1, 0, 1, 0, 0, 0, 0), (1, 0, 0, 0, 1, 0, 0)]
    flow = page("coordinator", "/assessments/flow/")
    assert "Missed: Not located" in flow
    assert "Died" in flow


def test_an_attempt_comes_back_on_its_day(imr: Trial) -> None:
    today = clock.today()
    with imr.at_work("anna") as by:
        record_attempt(
            participant=imr.participant, visit="T2", day=today, way="phone", outcome="no_answer",
            next_on=today + dt.timedelta(days=3), by=by,
        )  # fmt: skip
    address = f"/assessments/{imr.participant.number}/visits/T2/"
    assert "No answer" in page("anna", address)
    assert "Try again: " not in page("anna", "/")
    clock.move_to(START.replace(year=2027) + dt.timedelta(days=3))
    for name in ("anna", "coordinator"):
        assert "Try again: " in page(name, "/")
    assert "Try again: " not in page("ben", "/")
    withdraw(imr, "interviews")
    assert "Try again: " not in page("anna", "/")


def test_the_page_of_an_attempt(imr: Trial) -> None:
    client = Client()
    client.post("/login/", {"username": "anna", "password": world.PASSWORD})
    address = f"/assessments/{imr.participant.number}/visits/T2/attempt/"
    assert client.get(address).status_code == 200
    today = clock.today()
    day = {"day_day": today.day, "day_month": today.month, "day_year": today.year}
    assert client.post(address, {"way": "phone", "outcome": "appointment", **day}).status_code == 422
    assert client.post(address, {"way": "phone", "outcome": "reached", **day}).status_code == 302
    ben = Client()
    ben.post("/login/", {"username": "ben", "password": world.PASSWORD})
    assert ben.get(address).status_code == 404
