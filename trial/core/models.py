"""Accounts, memberships, logins and the open history."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trial.core import clock, ids

ANY_SITE = "*"


class Base(models.Model):
    """A row with a random key. Saves name their fields; nothing is deleted."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    class Meta:
        abstract = True


class UserManager(BaseUserManager["User"]):
    """Finds accounts; makes none (that is an action)."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """An account: one person, never shared, never given to somebody else."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    username = models.CharField(_("user name"), max_length=60, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False, help_text="somebody else knows it")
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(username__regex=r"^[a-z][a-z0-9_.-]*$"), name="core_user_username_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name


class Membership(Base):
    """A role held by a person, trial-wide (``*``) or at one site, from confirmation until it ends.

    A role of the unblinded side takes effect when a second administrator confirms it. Written on the unblinded side only.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=30)
    site = models.CharField(max_length=30, default=ANY_SITE)
    granted_at = models.DateTimeField(default=clock.now)
    granted_by = models.CharField(max_length=60)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=60, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "site"], condition=Q(ended_at=None), name="core_membership_once"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | ~Q(confirmed_by=""), name="core_membership_confirmed_by_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=models.F("granted_by")) | Q(granted_by__startswith="system:"),
                name="core_membership_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | ~Q(ended_by=""), name="core_membership_ended_by_somebody"
            ),
        ]


class Login(models.Model):
    """The PostgreSQL logins and their sides, written by ``setup_database``; the triggers read it."""

    name = models.CharField(max_length=63, primary_key=True)
    side = models.CharField(max_length=12)


class RoleSideRow(models.Model):
    """The side of each role, written by ``setup_database`` from the role classes; the triggers read it."""

    role = models.CharField(max_length=30, primary_key=True)
    side = models.CharField(max_length=12)
    excludes = models.CharField(max_length=200, blank=True, help_text="roles that nobody holds beside this one")


class HistoryBase(models.Model):
    """One change of one row: who, when, through which action, and what it was before and after. Only a trigger writes it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    login = models.CharField(max_length=63)
    actor = models.CharField(max_length=60)
    action = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    table_name = models.CharField(max_length=63)
    operation = models.CharField(max_length=6)
    row_id = models.CharField(max_length=120)
    site = models.CharField(max_length=30, null=True)
    old: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    new: "models.JSONField[Any, Any]" = models.JSONField(null=True)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["table_name", "row_id"], name="%(class)s_row")]


class History(HistoryBase):
    """The history of the open side. An author of the unblinded side is "site staff" here."""

    class Meta(HistoryBase.Meta):
        abstract = False


class SetupToken(Base):
    """The one-time token with which the first two administrators are made. Kept as its hash; spent once."""

    sha256 = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)


class Refusal(models.Model):
    """A drop box: somebody was refused. No foreign key, no site, no participant: administrators read it, and see no trial datum.

    The open side may only add to it, since who tries what behind the wall is nothing that blinded people may read, and an unblinded person
    may try a page of the open side. ``place``: the name of an address or of an action. ``about``: the account that was tried, where
    nobody was signed in.
    """

    class What(models.TextChoices):
        PAGE = "page"
        PROOF = "proof"
        SIGN_IN = "sign_in"
        LOCKED_OUT = "locked_out"
        TOKEN = "token"  # noqa: S105 - the kind of a refusal

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    at = models.DateTimeField(default=clock.now)
    what = models.CharField(max_length=12, choices=What)
    place = models.CharField(max_length=120, blank=True)
    actor = models.CharField(max_length=60)
    about = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "dropbox_refusal"
        constraints = [
            models.CheckConstraint(
                condition=Q(what__in=["page", "proof", "sign_in", "locked_out", "token"]), name="dropbox_refusal_known"
            ),
        ]
        indexes = [models.Index(fields=["-at"], name="dropbox_refusals")]
