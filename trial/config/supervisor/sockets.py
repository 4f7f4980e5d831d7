"""Folders for Unix sockets: beside the data where the path is short enough, else in a short hashed folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from trial.config.supervisor.errors import SupervisorError

# A socket's path has at most 107 bytes on Linux, 103 elsewhere; the socket's own name takes up to 22 of them.
LONGEST_FOLDER = 80


def socket_path(data_folder: Path) -> Path:
    """Return where the sockets of `data_folder` are, without making the folder."""
    data_folder = data_folder.resolve()
    folder = data_folder / "sockets"
    if len(os.fsencode(folder)) <= LONGEST_FOLDER:
        return folder
    mark = hashlib.sha256(os.fsencode(data_folder)).hexdigest()[:16]
    return _short_root() / f"equipoise-{os.getuid()}-{mark}"


def socket_folder(data_folder: Path) -> Path:
    """Make and return a folder, of mode 0700 and with a path of at most 80 bytes, for the sockets of `data_folder`.

    The same data folder always gets the same socket folder. Raises SupervisorError when the folder belongs to
    somebody else, who could then read what we send.
    """
    folder = socket_path(data_folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if status.st_uid not in (os.getuid(), 65534 if os.getuid() == 0 else os.getuid()) or folder.is_symlink():
            raise SupervisorError(f"The folder {folder} belongs to another user. Remove it, or choose another VAR.")
        folder.chmod(0o700)
    except OSError as error:
        raise SupervisorError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    return folder


def drop_socket_folder(folder: Path) -> None:
    """Remove a socket folder that no server uses any more; the other server's socket keeps it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _short_root() -> Path:
    """Return a folder for temporary files whose path is short; TMPDIR itself may be long."""
    root = Path(tempfile.gettempdir())
    return root if len(os.fsencode(root)) <= 40 else Path("/tmp")  # noqa: S108
