"""Reading data queries, each with its state. Row policies keep other sites' rows away."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.lookups import Exact, In

from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.rules import ASKERS
from assessments.cleaning.states import OVER, State
from assessments.entry.queries import OWN
from assessments.visits.queries import assigned_participants
from trial.core.access import Person
from trial.core.access.roles import ClinicianRater, Coordinator, Interviewer, Role
from trial.core.models import ANY_SITE


def with_state(found: QuerySet[DataQuery] | None = None) -> QuerySet[DataQuery]:
    """Queries with ``state``, ``last_at`` of their last event and ``last_code`` of their last answer; the oldest first."""
    last = QueryEvent.objects.filter(query=OuterRef("pk")).order_by("-number")
    said = last.exclude(code="")
    base = DataQuery.objects.all() if found is None else found
    return (
        base.select_related("participant", "form", "form__protocol_version", "form__participant")
        .defer("form__protocol_version__document")
        .annotate(
            last_what=Subquery(last.values("what")[:1]),
            last_code=Subquery(said.values("code")[:1]),
            last_at=Subquery(last.values("at")[:1]),
        )
        .annotate(
            state=Case(
                When(Q(last_what=None) | Q(last_what="reopened"), then=Value(State.OPEN.value)),
                default=F("last_what"),
                output_field=CharField(),
            )
        )
        .order_by("raised_at", "id")
    )


def visible_to(person: Person) -> QuerySet[DataQuery]:
    """The queries that this person raises, answers or watches."""
    if person.holds(*ASKERS):
        return with_state()
    mine = Q(pk__in=[])
    if person.holds(Coordinator):
        mine |= _at(person, Coordinator)
    if person.holds(Interviewer):
        about = Q(form=None) | Q(form__rater__in=OWN)
        mine |= Q(participant__in=assigned_participants(person).values("pk").order_by()) & about
    if person.holds(ClinicianRater):
        mine |= _at(person, ClinicianRater) & Q(form__rater="clinician")
    return with_state(DataQuery.objects.filter(mine))


def _at(person: Person, role: type[Role]) -> Q:
    sites = {site for code, site in person.roles if code == role.code}
    return Q() if ANY_SITE in sites else Q(site__in=sorted(sites))


def unsettled() -> QuerySet[DataQuery]:
    """The queries that stand between the trial and its lock."""
    return with_state().exclude(In(F("state"), list(OVER)))


def in_state(found: QuerySet[DataQuery], state: State) -> QuerySet[DataQuery]:
    """Those of ``found``, read with their state, that are in this one."""
    return found.filter(Exact(F("state"), Value(state.value)))


@dataclass(frozen=True)
class Standing:
    """Where a query stands: its state, the code of the last answer or acceptance, the time of the last event; None before there is one."""

    state: State
    code: str | None
    at: dt.datetime | None


def standing(query: DataQuery) -> Standing:
    """Of a query that was read with its state."""
    read = vars(query)
    return Standing(State(read["state"]), read["last_code"], read["last_at"])


def events_of(query: DataQuery) -> list[QueryEvent]:
    """What became of a query, in order."""
    return list(query.events.select_related("amendment").order_by("number"))


def last_event(query: DataQuery) -> QueryEvent | None:
    """The last event; None for a query that was only raised."""
    return query.events.order_by("-number").first()


def of_forms(keys: Iterable[uuid.UUID]) -> QuerySet[DataQuery]:
    """The queries about these forms."""
    return with_state(DataQuery.objects.filter(form__in=list(keys)))
