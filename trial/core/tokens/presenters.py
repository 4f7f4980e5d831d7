"""Tokens as pages show them. No page shows a token again."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.api.schema import Route
from trial.core.models import User
from trial.core.tokens import sealing
from trial.core.tokens.models import TokenBase
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.text import Text


def token_state(token: TokenBase, user: User) -> State:
    """In force, or why not."""
    if token.revoked_at is not None:
        return State("cancelled", _("Revoked"))
    if not user.is_active or token.password_mark != sealing.password_mark(user.password):
        return State("cancelled", _("Ended with the password"))
    if token.last_day < clock.today():
        return State("info", _("Ended"))
    return State("done", _("In force"))


def token_table(tokens: Sequence[TokenBase], user: User, revoke: Callable[[TokenBase], str]) -> Table:
    """The tokens of a person; ``revoke`` gives the address of the page that revokes one."""
    columns = [
        Column(_("Name")), Column(_("State")), Column(_("Made")), Column(_("Last day")), Column(_("Last used")), Column(""),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for token in tokens:
        state = token_state(token, user)
        step = Link(_("Revoke"), revoke(token)) if state.kind == "done" else ""
        rows.append([token.name, state, token.made_at, token.last_day, token.last_used_at, step])
    return Table(
        columns, rows, caption=_("Tokens"), empty=_("A token lets a program ask in your name. Make the first one.")
    )


def token_facts(token: TokenBase, user: User) -> list[tuple[Text, Any]]:
    """What is to be read before a token is revoked."""
    return [
        (_("Person"), f"{user.full_name} ({user.username})"), (_("Token"), token.name), (_("Made"), token.made_at),
        (_("Last day"), token.last_day), (_("Last used"), token.last_used_at),
    ]  # fmt: skip


def route_table(routes: Sequence[Route]) -> Table:
    """The addresses of the API that a person's roles open."""
    columns = [Column(_("Method")), Column(_("Address")), Column(_("What it does"))]
    rows = [[one.method, one.address, one.words] for one in routes]
    return Table(columns, rows, caption=_("What your roles open"), empty=_("Your roles open nothing here."))
