"""The guess at the end of follow-up: after the forms are signed, write-only, the same whatever was guessed; the indices behind the wall."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from analysis.methods.blinding import DONT_KNOW, blinding
from analysis.unblinded.assembly import Guessed
from analysis.unblinded.blinding_presenters import guess_table, index_table
from assessments.visits.schedule import last_visit
from tests import world
from tests.unit.assessments.small_trial import Trial
from trial.core import side
from trial.core.errors import NotAllowed, Refused
from trial.participants.actions import drop_guess
from trial.participants.models import Guess
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.queries import arms_of

PAGE = "/unblinded/analysis/blinding/"


def signed_in(username: str, form: str = "/login/") -> Client:
    client = Client()
    assert client.post(form, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def ready(trial: Trial, visit: str) -> str:
    """The forms of a follow-up visit are signed; the address of what follows."""
    form = trial.open("bdi", visit)
    trial.sign(trial.save(form, 0, bdi_total="12"), 1)
    return f"/assessments/{trial.participant.number}/visits/{visit}/done/"


def guesses() -> list[Guess]:
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        return list(Guess.objects.order_by("guessed_at"))


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


@pytest.fixture
def randomized(trial: Trial) -> Trial:
    trial.baseline()
    trial.randomize()
    return trial


def test_the_end_of_follow_up() -> None:
    assert last_visit(world.read("imr")) == "T3"


def test_it_is_asked_at_the_last_visit_alone(randomized: Trial) -> None:
    last = last_visit(randomized.protocol)
    client = signed_in("anna")
    for visit in ("M2", last):
        page = client.get(ready(randomized, visit)).content.decode()
        assert ("Which treatment do you guess?" in page) == (visit == last)
    assert guesses() == []


def test_it_is_dropped_and_the_reply_is_the_same_for_every_guess(trial: Trial) -> None:
    replies = []
    arms = [arm.code for arm in trial.protocol.arms]
    trial.baseline()
    trial.randomize()
    address = ready(trial, last_visit(trial.protocol))
    client = signed_in("anna")
    missing = client.post(address, {"known": "no"})
    assert missing.status_code == 422
    for said in ({"guess": arms[0], "guess_certainty": "4"}, {"guess": "?"}, {"guess": arms[1]}):
        answer = client.post(address, {"known": "no", **said}, follow=True)
        text = answer.content.decode()
        replies.append((answer.status_code, answer.redirect_chain, len(text)))
        assert "guess" not in text
    assert replies[0] == replies[1] == replies[2]
    assert [(g.guess, g.certainty, g.rater) for g in guesses()] == [
        (arms[0], 4, "interviewer"), ("", None, "interviewer"), (arms[1], None, "interviewer"),
    ]  # fmt: skip
    assert {g.guessed_by for g in guesses()} == {str(trial.users["anna"].pk)}


def test_only_interviewers_of_the_site_guess(randomized: Trial) -> None:
    person = randomized.participant.pk
    with pytest.raises(NotAllowed), randomized.at_work("coordinator") as by:
        drop_guess(participant_id=person, visit="M8", guess="btb", by=by)
    with pytest.raises(Refused), randomized.at_work("anna") as by:
        drop_guess(participant_id=randomized.users["anna"].pk, visit="M8", guess="btb", by=by)
    with pytest.raises(IntegrityError), randomized.at_work("anna") as by:
        drop_guess(participant_id=person, visit="M8", guess="btb", certainty=6, by=by)


def test_the_page_behind_the_wall(randomized: Trial) -> None:
    last = last_visit(randomized.protocol)
    world.make_user("irma", "independent")
    client = signed_in("irma", "/unblinded/login/")
    assert "Nobody made a guess." in client.get(PAGE).content.decode()
    for guess in ("", "btb"):  # the first one counts
        with randomized.at_work("anna") as by:
            drop_guess(participant_id=randomized.participant.pk, visit=last, guess=guess, by=by)
    page = client.get(PAGE).content.decode()
    assert "James" in page
    assert "Not estimable: nobody of this arm made a guess." in page
    assert randomized.people["anna"].name in page
    rows = client.get(PAGE + "?format=csv").content.decode().splitlines()
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        arm = arms_of([randomized.participant.pk])[randomized.participant.pk]
        assert LedgerEntry.objects.filter(what="guesses by arm opened").count() == 3
    name = randomized.protocol.arm(arm).name
    assert next(row for row in rows if row.startswith(name)).split(",")[1:5] == ["0", "0", "1", "1"]
    assert signed_in("anna").get(PAGE).status_code == 403


def test_the_indices_are_those_of_the_method() -> None:
    protocol = world.read("imr")
    counts = {
        ("imr", "imr"): 30,
        ("imr", "cau"): 10,
        ("imr", ""): 20,
        ("cau", "imr"): 12,
        ("cau", "cau"): 18,
        ("cau", ""): 10,
    }
    found = [Guessed(arm, guess, "interviewer", "x") for (arm, guess), n in counts.items() for _time in range(n)]
    table, sentence = index_table(found, protocol)
    wanted = blinding({(arm, guess or DONT_KNOW): n for (arm, guess), n in counts.items()}, ["imr", "cau"])
    assert [row[2] for row in table.rows] == [
        wanted.james.estimate,
        wanted.bang["imr"].estimate,
        wanted.bang["cau"].estimate,
    ]
    assert "100 participants" in sentence
    assert [row[1:5] for row in guess_table(found, protocol).rows] == [[30, 10, 20, 60], [12, 18, 10, 40]]


def test_what_cannot_be_estimated_says_why() -> None:
    table, sentence = index_table([], world.read("imr"))
    assert (list(table.rows), sentence) == ([], "Nobody made a guess.")
