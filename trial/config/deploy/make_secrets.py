"""Makes the files that ``docker-compose.yml`` reads its secrets from: ``python3 -m trial.config.deploy.make_secrets [FOLDER]``

Standard library only. What exists is left as it is, so that a second call changes nothing. The folder is for its owner alone; the
files inside are readable, because a container's user, which is not root, must read the one that is mounted for it.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from trial.config.supervisor.valkey import access_list

LOGINS = {
    "owner_database_url": "equipoise_owner",
    "database_url": "equipoise_blinded",
    "unblinded_database_url": "equipoise_unblinded",
    "allocator_database_url": "equipoise_allocator",
}
BROKER_USERS = {"redis_url": "blinded", "unblinded_redis_url": "unblinded"}


def make(folder: Path) -> list[str]:
    """Write every secret that is missing into ``folder``; return the names of those written. Raises OSError."""
    if folder.exists() and any(folder.iterdir()):
        return []
    passwords = {name: secrets.token_urlsafe(32) for name in (*LOGINS, *BROKER_USERS)}
    files = {
        "owner_password": passwords["owner_database_url"],
        "secret_key": secrets.token_urlsafe(50),
        "users_acl": access_list({user: passwords[name] for name, user in BROKER_USERS.items()}),
        **{name: f"postgresql://{login}:{passwords[name]}@postgres/equipoise" for name, login in LOGINS.items()},
        **{name: f"redis://{user}:{passwords[name]}@valkey:6379/0" for name, user in BROKER_USERS.items()},
    }
    # All or nothing: half a set of passwords that belong together is worse than none.
    unfinished = folder.with_name(folder.name + ".unfinished")
    unfinished.mkdir(mode=0o700, parents=True)
    for name, text in files.items():
        with os.fdopen(os.open(unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w") as file:
            file.write(text if text.endswith("\n") else text + "\n")
    if folder.exists():
        folder.rmdir()
    unfinished.rename(folder)
    return sorted(files)


def main(arguments: list[str]) -> int:
    """Make the folder ``secrets``, or the one named; say what was made."""
    folder = Path(arguments[0] if arguments else "secrets")
    try:
        made = make(folder)
    except OSError as error:
        sys.stderr.write(f"Cannot make {error.filename}: {error.strerror}.\n")
        return 1
    sys.stdout.write(
        f"Made in {folder}: {', '.join(made)}\n" if made else f"{folder} has secrets already; left as they are.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
