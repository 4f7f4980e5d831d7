"""The document of the API (OpenAPI 3.1): of one side, and of the addresses that a person's roles open.

An address that is not theirs is not listed: that it exists would tell.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.response import Response

from trial.core import side
from trial.core.access.pages import endpoint
from trial.core.access.person import Person
from trial.core.access.roles import EVERYBODY
from trial.core.api.components import SCHEMAS, TOKEN_SCHEME
from trial.core.api.endpoints import OBJECT, Endpoint, asked
from trial.core.api.twins import Twin, pages_in

REFUSALS = {
    "401": "No token, or none that is known on this side",
    "403": "The roles of the person do not open this address, or do not include the step",
    "404": "Nothing there, or of another site",
    "429": "Too many requests; Retry-After says for how many seconds",
}
REFUSED_WRITES = {
    "400": "The body is not the JSON that it says it is; nothing was done",
    "409": "Changed by somebody else meanwhile; nothing was done",
    "415": "The body is of another kind than JSON; nothing was done",
    "422": "Refused; nothing was done",
}
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


class Described(AutoSchema):
    """How an address is described: the page's words or its own, its body, its answers and its refusals."""

    def get_operation_id(self) -> str:
        words = re.sub(r"\W+", "_", self.path).strip("_")
        return f"{self.method.lower()}_{words}"

    def get_tags(self) -> list[str]:
        steps = [step for step in self.path.strip("/").split("/") if step not in ("unblinded", "api")]
        return [steps[0] if steps and not steps[0].startswith("{") else "work"]

    def get_summary(self) -> str:
        return words_of(self.view, self.method)[0]

    def get_description(self) -> str:  # type: ignore[override]
        return words_of(self.view, self.method)[1]

    def get_auth(self) -> list[dict[str, Any]]:
        return [{"token": []}]

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "takes", None) if self.method == "POST" else None

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        gives = getattr(self.view, "gives", {}).get(self.method.lower(), OBJECT)
        done = "The answer"
        found = {"200": {"description": done, "content": {"application/json": {"schema": gives}}}}
        if isinstance(self.view, Twin):
            found["303"] = {"description": "The page leads on to another address"}
        refusals = {**REFUSALS, **(REFUSED_WRITES if self.method == "POST" else {})}
        schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        return found | {code: {"description": words, "content": schema} for code, words in sorted(refusals.items())}


def words_of(view: Any, method: str) -> tuple[str, str]:
    """The first sentence and the rest of what an address says of itself: of a twin what its page says."""
    told = getattr(view, "shows", None) or getattr(view, method.lower())
    text = " ".join((told.__doc__ or "").replace("``", "").split())
    first, stop, rest = text.partition(". ")
    return f"{first}{stop}".strip(), rest.strip()


@dataclass(frozen=True)
class Route:
    """One address with one method, as a person sees it listed."""

    method: str
    address: str
    words: str


def patterns_for(person: Person) -> list[URLPattern]:
    """The addresses of the API that the person's roles open, on the current side."""
    before = "unblinded/api/" if side.current() == side.UNBLINDED else "api/"
    found = []
    for route, one in pages_in(get_resolver().url_patterns):
        access = getattr(one.callback, "access", None) or getattr(getattr(one.callback, "cls", None), "access", None)
        if route.startswith(before) and access is not None and person.holds(*access.roles):
            found.append(path(route, one.callback, name=one.name))
    return found


def routes_for(person: Person) -> list[Route]:
    """The same as a list for people."""
    found = []
    for pattern in patterns_for(person):
        view: Any = pattern.callback
        address = "/" + ARGUMENT.sub(lambda argument: "{" + argument[1] + "}", str(pattern.pattern))
        for method in view.cls.http_method_names:
            if hasattr(view.cls, method):
                words = words_of(view.cls(**view.initkwargs), method)[0]
                found.append(Route(method.upper(), address, words))
    return sorted(found, key=lambda one: one.address)


def document(person: Person) -> dict[str, Any]:
    """The OpenAPI document for this person."""
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator(patterns=patterns_for(person)).get_schema(request=None, public=True)
    components = made.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **SCHEMAS}
    components["securitySchemes"] = TOKEN_SCHEME
    return made


@endpoint(roles=EVERYBODY)
class Schema(Endpoint):
    """The document itself."""

    http_method_names = ["get"]

    def get(self, request: Request) -> Response:
        """The OpenAPI document of the addresses that your roles open."""
        return Response(document(asked(request).person))
