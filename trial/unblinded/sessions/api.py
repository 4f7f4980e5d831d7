"""The API of group sessions: what is to be recorded, recording it, and putting it right. The rest is read like the pages."""

import datetime as dt
import uuid
from typing import Any

from django.urls import path
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trial.core import clock
from trial.core.access import endpoint
from trial.core.api.components import TEXT, TEXT_OR_NONE, listed, thing
from trial.core.api.endpoints import Endpoint, Given, asked
from trial.core.errors import Refused
from trial.core.models import User
from trial.protocol.definition import SessionsPlan
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.sessions import actions, queries
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import AbsenceReason, Attendance, CancelReason, GroupSession, TherapyGroup
from trial.unblinded.sessions.views.groups import find_group, plan_or_404
from trial.unblinded.sessions.views.sessions import RECORDERS, find_session

NUMBER = {"type": "integer"}
CODED = thing(code=TEXT, text=TEXT)
SESSION = thing(
    "A session as it is on record. `revision` goes back with a correction.",
    key=TEXT, group=TEXT, day=TEXT, state=TEXT, canceled=TEXT, modules=listed(TEXT), minutes={"type": ["integer", "null"]},
    led_by=listed(TEXT), revision=NUMBER,
    marks=listed(thing(participant=TEXT, mark=TEXT, reason=TEXT, guest={"type": "boolean"})),
)  # fmt: skip
EXPECTED = thing(
    "What a session of the group can say: its members on the day, modules, therapists, and the codes of reasons.",
    group=TEXT, day=TEXT, members=listed(TEXT), on_record=TEXT_OR_NONE, minutes=NUMBER, modules=listed(CODED),
    therapists=listed(thing(username=TEXT, name=TEXT)), absence_reasons=listed(CODED), cancel_reasons=listed(CODED),
)  # fmt: skip


class MarkGiven(Given):
    """What became of one person at a session."""

    participant = serializers.CharField()
    mark = serializers.ChoiceField(choices=Attendance.Mark.choices)
    reason = serializers.ChoiceField(choices=AbsenceReason.choices, required=False, default="", allow_blank=True)


class SessionGiven(Given):
    """A session: held, with modules, minutes, leaders and marks; or `canceled`, with the code of a reason and nothing else."""

    day = serializers.DateField()
    modules = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    minutes = serializers.IntegerField(required=False, default=None, allow_null=True)
    led_by = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    canceled = serializers.ChoiceField(choices=CancelReason.choices, required=False, default="", allow_blank=True)
    marks = MarkGiven(many=True, required=False, default=list)


class CorrectionGiven(SessionGiven):
    """The session as it should be, the revision that was seen, and why what is on record changes."""

    revision = serializers.IntegerField(min_value=0)
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


@endpoint(roles=RECORDERS)
class Record(Endpoint):
    """Recording a session of a group."""

    takes = SessionGiven
    gives = {"get": EXPECTED, "post": SESSION}

    def get(self, request: Request, key: uuid.UUID) -> Response:
        """What a session of this group can say; `?day=` (today unless given) decides who is a member."""
        group = find_group(asked(request), key)
        _protocol, plan = plan_or_404()
        return Response(_expected(group, plan, _asked_day(request)))

    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Record a session with everybody's attendance in one go, or that it was canceled. The same twice is once.

        Whoever is not a member on that day is kept as a guest. Members without a mark stay open and are asked for again.
        """
        group = find_group(asked(request), key)
        plan_or_404()
        given = self.given(request)
        done = actions.record_session(
            group=group,
            day=given["day"],
            content=_content(given, group),
            marks=_marks(given, group),
            by=asked(request).person,
        )
        return Response(_session(done))


@endpoint(roles=RECORDERS)
class Correct(Endpoint):
    """Correcting a session."""

    takes = CorrectionGiven
    gives = {"get": SESSION, "post": SESSION}

    def get(self, request: Request, key: uuid.UUID) -> Response:
        """The session as it is on record."""
        return Response(_session(find_session(asked(request), key)))

    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Correct a session, or add marks that were open. A change of what is on record needs a reason.

        409 when somebody else has changed it since `revision`. Marks are never taken away.
        """
        session = find_session(asked(request), key)
        plan_or_404()
        given = self.given(request)
        done = actions.correct_session(
            session=session,
            day=given["day"],
            content=_content(given, session.group, session.led_by),
            marks=_marks(given, session.group),
            revision=given["revision"],
            reason=given["reason"],
            by=asked(request).person,
        )
        return Response(_session(done))


