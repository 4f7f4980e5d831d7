"""What every address of the API has in common: JSON in, JSON out, refusals in the same words as the pages."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from trial.core.access.person import Request as PageRequest
from trial.core.errors import Conflict, NotAllowed, Refused

OBJECT: dict[str, Any] = {"type": "object"}


class AlwaysJson(BaseContentNegotiation):
    """There is one form of the data, whatever a client says that it accepts."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return next((one for one in parsers if request.content_type.startswith(one.media_type)), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Given(serializers.Serializer[Any]):
    """What a request says. A name that is not known is refused: nothing that was typed is dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {str(name): [_("There is no such field.")] for name in data if name not in self.fields}
            if unknown:
                raise ValidationError(unknown)
        return super().to_internal_value(data)


class Endpoint(APIView):
    """An address of the API. ``takes``: what a POST says. ``gives``: the schema of the answer, by method. Its readers: ``@endpoint``."""

    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "post"]
    takes: ClassVar[type[Given] | None] = None
    gives: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def given(self, request: Request) -> dict[str, Any]:
        """What the request says, checked; refused with the fields that are wrong."""
        assert self.takes is not None  # noqa: S101 - an address that reads a body says which
        read = self.takes(data=request.data)
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)


def asked(request: Request) -> PageRequest:
    """The request as the views of the pages see it: with the person."""
    return cast(PageRequest, request._request)


def answer_to(error: Exception, context: Any) -> Response | None:
    """The answer to an error that was written for its reader; None for a mistake of ours."""
    match error:
        case NotAllowed():
            return refusal(error, 403)
        case Conflict():
            return refusal(error, 409)
        case Refused():
            return refusal(error, 422)
        case Http404():
            return Response({"code": "not_there", "message": _("There is nothing at this address for you.")}, 404)
        case PermissionDenied():
            return Response({"code": "role", "message": _("Your roles do not open this address.")}, 403)
        case ValidationError():
            words = _("Something that was sent cannot be used. The fields say what; nothing was changed.")
            return Response({"code": "invalid", "message": words, "fields": error.detail}, 422)
        case APIException():
            codes = error.get_codes()
            return Response(
                {"code": codes if isinstance(codes, str) else "refused", "message": str(error)}, error.status_code
            )
    return None


def refusal(error: Refused, status: int, **more: Any) -> Response:
    """A refusal of an action: its code and its words, and what else is known of it."""
    return Response({"code": error.code, "message": str(error.message), **more}, status)
