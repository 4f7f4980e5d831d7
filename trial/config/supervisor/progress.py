"""The page that a browser sees while Equipoise is being installed or started. Standard library only."""

from __future__ import annotations

import html
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>Equipoise is starting</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem }}
h1 {{ font-size: 1.5rem; font-weight: 600 }}
ol {{ list-style: none; padding: 0 }}
li {{ display: flex; justify-content: space-between; gap: 1rem; padding: .4rem 0; border-bottom: 1px solid #8883 }}
li.now {{ font-weight: 600 }}
.seconds {{ font-variant-numeric: tabular-nums; opacity: .75; white-space: nowrap }}
</style>
</head>
<body>
<main>
<h1>Equipoise is starting</h1>
<p>This page renews itself and turns into the login page when everything is ready.
The first start takes one to three minutes, later ones a few seconds.</p>
<ol role="status">
{steps}
</ol>
</main>
</body>
</html>
"""


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away in mid-answer."""


class ProgressPage:
    """Serves the steps so far on a listening socket, from a thread, until it is closed. The socket stays open.

    Every answer has status 503, so that nobody takes it for the application.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._steps: list[tuple[str, float]] = []
        page = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                asked = self.path.partition("?")[0] == "/healthz"
                body = (page.health() if asked else page.render()).encode()
                self.send_response(503)
                self.send_header("Content-Type", "application/json" if asked else "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Retry-After", "2")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the terminal belongs to the steps."""

        self._server = _QuietServer(listener.getsockname(), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.socket.close()
        # A second handle on the same port: closing it leaves the caller's open.
        self._server.socket = listener.dup()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> ProgressPage:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def say(self, step: str) -> None:
        """Begin the next step."""
        self._steps.append((step, time.monotonic()))

    def render(self) -> str:
        """Return the page as HTML."""
        ends = [began for _, began in self._steps[1:]] + [time.monotonic()]
        rows = [
            f"<li{' class=now' if number == len(self._steps) else ''}><span>{html.escape(step)}</span>"
            f'<span class="seconds">{end - began:.0f} s</span></li>'
            for number, ((step, began), end) in enumerate(zip(self._steps, ends, strict=True), 1)
        ]
        return _PAGE.format(steps="\n".join(rows))

    def health(self) -> str:
        """What /healthz says meanwhile: the step that we are at, as JSON."""
        return json.dumps({"ready": False, "parts": {"start": self._steps[-1][0] if self._steps else "Starting"}})

    def close(self) -> None:
        """Stop answering; what arrives from now on waits for the next holder of the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
