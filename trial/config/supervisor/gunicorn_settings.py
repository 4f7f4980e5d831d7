"""Settings of the web server. gunicorn executes this file; each name is one of its settings."""

import ctypes
import platform
import signal
import threading
from importlib import import_module
from typing import Any

WARM_AFTER = 4.0
workers = 2
# One load of the application for both workers, and none of it while somebody waits for a page.
preload_app = True
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


def on_starting(server: Any) -> None:
    """The application is loaded; read its addresses too, then wait until the database is ready for it."""
    from django.conf import settings

    from trial.config.supervisor import gate

    import_module(settings.ROOT_URLCONF)
    gate.wait()


def post_fork(server: Any, worker: Any) -> None:
    """A worker dies with its master, also in the middle of a request (Linux)."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))


def post_worker_init(worker: Any) -> None:
    """The drawing engine starts before anybody asks for a figure. While it does, nothing else runs in that process.

    So the workers take turns: the first one answers at once, and starts its engine when the others have theirs.
    """
    from trial.core.ui import charts

    if worker.age % workers == 1:
        later = threading.Timer(WARM_AFTER, charts.warm)
        later.daemon = True
        later.start()
    else:
        charts.warm()
