"""Sessions whose keys are stored hashed and whose data are signed together with their key.

One table serves both sides. Somebody who reads it learns no key, and a row copied under another key does not verify: nobody can become
another person by writing a row.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core import signing
from django.db import DatabaseError, IntegrityError, router

from trial.core import clock, db


def hashed(session_key: str) -> str:
    """What stands in the table for ``session_key``: the first 40 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    """Django's database session, with the key hashed in the table and bound to the data by the signature."""

    @property
    def key_salt(self) -> str:
        return f"equipoise.session.{self.session_key}"

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        try:
            return self.model.objects.get(session_key=hashed(self.session_key or ""), expire_date__gt=clock.now())
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key: str) -> bool:
        return bool(self.model.objects.filter(session_key=hashed(session_key)).exists())

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()
        return self._decode_strictly(row.session_data) if row else {}

    def _decode_strictly(self, data: str) -> dict[str, Any]:
        try:
            return dict(signing.loads(data, salt=self.key_salt, serializer=self.serializer))
        except signing.BadSignature:
            return {}

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return self.model(
            session_key=hashed(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(modification=clock.now()),
        )

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        row = self.create_model_instance(data)
        try:
            with db.atomic():
                row.save(force_insert=must_create, force_update=not must_create, using=router.db_for_write(self.model))
        except IntegrityError:
            if must_create:
                from django.contrib.sessions.backends.base import CreateError

                raise CreateError from None
            raise
        except DatabaseError as error:
            if not must_create:
                raise UpdateError from error
            raise
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=hashed(key)).delete()
