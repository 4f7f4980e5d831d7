"""Our own styles and scripts: served compressed, under addresses that change with their contents, and so kept for a year."""

import gzip
import io
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response, StaticFile

COMPRESSED = (".css", ".js", ".svg")
ENOUGH = 1_000
"""Files below so many bytes are sent as they are."""


class AssetsMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, which sends a ``.gz`` that lies beside a file; where none does, the compressed file is kept in memory.

    Third-party files have theirs beside them, checked against its original. Ours change with each change of a style, and the disk of a
    service is read-only.
    """

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        found = super().get_static_file(path, url, stat_cache)
        source = Path(path)
        size = source.stat().st_size
        if source.suffix not in COMPRESSED or Path(f"{path}.gz").exists() or size < ENOUGH:
            return found
        return _InMemory(found, _packed(path, size, source.stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _packed(path: str, size: int, changed: int) -> bytes:
    """Compressed once for a process, however many handlers it makes; ``size`` and ``changed`` tell one state of the file from the next."""
    return gzip.compress(Path(path).read_bytes(), mtime=0)


class _InMemory:
    """A static file with its compressed twin in memory."""

    def __init__(self, file: StaticFile, packed: bytes) -> None:
        self._file = file
        self._packed = packed

    def get_response(self, method: str, request_headers: dict[str, Any]) -> Response:
        """The file's answer, compressed for whoever understands that and asks for the whole."""
        response = self._file.get_response(method, request_headers)
        if response.status not in (200, 304):
            return response
        kept = [(name, value) for name, value in response.headers if name not in ("Content-Length", "Vary")]
        vary = ("Vary", "Accept-Encoding")
        takes = "gzip" in request_headers.get("HTTP_ACCEPT_ENCODING", "") and "HTTP_RANGE" not in request_headers
        if response.status == 304 or not takes:
            return Response(response.status, [*response.headers, vary], response.file)
        if response.file is not None:
            response.file.close()
        sized = [("Content-Encoding", "gzip"), ("Content-Length", str(len(self._packed))), vary]
        body = io.BytesIO(self._packed) if method == "GET" else None
        return Response(response.status, [*kept, *sized], body)


class VersionedStorage(StaticFilesStorage):
    """Addresses of our files end with a part of their checksum; those of third parties carry their version in the path."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        version = "" if not name or name.startswith("vendor/") else _version(name)
        return f"{address}?v={version}" if version else address


@lru_cache(maxsize=256)
def _version(name: str) -> str:
    found = finders.find(name)
    return sha256(Path(found).read_bytes()).hexdigest()[:10] if found else ""
