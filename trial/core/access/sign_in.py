"""Signing in: the password is checked without any write; what is written is written on the person's own side."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from trial.core.models import User

DEMO_PASSWORD = "equipoise-demo"  # noqa: S105 - published on purpose, and refused outside demo worlds


class Backend:
    """Checks user name and password. Never rehashes: that would write on a side which may not be the person's.

    A password that the side cannot read costs the same work as a wrong one.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **_kwargs: Any
    ) -> User | None:
        user = User.objects.filter(username=username.strip().lower()).first()
        if user is None:
            make_password(password)  # the same work, whether the name exists or not
            return None
        if not settings.DEMO and not settings.SCRATCH and password == DEMO_PASSWORD:
            return None
        return user if check_password(password, user.password) and user.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


class NotTheDemoPassword:
    """The published password of the demo accounts is no password."""

    def validate(self, password: str, user: Any = None) -> None:
        if password == DEMO_PASSWORD and not settings.DEMO:
            raise ValidationError(
                _("This password is published with the demo. Choose another one."), code="demo_password"
            )

    def get_help_text(self) -> str:
        return _("The password of the demo accounts is refused.")
