"""What a page shows, as JSON."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from trial.core.api.parts import address_of, page, plain
from trial.core.ui.gathering import Gathered, Part
from trial.core.ui.tables import Column, Link, State, Table, grouped


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (Decimal("2.50"), 2.5),
        (float("nan"), None),
        (dt.date(2026, 11, 23), "2026-11-23"),
        (dt.datetime(2026, 11, 23, 10, 42, tzinfo=dt.UTC), "2026-11-23T10:42:00+00:00"),
        (gettext_lazy("Due"), "Due"),
        (grouped("01472231"), "01472231"),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (State("due"), {"state": "due", "text": "Due"}),
        (Link("Here", "/participants/"), {"text": "Here", "address": "/api/participants/"}),
        ((1, "a"), [1, "a"]),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/", "/api/"),
        ("/unblinded/", "/unblinded/api/"),
        ("/assessments/queries/?participant=1", "/api/assessments/queries/?participant=1"),
        ("?page=2", "?page=2"),
        ("", None),
        ("/login/", None),
        ("/participants/1/death/", None),
    ],
)
def test_a_link_leads_to_the_twin_of_its_page_if_it_has_one(url: str, expected: str | None) -> None:
    assert address_of(url) == expected


def test_a_page_is_its_head_and_its_parts() -> None:
    table = Table([Column("A", number=True, unit="points"), Column("N", code=True)], [[1.5, grouped("01472231")]])
    inner = Gathered("Panel", parts=[Part("text", "words")])
    made = page(Gathered("Title", parts=[Part("table", table, "scores"), Part("panel", inner)]))
    assert made["title"] == "Title"
    first, second = made["parts"]
    assert (first["kind"], first["name"], first["rows"]) == ("table", "scores", [[1.5, "01472231"]])
    assert first["columns"][0] == {"label": "A", "unit": "points", "kind": "number"}
    assert first["page"]["total"] == 1
    assert second == {
        "kind": "panel",
        "name": "",
        "title": "Panel",
        "parts": [{"kind": "text", "name": "", "text": "words"}],
    }
