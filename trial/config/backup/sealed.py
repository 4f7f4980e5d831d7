"""One encrypted file, written and read as a stream.

Layout: a line that names the format, 16 bytes of salt, then chunks, each with its length before it. The key is derived from the
operator's by scrypt with the salt, and so differs in each file; a chunk's nonce is its number and whether it is the last (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). Chunks can therefore not be changed, swapped, repeated or cut off unnoticed.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"Equipoise backup 1\n"
CHUNK = 1 << 20
SHORTEST_KEY = 16
_SALT = 16
_TAG = 16


class BackupError(Exception):
    """A backup or restore that cannot be; the text says what is wrong and what to do."""


def check_key(key: str) -> None:
    """Refuse a missing or short key, in one plain sentence."""
    make_one = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    if not key:
        raise BackupError(f"BACKUP_KEY is not set. The backup is encrypted with it, so keep it elsewhere. {make_one}")
    if len(key) < SHORTEST_KEY:
        raise BackupError(f"BACKUP_KEY has {len(key)} characters; it needs at least {SHORTEST_KEY}. {make_one}")


def seal(parts: Iterable[bytes], file: BinaryIO, key: str) -> None:
    """Write ``parts``, joined, encrypted with ``key`` to ``file``. Raises BackupError for a key that is too short."""
    check_key(key)
    salt = secrets.token_bytes(_SALT)
    cipher = AESGCM(_derive(key, salt))
    file.write(MAGIC + salt)
    number, waiting = 0, b""
    for part in parts:
        waiting += part
        while len(waiting) > CHUNK:
            _write_chunk(file, cipher, number, waiting[:CHUNK], last=False)
            number, waiting = number + 1, waiting[CHUNK:]
    _write_chunk(file, cipher, number, waiting, last=True)


def unseal(file: BinaryIO, key: str) -> Iterator[bytes]:
    """The contents of a sealed file, part by part; a part is given out only after it was checked.

    Raises BackupError when the file is not a backup, the key is wrong, or something was changed or cut off. The caller must
    not rely on what it got before the iterator ended.
    """
    check_key(key)
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupError("This file is not an Equipoise backup.")
    cipher = AESGCM(_derive(key, file.read(_SALT)))
    number, last = 0, False
    while not last:
        head = file.read(5)
        if len(head) < 5:
            raise BackupError("The backup is cut off: its end is missing. Use another copy.")
        size, last = struct.unpack(">I?", head)
        if size > CHUNK + _TAG:
            raise BackupError(_damaged(number))
        try:
            yield cipher.decrypt(_nonce(number, last=last), file.read(size), MAGIC)
        except InvalidTag as error:
            raise BackupError(_damaged(number)) from error
        number += 1
    if file.read(1):
        raise BackupError("Something was added to the end of the backup. Use another copy.")


def _write_chunk(file: BinaryIO, cipher: AESGCM, number: int, plain: bytes, *, last: bool) -> None:
    sealed = cipher.encrypt(_nonce(number, last=last), plain, MAGIC)
    file.write(struct.pack(">I?", len(sealed), last) + sealed)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _derive(key: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode())


def _damaged(number: int) -> str:
    if number == 0:
        return "BACKUP_KEY does not open this backup (or its beginning is damaged)."
    return f"The backup is damaged (part {number + 1}). Use another copy."
