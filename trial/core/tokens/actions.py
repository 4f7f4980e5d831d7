"""Making, using and revoking tokens of the API."""

import datetime as dt

from django.utils.translation import gettext as _

from trial.core import clock, db, ids
from trial.core.access.person import Person
from trial.core.access.roles import Administrator
from trial.core.access.signing import prove
from trial.core.actions import action, author
from trial.core.errors import NotAllowed, Refused
from trial.core.models import User
from trial.core.tokens import sealing
from trial.core.tokens.models import Token, TokenBase
from trial.core.tokens.queries import NOTED_AGAIN_AFTER, table

LONGEST = dt.timedelta(days=366)


@action
def make_token(*, name: str, last_day: dt.date, password: str, by: Person) -> str:
    """Make a token for oneself on one's own side, and return it: it is shown once and kept nowhere.

    Refuses a wrong password, a last day that has passed or lies more than a year ahead, and the name of another token in force.
    """
    prove(person=by, password=password)
    name = " ".join(name.split())
    if not name:
        raise Refused("name_missing", _("Give the token a name, such as the program that will use it."))
    if not clock.today() <= last_day <= clock.today() + LONGEST:
        raise Refused("last_day", _("A token ends between today and a year from now. Choose another last day."))
    user = User.objects.select_for_update().get(pk=by.user_id)  # two at once take turns
    rows = table()._default_manager
    if rows.filter(user_id=user.pk, name=name, revoked_at=None).exists():
        raise Refused(
            "name_taken", _("You have a token of this name already. Revoke it first, or choose another name.")
        )
    key, secret = ids.new(), sealing.new_secret()
    made = sealing.digest(key=key, user=user.pk, last_day=last_day, password=user.password, secret=secret)
    row = table()(
        id=key, user_id=user.pk, name=name, digest=made, password_mark=sealing.password_mark(user.password), last_day=last_day
    )  # fmt: skip
    row.save(force_insert=True)
    return sealing.written(key, secret)


@action
def revoke_token(*, token: TokenBase, by: Person) -> None:
    """Revoke a token now: one's own, or as an administrator anybody's. Twice is once."""
    if token.user_id != by.user_id and not by.holds(Administrator):
        raise NotAllowed("token_other", _("Everybody revokes their own tokens; an administrator those of others."))
    who = author(by) if isinstance(token, Token) else by.actor_id
    type(token)._default_manager.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now(), revoked_by=who)


@action
def note_use(*, token: TokenBase, by: db.Actor) -> None:
    """Note that a token was used, at most once a minute. It leaves no trace in the history."""
    now = clock.now()
    rows = type(token)._default_manager.filter(pk=token.pk)
    (rows.filter(last_used_at=None) | rows.filter(last_used_at__lt=now - NOTED_AGAIN_AFTER)).update(last_used_at=now)
