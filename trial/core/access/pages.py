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
    """

    roles: tuple[type[Role], ...] = ()
    is_public: bool = False
    keeps_on_refusal: bool = False


def page(*, roles: tuple[type[Role], ...]) -> Callable[[V], V]:
    """Open to persons who hold one of ``roles``. The person is ``request.person``."""

    def mark(view: V) -> V:
        view.access = Access(roles=roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(*, keeps_on_refusal: bool = False) -> Callable[[V], V]:
    """Open to everybody, signed in or not."""

    def mark(view: V) -> V:
        view.access = Access(is_public=True, keeps_on_refusal=keeps_on_refusal)  # type: ignore[attr-defined]
        return view

    return mark
