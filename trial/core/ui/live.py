"""Parts of a page that follow what happens: asked for again every few seconds, sent only when they have changed, no script of our own.

The part is a template of its own. Its address is that of the page with ``?live=``, so that its readers are the page's, and what it
shows depends on nothing but what the page shows.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from trial.core.ui.parts import Progress

EVERY = 10
"""Seconds between two questions."""


def asks(request: HttpRequest, code: str) -> bool:
    """Whether the page is asked for this part alone."""
    return request.GET.get("live") == code


def answer(request: HttpRequest, code: str, template: str, context: Mapping[Any, Any]) -> HttpResponse:
    """The part as it is now; 204, and the page stays as it is, where that is what the reader sees already."""
    content, seen = _content(request, template, context)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return HttpResponse(_wrapped(request, code, content, seen))


def part(request: HttpRequest, code: str, template: str, context: Mapping[Any, Any]) -> SafeString:
    """The part within its page, with what htmx needs to follow it."""
    return _wrapped(request, code, *_content(request, template, context))


def progress(request: HttpRequest, job: Progress, *, is_over: bool) -> HttpResponse:
    """How far a job is, for the page that follows it; when it is over that page loads anew."""
    response = render(request, "components/progress.html", {"job": job})
    if is_over:
        response["HX-Refresh"] = "true"
    return response


def _content(request: HttpRequest, template: str, context: Mapping[Any, Any]) -> tuple[str, str]:
    content = render_to_string(template, dict(context), request=request)
    return content, sha256(content.encode()).hexdigest()[:16]


def _wrapped(request: HttpRequest, code: str, content: str, seen: str) -> SafeString:
    query = request.GET.copy()
    query["live"], query["seen"] = code, seen
    return format_html(
        '<div id="live-{}" hx-get="?{}" hx-trigger="every {}s" hx-swap="outerHTML">{}</div>',
        code, query.urlencode(), EVERY, mark_safe(content),  # noqa: S308 - made by a template
    )  # fmt: skip
