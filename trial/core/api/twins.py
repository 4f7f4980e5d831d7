"""The twin of a page: the same view runs, and what it would show is the answer.

So the readers of a page, its filters and pages of lists, its row policies, its 404s and the readings that it writes down are those of its
twin, without a second query.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from rest_framework.request import Request
from rest_framework.response import Response

from trial.core.access.pages import Access, endpoint
from trial.core.api.endpoints import Endpoint
from trial.core.api.parts import address_of, page
from trial.core.ui.gathering import gathering

Page = Callable[..., HttpResponseBase]
MOVED = (301, 302, 303, 307)


class Twin(Endpoint):
    """The data of a page."""

    http_method_names = ["get"]
    gives: ClassVar[Mapping[str, Mapping[str, Any]]] = {"get": {"$ref": "#/components/schemas/Page"}}
    shows: Page | None = None

    def get(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """What the page shows: title, lead, and its parts in order."""
        assert self.shows is not None  # noqa: S101 - given by ``twin_of``
        with gathering() as found:
            answer = self.shows(request._request, **kwargs)
        request._request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)  # a form that nobody posts
        if answer.status_code in MOVED:
            there = address_of(answer["Location"])
            return Response({"address": there}, 303, headers={"Location": there} if there else None)
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            return answer  # a file
        return Response(page(found), answer.status_code)


def twin_of(view: Page) -> Any:
    """The address's view for the twin of a page, with the page's readers."""
    access: Access = view.access  # type: ignore[attr-defined]
    return endpoint(roles=access.roles)(Twin.as_view(shows=view))


def pages_in(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address below these patterns, with its whole route."""
    for found in patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from pages_in(found.url_patterns, route)
        else:
            yield route, found


def twins(patterns: Iterable[Any], without: Iterable[str]) -> list[URLPattern]:
    """The twins of all pages of a side, except those of these names, at the same addresses."""
    left_out = set(without)
    return [
        path(route, twin_of(found.callback), name=f"api_{found.name}")
        for route, found in pages_in(patterns)
        if found.name not in left_out
    ]
