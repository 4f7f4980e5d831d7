"""The one port: taken once, at the very first moment, and passed on until the web server has it.

Whoever holds it meanwhile shows the progress page; a browser never meets a closed door. Standard library only.
"""

from __future__ import annotations

import errno
import os
import socket

from trial.config.supervisor.errors import SupervisorError

PASSED_ON = "EQUIPOISE_LISTENER"
DEFAULT_PORT = 8000


def port_from_environment() -> int:
    """Return PORT. Raises SupervisorError when it is not a port number."""
    text = os.environ.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SupervisorError(f"PORT={text} is not a port number. Give a number from 1024 to 65535: PORT=8001")
    return int(text)


def listen(port: int) -> socket.socket:
    """Return a listening socket on this machine only; port 0 takes a free one.

    A socket that ``pass_on`` left in the environment is taken over. Raises SupervisorError when the port is taken.
    """
    passed = os.environ.pop(PASSED_ON, "")
    if passed.isdigit():
        return socket.socket(fileno=int(passed))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SupervisorError(
                f"Port {port} is in use by another program (or by an Equipoise that is starting).\n"
                f"Choose another port: PORT={port + 1}"
            ) from error
        raise SupervisorError(f"Port {port} cannot be opened: {error.strerror}. Choose another: PORT=8001") from error
    return listener


def pass_on(listener: socket.socket) -> None:
    """Leave the socket open, and its number in the environment, for the program that this process becomes."""
    listener.set_inheritable(True)
    os.environ[PASSED_ON] = str(listener.detach())


def address(listener: socket.socket) -> str:
    """Return the address to type into a browser."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"
