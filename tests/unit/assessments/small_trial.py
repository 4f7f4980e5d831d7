"""A small trial on the real database, with its coordinator, two interviewers and a rater, and one registered participant."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.entry.queries import readiness
from assessments.visits import actions as visits
from tests import kept, world
from trial.core import clock
from trial.participants import actions as way_in
from trial.participants.models import RandomizationRequest
from trial.protocol.models import Team
from trial.protocol.queries import current

START = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 10)
ANSWER = rb"(?<![\w.:-])(29|47)(\.00)?(?![\w.:-])"
"""The answers of these tests, as a page or a program shows them; not inside an address, a time or a number of a participant."""


class Trial:
    """A Beat the Blues trial with a coordinator, two interviewers of its site, and one registered participant."""

    def __init__(self, protocol: str = "btheb") -> None:
        vars(self).update(kept.once("small trial", protocol, play=lambda: self._play(protocol)))

    def _play(self, protocol: str) -> dict[str, Any]:
        world.open_trial(protocol, sizes=(10,))
        with world.at_work(world.SETUP):
            self.team = Team.objects.order_by("code").first()
            self.protocol = current()
        assert self.team is not None
        site = self.team.site_id
        self.users = {
            name: world.make_user(name, role, site)
            for name, role in (
                ("coordinator", "coordinator"),
                ("anna", "interviewer"),
                ("ben", "interviewer"),
                ("rater", "rater"),
            )
        }
        self.people = {name: world.person(user) for name, user in self.users.items()}
        with self.at_work("coordinator") as by:
            self.participant = world.register(by, self.team)
            visits.assign_interviewer(participant=self.participant, interviewer=self.users["anna"], by=by)
        return vars(self)

    @contextmanager
    def at_work(self, name: str) -> Iterator[Any]:
        with world.at_work(self.people[name]) as by:
            yield by

    def open(self, instrument: str, visit: str = "M0", name: str = "anna") -> Form:
        with self.at_work(name) as by:
            form: Form = entry.open_form(participant=self.participant, visit=visit, instrument=instrument, by=by)
        return form

    def save(self, form: Form, revision: int, name: str = "anna", **answers: str) -> Form:
        with self.at_work(name) as by:
            saved: Form = entry.save_answers(form=form, answers=answers, revision=revision, by=by)
        return saved

    def sign(self, form: Form, revision: int, name: str = "anna", held_on: dt.date = TODAY) -> Form:
        """Sign a form; odd answers in it are confirmed."""
        with self.at_work(name) as by:
            odd = readiness([form])[form.instrument].checks if not form.is_signed else ()
            if odd:
                entry.confirm_checks(form=form, checks=[check.code for check in odd], by=by)
            signed: Form = entry.sign_form(
                form=form, revision=revision, held_on=held_on, password=world.PASSWORD, by=by
            )
        return signed

    def baseline(self) -> None:
        form = self.open("background")
        self.sign(self.save(form, 0, drug="1", length="0"), 1)
        form = self.open("bdi")
        self.sign(self.save(form, 0, bdi_total="29"), 1)

    def randomize(self, *, move_clock: bool = True) -> None:
        with self.at_work("coordinator") as by:
            request: RandomizationRequest = way_in.request_randomization(participant=self.participant, by=by)
        if move_clock:
            clock.move_to(START + dt.timedelta(hours=1))  # each side has its own stream of instants from there
        world.randomize(request)
        with self.at_work("coordinator"):
            self.participant.refresh_from_db()
