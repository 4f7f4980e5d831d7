"""A program of somebody, with a token of their side, as a client for tests."""

import datetime as dt
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests import world
from trial.core import clock
from trial.core.access import Person
from trial.core.tokens.actions import make_token


def token_of(someone: Person, name: str = "test") -> str:
    """A token for a month, made on the person's own side."""
    with world.at_work(someone) as by:
        last_day = clock.today() + dt.timedelta(days=30)
        made: str = make_token(name=name, last_day=last_day, password=world.PASSWORD, by=by)
    return made


class Program:
    """Asks the API in somebody's name."""

    def __init__(self, someone: Person, name: str = "test") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token_of(someone, name)}"})

    def get(self, address: str) -> Any:
        """The answer to a GET."""
        return self.client.get(address)

    def post(self, address: str, **body: Any) -> Any:
        """The answer to a POST of JSON."""
        answer: HttpResponse = self.client.post(address, json.dumps(body), content_type="application/json")
        return answer


def part(answer: Any, name: str) -> dict[str, Any]:
    """The part of a page with this name."""
    parts: list[dict[str, Any]] = answer.json()["parts"]
    return next(one for one in parts if one["name"] == name)
