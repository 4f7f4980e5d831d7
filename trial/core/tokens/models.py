"""Tokens with which a program of a person asks the API. A token belongs to one side: each side has its own table."""

import uuid

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base


class TokenBase(Base):
    """A token of one person, from the day it is made to the end of its last day. The token itself is kept nowhere.

    ``digest`` binds the token to this row, its person, its last day and the person's password (see ``sealing``): a row that was copied
    or changed verifies nothing, and a changed password ends every token. ``password_mark`` shows the last for the list.
    ``user_id`` is no foreign key: the table of the unblinded side refers to no open row.
    """

    user_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    password_mark = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)
    last_day = models.DateField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=60, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "name"], condition=Q(revoked_at=None), name="%(app_label)s_name_once"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="%(app_label)s_named"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="%(app_label)s_revoked_by_somebody",
            ),
        ]


class Token(TokenBase):
    """A token of the open side."""

    class Meta(TokenBase.Meta):
        abstract = False
