"""Settings of the web server. gunicorn executes this file; each name is one of its settings."""

import ctypes
import platform
import signal
from typing import Any

workers = 2
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 2
keepalive = 5
accesslog = None
errorlog = "-"
loglevel = "warning"
# The heartbeat files; /dev/shm does not exist everywhere.
worker_tmp_dir = None
forwarded_allow_ips = "127.0.0.1"


def post_fork(server: Any, worker: Any) -> None:
    """A worker dies with its master, also in the middle of a request (Linux)."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))


def post_worker_init(worker: Any) -> None:
    """The drawing engine starts before the first request. A thread would not help: while the engine starts, no other code runs."""
    from trial.core.ui import charts

    charts.warm()
