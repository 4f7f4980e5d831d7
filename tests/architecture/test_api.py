"""Every page has its twin in the API, or stands on a list with the reason why not."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import path

from trial.config import api
from trial.config.urls import open_side, unblinded_side
from trial.core import side
from trial.core.access.pages import page
from trial.core.access.roles import ALL, EVERYBODY, Coordinator
from trial.core.api.schema import document
from trial.core.api.twins import Twin, pages_in, twins
from trial.core.middleware import access_of
from trial.core.ui.gathering import gathering

SIDES = {"api/": open_side, "unblinded/api/": unblinded_side}


def pages() -> dict[str, str]:
    """Every address that is no address of the API: name by route below its side."""
    return {f"{before}{route}": found.name for before, side_ in SIDES.items() for route, found in pages_in(side_)}


def mounted() -> dict[str, Any]:
    from django.urls import get_resolver

    return {route: found for route, found in pages_in(get_resolver().url_patterns) if route.startswith(tuple(SIDES))}


def test_every_page_has_its_twin_or_a_reason_why_not() -> None:
    here = mounted()
    for route, name in pages().items():
        assert name, f"{route} has no name"
        if name in api.WITHOUT_TWIN:
            assert (
                route not in here
                or not isinstance(here[route].callback.cls, type(Twin))
                or not issubclass(here[route].callback.cls, Twin)
            )
        else:
            assert route in here, f"{route} ({name}) has no twin; see trial.config.api"


def test_the_list_of_pages_without_twin_names_pages_and_reasons() -> None:
    assert set(api.WITHOUT_TWIN) <= set(pages().values())
    assert all(api.WITHOUT_TWIN.values())


def test_a_twin_has_the_readers_of_its_page() -> None:
    by_route = {f"{before}{route}": found for before, side_ in SIDES.items() for route, found in pages_in(side_)}
    twins_ = {route: one for route, one in mounted().items() if issubclass(one.callback.cls, Twin)}
    assert len(twins_) > 50
    for route, one in twins_.items():
        access = access_of(one.callback)
        assert access.roles == access_of(by_route[route].callback).roles, route
        assert access.by_token


def test_a_new_page_without_twin_is_caught() -> None:
    @page(roles=(Coordinator,))
    def fresh(request: Any) -> HttpResponse:
        """A page that somebody adds."""
        return HttpResponse()

    planted = [path("fresh/", fresh, name="fresh")]
    assert [one.name for one in twins(planted, api.WITHOUT_TWIN)] == ["api_fresh"]
    assert twins(planted, {"fresh"}) == []


def test_every_component_can_be_gathered() -> None:
    """What a tag hands over has a way to be written down."""
    import re
    from pathlib import Path

    from trial.core.api.parts import KINDS
    from trial.core.ui import tags

    handed = set(re.findall(r'gathered\(\s*"(\w+)"', Path(tags.__file__).read_text()))
    assert handed | {"panel", "facts", "table"} == set(KINDS)


def test_nothing_is_gathered_when_nobody_asks() -> None:
    from django.template import Context, Template

    drawn = Template('{% state "done" %}{% say "words" %}')
    assert "state-done" in drawn.render(Context())
    with gathering() as found:
        assert drawn.render(Context()).strip() == "words"
    assert [part.kind for part in found.parts] == ["state", "text"]


@pytest.mark.parametrize("role", ALL, ids=lambda role: role.code)
def test_the_document_is_valid_and_lists_what_the_role_opens(role: Any) -> None:
    import uuid

    from drf_spectacular.validation import validate_schema

    from trial.core.access.person import Person

    someone = Person(uuid.UUID(int=1), "x", "X", frozenset({(role.code, "*")}))
    with side.on(someone.side):
        made = document(someone)
    validate_schema(made)
    assert made["openapi"].startswith("3.1")
    before = "/unblinded/api/" if someone.side == side.UNBLINDED else "/api/"
    expected = {
        "/"
        + one.replace("<str:", "{")
        .replace("<uuid:", "{")
        .replace("<slug:", "{")
        .replace("<int:", "{")
        .replace(">", "}")
        for one, found in mounted().items()
        if f"/{one}".startswith(before) and role in access_of(found.callback).roles
    }
    assert set(made["paths"]) == expected
    assert f"{before}schema/" in expected
    operations = [one for methods in made["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] and one["security"] == [{"token": []}] for one in operations)
    assert role in EVERYBODY
