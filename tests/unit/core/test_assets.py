"""Our styles and scripts: compressed, kept for long, under addresses that change with their contents."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.test import RequestFactory

from trial.core import assets

STATIC = Path(settings.BASE_DIR) / "trial" / "core" / "static"


@pytest.fixture(scope="module")
def serve() -> assets.AssetsMiddleware:
    def not_found(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404)

    return assets.AssetsMiddleware(not_found)


def _body(response: Any) -> bytes:
    body = b"".join(response)
    response.close()
    return body


@pytest.mark.parametrize("name", ["equipoise.css", "js/save.js", "vendor/tabler/1.6.1/tabler.min.css"])
def test_a_file_is_sent_compressed_and_kept(serve: assets.AssetsMiddleware, name: str) -> None:
    response = serve(RequestFactory().get(f"/static/{name}", headers={"accept-encoding": "gzip, br"}))
    body = _body(response)
    assert response["Content-Encoding"] == "gzip"
    assert int(response["Content-Length"]) == len(body)
    assert response["Vary"] == "Accept-Encoding"
    assert "max-age=31536000" in response["Cache-Control"]
    assert gzip.decompress(body) == (STATIC / name).read_bytes()


def test_who_takes_no_compressed_file_gets_the_plain_one(serve: assets.AssetsMiddleware) -> None:
    response = serve(RequestFactory().get("/static/equipoise.css"))
    assert "Content-Encoding" not in response
    assert response["Vary"] == "Accept-Encoding"
    assert _body(response) == (STATIC / "equipoise.css").read_bytes()


def test_head_part_and_unchanged_are_answered(serve: assets.AssetsMiddleware) -> None:
    head = serve(RequestFactory().head("/static/equipoise.css", headers={"accept-encoding": "gzip"}))
    assert (_body(head), head["Content-Encoding"]) == (b"", "gzip")
    part = serve(
        RequestFactory().get("/static/equipoise.css", headers={"accept-encoding": "gzip", "range": "bytes=0-9"})
    )
    assert (part.status_code, _body(part)) == (206, (STATIC / "equipoise.css").read_bytes()[:10])
    again = serve(RequestFactory().get("/static/equipoise.css", headers={"if-none-match": head["ETag"]}))
    assert again.status_code == 304


def test_an_address_changes_with_the_contents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = static("equipoise.css")
    assert re.fullmatch(r"/static/equipoise\.css\?v=[0-9a-f]{10}", here)
    assert static("vendor/htmx/2.0.11/htmx.min.js") == "/static/vendor/htmx/2.0.11/htmx.min.js"
    changed = tmp_path / "equipoise.css"
    changed.write_text("html { color: red; }")
    monkeypatch.setattr(assets.finders, "find", lambda name: str(changed))
    assets._version.cache_clear()
    assert static("equipoise.css") not in ("/static/equipoise.css", here)
    assets._version.cache_clear()
