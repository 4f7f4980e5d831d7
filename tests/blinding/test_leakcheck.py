"""The whole check at a small size: one crawl as each blinded role over two worlds, and what the command says."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests import database as server
from trial.config.leakcheck import comparison, report
from trial.config.leakcheck.answers import Answer, body_of, headers_of, without_chance
from trial.config.leakcheck.comparison import Difference, Size
from trial.config.leakcheck.databases import turned_to
from trial.config.leakcheck.report import Report
from trial.config.leakcheck.script import Script
from trial.core import db
from trial.core.management.commands.setup_database import current_plan

pytestmark = pytest.mark.proof  # each plays two worlds and crawls them: minutes, not seconds

SCRIPT = Script(people=6, seed=3)
WORLD = "equipoise_leakcheck_test"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_a_small_crawl_as_each_blinded_role(tmp_path: Path) -> None:
    size = Size(alike=3, moments=("running",), refused=False)
    try:
        with turned_to(WORLD):
            plan = current_plan(frozen_clock=True)
            one, other = (
                comparison.observe(plan, SCRIPT, seed, size, lambda _words: None, server.TEMPLATE)
                for seed in (comparison.ONE, comparison.OTHER)
            )
            db.close_all()
    finally:
        server.drop(WORLD)
    made = Report.of(SCRIPT, size, one, other)
    assert made.found == (), made.as_text()
    assert made.holds
    _read_enough(one)
    written = report.write(made, tmp_path)
    assert json.loads(written[0].read_text())["verdict"] == made.verdict
    assert made.verdict in written[1].read_text()


def _read_enough(world: comparison.Observed) -> None:
    """Pages, programs, forms, refusals and errors: the crawl was where it should be."""
    answers = world.answers["running"]
    counts = world.counts()
    assert counts["answers with status 200"] > 300
    assert counts["answers with status 403"] > 50
    assert counts["answers with status 404"] > 50
    assert counts["answers with status 422"] > 10
    assert counts["answers with status 500"] > 5
    assert counts["records of the log"] > 5
    sent = {name for name, answer in answers.items() if "(browser) POST" in name and answer.status == 302}
    assert any("/randomize/" in name for name in sent)
    assert any("/screening/new/" in name for name in sent)
    assert any(answer.broker for answer in answers.values()), "nobody was randomized"


def test_it_needs_the_owner_and_says_so(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "is_configured", lambda alias: alias != "owner")
    with pytest.raises(CommandError, match="OWNER_DATABASE_URL"):
        call_command("leakcheck")


def test_a_difference_stands_in_the_report_with_its_place(tmp_path: Path) -> None:
    found = Difference("running", "body", "monitor (browser) GET /participants/", "-<b>one</b>\n+two")
    made = Report("T", "0" * 64, "2025-01-06", 6, 4, 2, ("monitor",), {"answers": 2}, (found,))
    assert not made.holds
    assert found.place in made.as_text()
    page = report.write(made, tmp_path)[1].read_text()
    assert "monitor (browser) GET /participants/" in page
    assert "&lt;b&gt;one" in page


def test_two_worlds_with_one_allocation_show_nothing() -> None:
    made = Report("T", "0" * 64, "2025-01-06", 6, 4, 0, ("monitor",), {}, ())
    assert not made.holds
    assert "nothing was tested" in made.verdict


def test_only_chance_is_rewritten() -> None:
    text = '<input type="hidden" name="csrfmiddlewaretoken" value="abc"><b>token imr</b>'
    assert without_chance(text) == '<input type="hidden" name="csrfmiddlewaretoken" value="TOKEN"><b>token imr</b>'
    from django.http import HttpResponse

    given = HttpResponse("x", headers={"Content-Disposition": 'attachment; filename="imr.csv"'})
    given.set_cookie("sessionid", "secret")
    given.set_cookie("last", "imr")
    given.set_cookie("messages", "words:clock:signature")
    assert any("imr.csv" in line for line in headers_of(given))
    assert any("last=imr" in line for line in headers_of(given))
    assert any("words" in line for line in headers_of(given))
    assert not any("secret" in line or "clock" in line for line in headers_of(given))
    assert body_of(given) == "x"


def test_each_channel_of_an_answer_is_compared() -> None:
    plain = Answer(200, (), "", (), (), (), ())
    for n, other in enumerate((404, ("a",), "a", ("a",), ("a",), ("a",), ("a",))):
        given: list[Any] = [200, (), "", (), (), (), ()]
        given[n] = other
        assert len(plain.differences(Answer(*given))) == 1
