"""Every page names its readers. A page that names nobody is not served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from trial.core.access.roles import Role

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """Who may open a page: roles, or everybody (``is_public``).

    ``keeps_on_refusal``: what the page wrote stays although the status is 400 and up (only the sign-in form, whose failed attempts count).
    ``opens_first``: open to somebody who must still choose a password of their own. ``alone``: no unit of work is opened for it.
    ``stops_at_lock``: a form that the database lock refuses; from then on its address says so.
    ``by_token``: an address of the API, where a token says who asks; a session opens nothing there.
    ``is_gate``: a page of the emergency code-break, which somebody of the open side opens on the unblinded one (``side.GATE_PATH`` only).
    """

    roles: tuple[type[Role], ...] = ()
    is_public: bool = False
    keeps_on_refusal: bool = False
    opens_first: bool = False
    alone: bool = False
    stops_at_lock: bool = False
    by_token: bool = False
    is_gate: bool = False


def page(*, roles: tuple[type[Role], ...], opens_first: bool = False, stops_at_lock: bool = False) -> Callable[[V], V]:
    """Open to persons who hold one of ``roles``. The person is ``request.person``."""

    def mark(view: V) -> V:
        view.access = Access(roles=roles, opens_first=opens_first, stops_at_lock=stops_at_lock)  # type: ignore[attr-defined]
        return view

    return mark


def gate(*, roles: tuple[type[Role], ...]) -> Callable[[V], V]:
    """Below ``side.GATE_PATH``: open to persons of the open side who hold one of ``roles``, on the unblinded login. Nothing else opens with it."""

    def mark(view: V) -> V:
        view.access = Access(roles=roles, is_gate=True)  # type: ignore[attr-defined]
        return view

    return mark


def endpoint(*, roles: tuple[type[Role], ...]) -> Callable[[V], V]:
    """An address of the API, open to the tokens of persons who hold one of ``roles``. The person is ``request.person``."""

    def mark(view: V) -> V:
        view.access = Access(roles=roles, by_token=True)  # type: ignore[attr-defined]
        return view

    return mark


def public(*, keeps_on_refusal: bool = False, alone: bool = False) -> Callable[[V], V]:
    """Open to everybody, signed in or not."""

    def mark(view: V) -> V:
        view.access = Access(is_public=True, keeps_on_refusal=keeps_on_refusal, alone=alone)  # type: ignore[attr-defined]
        return view

    return mark
