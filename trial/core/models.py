"""Accounts, memberships, logins and the open history."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from trial.core import clock, ids, side

ANY_SITE = "*"


class Base(models.Model):
    """A row with a random key. Saves name their fields; nothing is deleted."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    class Meta:
        abstract = True


class UserManager(BaseUserManager["User"]):
    """Finds accounts; makes none (that is an action). On the open side without their passwords, which that login cannot select."""

    def get_queryset(self) -> "models.QuerySet[User]":
        found = super().get_queryset()
        return found.defer("password") if side.current() == side.OPEN else found

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """An account: one person, never shared, never given to somebody else."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    username = models.CharField(_("user name"), max_length=60, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False, help_text="somebody else knows it")
    password_mark = models.GeneratedField(
        expression=MD5("password"),
        output_field=models.CharField(max_length=32),
        db_persist=True,
        help_text="changes with the password; of its hash nothing can be tried out against it, since the salt is not known",
    )
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects = UserManager()

    class Meta:
        base_manager_name = "objects"  # the user of a membership, too, comes without a password
        constraints = [
            models.CheckConstraint(
                condition=Q(username__regex=r"^[a-z][a-z0-9_.-]*$"), name="core_user_username_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Read again. The open side gets the password of its own people from a function, and of others one that nothing fits."""
        if fields is not None and list(fields) == ["password"] and side.current() == side.OPEN:
            known = models.Func("pk", function="equipoise_password", output_field=models.CharField(null=True))
            found = User.objects.filter(pk=self.pk).values_list(known, flat=True).first()
            self.password = found or UNUSABLE_PASSWORD_PREFIX
            return
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What ends sessions when the password changes. Made of the mark: either side verifies a session, neither reads a password for it."""
        return salted_hmac(
            "equipoise.session.password", self.password_mark, secret=secret, algorithm="sha256"
        ).hexdigest()


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
    salt = models.UUIDField(null=True, help_text="so that no digest of a line can be tried out against texts")

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["table_name", "row_id"], name="%(class)s_row")]


class History(HistoryBase):
    """The history of the open side. An author of the unblinded side is "site staff" here."""

    class Meta(HistoryBase.Meta):
        abstract = False


class SealBase(models.Model):
    """A batch of a history, sealed: the digests of its lines, and a head over them and the head before. Only a function of the database writes it."""

    number = models.PositiveIntegerField(primary_key=True)
    first_row = models.BigIntegerField()
    last_row = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    at = models.DateTimeField()
    digests = models.BinaryField(help_text="of each line its number (8 bytes) and its SHA-256 (32 bytes)")
    head = models.CharField(max_length=64)

    class Meta:
        abstract = True


class HistorySeal(SealBase):
    """The seals of the open history."""

    class Meta(SealBase.Meta):
        abstract = False
        db_table = "core_history_seal"


class VersionBase(Base):
    """One version of a definition, whole, as a document. Append-only; the highest number is in force."""

    number = models.PositiveIntegerField(unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    document: "models.JSONField[Any, Any]" = models.JSONField()
    loaded_at = models.DateTimeField(default=clock.now)
    loaded_by = models.CharField(max_length=60)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="%(app_label)s_version_from_one"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="%(app_label)s_version_sha256"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class RedactionBase(Base):
    """A typed text of a history and its record is to be redacted: who asks, who decides. Carried out by a function of the database alone."""

    class Reason(models.TextChoices):
        PARTICIPANT = "participant", _("It says who the participant is")
        OTHER_PERSON = "other_person", _("It names somebody else")
        WRONG_RECORD = "wrong_record", _("It belongs to another participant")
        SECRET = "secret", _("It holds a password or another secret")

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for the investigator")
        DONE = "done", _("Redacted")
        REFUSED = "refused", _("Stays as it is")

    number = models.PositiveIntegerField(unique=True)
    history_row = models.BigIntegerField()
    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=120)
    field = models.CharField(max_length=63)
    site = models.CharField(max_length=30, null=True)
    reason = models.CharField(max_length=20, choices=Reason)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=60)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=60, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["participant", "other_person", "wrong_record", "secret"]),
                name="%(app_label)s_redaction_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "done", "refused"]), name="%(app_label)s_redaction_state"
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=models.F("asked_by")), name="%(app_label)s_redaction_two_persons"
            ),
            models.UniqueConstraint(
                fields=["history_row", "field"], condition=Q(state="asked"), name="%(app_label)s_redaction_asked_once"
            ),
        ]


class Redaction(RedactionBase):
    """A redaction of the open side: the data manager asks, the investigator decides."""

    class Meta(RedactionBase.Meta):
        abstract = False


class RedactedLineBase(Base):
    """A line of a history that a redaction changed, with its digest as it stands since."""

    history_row = models.BigIntegerField()
    site = models.CharField(max_length=30, null=True)
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True


class RedactedLine(RedactedLineBase):
    """A redacted line of the open history."""

    redaction = models.ForeignKey(Redaction, models.PROTECT, related_name="lines")


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
