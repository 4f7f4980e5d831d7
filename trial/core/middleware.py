"""First and last middleware: the side of a request, and its one unit of work."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string

from trial.core import db, side
from trial.core.access.pages import Access
from trial.core.access.person import Person, person_of
from trial.core.access.refusals import note_refusal
from trial.core.api import gate
from trial.core.locking import locked_page
from trial.core.models import Refusal
from trial.core.sessions import hashed

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SideMiddleware:
    """First of all: the whole request, session and account included, runs on the side of its path.

    A process without the credential of that side answers 404, like any address that does not exist.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        here = side.of_path(request.path_info)
        if request.path_info == "/healthz" and not db.is_configured(here):
            here = side.UNBLINDED
        with side.on(here):
            request.side = here  # type: ignore[attr-defined]
            if not db.is_configured(here):
                return HttpResponse(status=404, content_type="text/plain", content="404")
            response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class Visitor:
    """Somebody who has not signed in: no site, and no right to write."""

    actor_id = ""
    scope = db.NO_SITE


class UnitOfWorkMiddleware:
    """Last of all: opens the transaction, tells the database who asks, renders inside, rolls back at status 400 and up.

    What must be known of a refusal is written after that, in a transaction of its own (``db.after_end``).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        access = access_of(view)
        if access.alone:
            alone: HttpResponseBase = view(request, *args, **kwargs)
            return alone
        if _holds_nul(request):
            raise Http404  # no text in the database holds this byte, so nothing of ours has such an address
        with db.ending(), db.atomic():
            person = gate.person_of_token(request) if access.by_token else self._person(request)
            request.person = person  # type: ignore[attr-defined]
            with db.identity(person or Visitor()):
                refusal = self._refuse(request, person, access)
                closed = locked_page(request) if access.stops_at_lock and refusal is None else None
                response = refusal or closed or self._answer(request, view, args, kwargs)
            if response.status_code >= 400 and not access.keeps_on_refusal:
                db.rollback_at_end()
        return response

    def _answer(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        response: HttpResponseBase = view(request, *args, **kwargs)
        # A lazy response rendered after the transaction would see no rows, with status 200.
        render = getattr(response, "render", None)
        if callable(render) and not getattr(response, "is_rendered", True):
            response = render()
        if response.streaming:
            raise ImproperlyConfigured("A page does not stream: exports are files made by jobs.")
        return response

    def _person(self, request: HttpRequest) -> Person | None:
        user = request.user
        if not (user.is_authenticated and user.is_active):
            return None
        person = person_of(user)
        if side.current() == side.UNBLINDED and person.side == side.UNBLINDED:
            # whoever can write a session row on the open side cannot write this mark
            proved = import_string(settings.HAS_REENTERED)
            if not proved(person.user_id, hashed(request.session.session_key or "")):
                return None
        return person

    def _refuse(self, request: HttpRequest, person: Person | None, access: Access) -> HttpResponseBase | None:
        here = side.current()
        if access.is_public:
            return None
        if access.by_token:
            refused = gate.refusal(request, person, access)
            if refused is not None and person is not None and refused.status_code == HTTPStatus.FORBIDDEN:
                self._note(request, person)
            return refused
        if person is None:
            target = settings.LOGIN_URL if here == side.OPEN else settings.UNBLINDED_LOGIN_URL
            return HttpResponseRedirect(f"{reverse(target)}?{urlencode({'next': request.get_full_path()})}")
        if person.side != here and request.path_info in ("/", side.UNBLINDED_PATH):
            return HttpResponseRedirect("/" if person.side == side.OPEN else side.UNBLINDED_PATH)
        at_gate = access.is_gate and here == side.UNBLINDED and request.path_info.startswith(side.GATE_PATH)
        if person.side != (side.OPEN if at_gate else here) or not person.holds(*access.roles):
            self._note(request, person)
            raise PermissionDenied
        if person.must_change_password and not access.opens_first:
            return HttpResponseRedirect(reverse("me" if person.side == side.OPEN else "unblinded_me"))
        return None

    def _note(self, request: HttpRequest, person: Person) -> None:
        """Write down, after the refusal, who asked for a page of others."""
        match = request.resolver_match
        note_refusal(Refusal.What.PAGE, place=match.view_name if match else "", by=person)


def _holds_nul(request: HttpRequest) -> bool:
    return any(
        "\0" in text
        for text in (request.path_info, *request.GET, *(one for key in request.GET for one in request.GET.getlist(key)))
    )


def access_of(view: Callable[..., Any]) -> Access:
    """The readers that the view names; a view that names nobody is a mistake of ours and is not served."""
    access = getattr(view, "access", None) or getattr(getattr(view, "cls", None), "access", None)
    if isinstance(access, Access):
        return access
    if getattr(view, "__module__", "").startswith(("django.views.static", "drf_spectacular")):
        raise Http404
    raise ImproperlyConfigured(f"The view {view!r} names no readers.")