def _asked_day(request: Request) -> dt.date:
    try:
        return dt.date.fromisoformat(request.query_params.get("day", ""))
    except ValueError:
        return clock.today()


def _content(given: dict[str, Any], group: TherapyGroup, before: list[str] | None = None) -> Content:
    people = {
        user.username: user.pk for user in [*queries.therapists_at(group.site), *queries.people_named(before or [])]
    }
    unknown = [name for name in given["led_by"] if name not in people]
    if unknown:
        words = _("Sessions are led by therapists of the site. This is none: %(names)s.") % {
            "names": ", ".join(unknown)
        }
        raise Refused("not_therapist", words)
    leaders = tuple(people[name] for name in given["led_by"])
    return Content(tuple(given["modules"]), given["minutes"], leaders, given["canceled"])


def _marks(given: dict[str, Any], group: TherapyGroup) -> dict[uuid.UUID, Marked]:
    """Marks by allocation. Somebody of another site answers like somebody who does not exist. One query."""
    told = {"".join(one["participant"].split()): Marked(one["mark"], one["reason"]) for one in given["marks"]}
    rows = allocations().filter(participant__number__in=list(told), site=group.site)
    known = {number: key for key, number in rows.values_list("pk", "participant__number")}
    unknown = sorted(set(told) - set(known))
    if unknown:
        words = _("%(number)s is no randomized participant of this site. Check the number.") % {
            "number": unknown[0][:20]
        }
        raise Refused("participant_unknown", words)
    return {known[number]: one for number, one in told.items()}


def _expected(group: TherapyGroup, plan: SessionsPlan, day: dt.date) -> dict[str, Any]:
    there = GroupSession.objects.filter(group=group, day=day).values_list("pk", flat=True).first()
    return {
        "group": group.code,
        "day": day.isoformat(),
        "members": [member.allocation.participant.number for member in queries.members_on(group, day)],
        "on_record": str(there) if there else None,
        "minutes": plan.minutes,
        "modules": [{"code": one.code, "text": one.name} for one in plan.modules],
        "therapists": [{"username": one.username, "name": one.full_name} for one in queries.therapists_at(group.site)],
        "absence_reasons": [{"code": code, "text": str(words)} for code, words in AbsenceReason.choices],
        "cancel_reasons": [{"code": code, "text": str(words)} for code, words in CancelReason.choices],
    }


def _session(session: GroupSession) -> dict[str, Any]:
    rows = Attendance.objects.filter(session=session).select_related("allocation__participant")
    names = {str(key): name for key, name in User.objects.filter(pk__in=session.led_by).values_list("pk", "username")}
    return {
        "key": str(session.pk),
        "group": session.group.code,
        "day": session.day.isoformat(),
        "state": session.state,
        "canceled": session.cancel_reason,
        "modules": list(session.modules),
        "minutes": session.minutes,
        "led_by": [names.get(key, key) for key in session.led_by],
        "revision": session.revision,
        "marks": [
            {
                "participant": one.allocation.participant.number,
                "mark": one.mark,
                "reason": one.reason,
                "guest": one.guest,
            }
            for one in rows.order_by("guest", "allocation__participant__number")
        ],
    }


urlpatterns = [
    path("<uuid:key>/record/", Record.as_view(), name="api_treatment_record"),
    path("sessions/<uuid:key>/correct/", Correct.as_view(), name="api_treatment_correct"),
]
