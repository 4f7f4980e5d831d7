"""Stands in for the application in tests of the supervisor: starts at once, and says which credentials it was given.

``stand_in.py FOLDER manage COMMAND``, ``stand_in.py FOLDER web --bind fd://N``, ``stand_in.py FOLDER celery ...``
Each process writes ``FOLDER/<name>-<pid>.json``. A worker also starts a child of its own, as Celery's pool does.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

libc = ctypes.CDLL(None)
CREDENTIALS = (
    "OWNER_DATABASE_URL",
    "DATABASE_URL",
    "UNBLINDED_DATABASE_URL",
    "ALLOCATOR_DATABASE_URL",
    "REDIS_URL",
    "UNBLINDED_REDIS_URL",
)


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


def main() -> None:
    folder, role, *rest = sys.argv[1:]
    name = {"manage": rest[0], "web": "web"}.get(role) or f"{rest[0]}-{os.environ['WORKER_QUEUE']}"
    facts = {
        "name": name,
        "pid": os.getpid(),
        "credentials": [c for c in CREDENTIALS if c in os.environ],
        "arguments": rest,
        "offset": os.environ.get("CLOCK_OFFSET"),
        "backup_key": os.environ.get("BACKUP_KEY"),
        "at": time.time(),
    }
    (Path(folder) / f"{name}-{os.getpid()}.json").write_text(json.dumps(facts))
    if role == "manage":
        if rest[0] == os.environ.get("STAND_IN_FAILS"):
            sys.exit("the reason it gives")
        if rest[0] == "play_demo":
            world = Path(os.environ["VAR"]) / os.environ["EQUIPOISE_WORLD"]
            (world / "clock_offset").write_text("-86400")
            (world / "complete").touch()
    elif role == "web":
        os.read(int(os.environ.get("WEB_WAITS_ON", os.open(os.devnull, os.O_RDONLY))), 1)
        server = HTTPServer(("", 0), Ready, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=int(rest[-1].removeprefix("fd://")))
        server.serve_forever()
    else:
        parent = os.getpid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            libc.prctl(1, 9)
            if os.getppid() != parent:  # it died before the kernel knew; nobody would ever end this one
                os._exit(1)
        time.sleep(600)


main()
