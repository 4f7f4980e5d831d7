"""Backup and restore of one database, by its owner's address."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trial.config.backup import contents
from trial.config.backup.contents import Contents
from trial.config.backup.sealed import CHUNK, BackupError, check_key, seal, unseal
from trial.config.supervisor.binaries import postgres_folder


def back_up(owner_url: str, file: Path, key: str) -> Contents:
    """Write the whole database to ``file``, encrypted with ``key``; return what it holds.

    What is counted and what is dumped is one and the same moment. The file appears under its name only when it is
    complete, readable by its owner alone. Raises BackupError; then there is no new file.
    """
    check_key(key)
    if file.exists():
        raise BackupError(f"{file} exists already. Give another name: FILE=...")
    unfinished = file.with_name(file.name + ".unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _connected(owner_url) as connection, _private(unfinished) as output:
            contents.prepare(connection)
            connection.execute("begin isolation level repeatable read read only")
            held = contents.read(connection)
            snapshot = connection.execute("select pg_export_snapshot()").fetchone()
            assert snapshot is not None  # noqa: S101 - a function's result has one row
            seal(_plain(owner_url, held, str(snapshot[0])), output, key)
            output.flush()
            os.fsync(output.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise BackupError(f"Cannot write {file}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return held


def restore(owner_url: str, file: Path, key: str, database: str) -> tuple[Contents, list[str]]:
    """Restore ``file`` into ``database`` on the owner's server, and compare; return what was backed up and the differences.

    The database is made when there is none; one with tables in it is refused. The restore is one transaction: a wrong key or a
    damaged file leaves nothing behind. Service logins have no rights there until ``setup_database`` has run.
    """
    check_key(key)
    url = make_conninfo(owner_url, dbname=database)
    try:
        opened = file.open("rb")
    except OSError as error:
        raise BackupError(f"Cannot read {file}: {error.strerror}.") from error
    with opened:
        parts = unseal(opened, key)
        held, rest = _read_header(parts)
        made = _make_database(owner_url, database)
        try:
            with _connected(url) as connection:
                if not made and not contents.is_empty(connection):
                    raise BackupError(
                        f"The database {database} is not empty. Nothing was changed. Choose another: INTO=name"
                    )
                _make_missing_logins(connection, held.logins)
            _pg_restore(url, rest, parts)
        except BaseException:
            if made:
                _drop_database(owner_url, database)
            raise
    with _connected(url) as connection:
        contents.prepare(connection)
        return held, held.differences(contents.read(connection))


def _plain(owner_url: str, held: Contents, snapshot: str) -> Iterator[bytes]:
    """What gets encrypted: the header with its length, then the dump."""
    header = json.dumps({"made_at": dt.datetime.now(dt.UTC).isoformat(), **held.as_json()}).encode()
    yield struct.pack(">I", len(header)) + header
    command = [str(postgres_folder() / "pg_dump"), "--format=custom", f"--snapshot={snapshot}"]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, env=_environment(owner_url), stdout=subprocess.PIPE, stderr=complaints)
        try:
            while part := _stream(process.stdout).read(CHUNK):
                yield part
            if process.wait() != 0:
                raise BackupError(f"pg_dump did not succeed: {_said(complaints)}")
        finally:
            process.kill()
            process.wait()
            _stream(process.stdout).close()


def _pg_restore(url: str, rest: bytes, parts: Iterator[bytes]) -> None:
    name = str(conninfo_to_dict(url)["dbname"])
    command = [str(postgres_folder() / "pg_restore"), "--no-owner", "--no-privileges", "--single-transaction"]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*command, "--exit-on-error", f"--dbname={name}"],
            env=_environment(url),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        try:
            with contextlib.suppress(BrokenPipeError):
                _stream(process.stdin).write(rest)
                for part in parts:  # a damaged part raises here, before pg_restore sees the end and commits
                    _stream(process.stdin).write(part)
                _stream(process.stdin).close()
            if process.wait() != 0:
                raise BackupError(f"pg_restore did not succeed: {_said(complaints)}")
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                _stream(process.stdin).close()


def _read_header(parts: Iterator[bytes]) -> tuple[Contents, bytes]:
    """The header, and what of the dump came with it."""
    start = b""
    while len(start) < 4 or len(start) < 4 + struct.unpack(">I", start[:4])[0]:
        part = next(parts, None)
        if part is None:
            raise BackupError("The backup has no header. Use another copy.")
        start += part
    end = 4 + struct.unpack(">I", start[:4])[0]
    return Contents.from_json(json.loads(start[4:end])), start[end:]


def _make_database(owner_url: str, database: str) -> bool:
    """Make the database; return whether there was none."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", database):
        raise BackupError(f"INTO={database} is not a name for a database: lower case letters, digits and _ only.")
    with _connected(make_conninfo(owner_url, dbname="postgres")) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
            return False
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(database)))
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
    return True


def _drop_database(owner_url: str, database: str) -> None:
    with _connected(make_conninfo(owner_url, dbname="postgres")) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def _make_missing_logins(connection: psycopg.Connection[Any], names: list[str]) -> None:
    """Policies name logins, which must exist; they get a password and the right to log in from ``setup_database`` only."""
    for name in names:
        if not connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))


def _connected(url: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise BackupError(f"The database does not answer: {str(error).strip().splitlines()[-1]}") from error


def _environment(url: str) -> dict[str, str]:
    """The address as libpq's variables: a password on a command line is for everybody to read."""
    names = {"dbname": "PGDATABASE", "application_name": "PGAPPNAME", "connect_timeout": "PGCONNECT_TIMEOUT"}
    given = {names.get(k, f"PG{k.upper()}"): str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")}
    return {**kept, **given}


@contextlib.contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - we asked for it
    return pipe


def _said(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return " ".join(lines[-2:])[:400] or "it gave no reason"
