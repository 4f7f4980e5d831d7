"""Who asks, who answers, who settles, and who reads the words of a query."""

import re

from django.utils.translation import gettext as _

from assessments.cleaning.models import DataQuery
from assessments.entry.queries import definition_of
from assessments.visits.rules import may_close, may_enter
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import BY_CODE, Coordinator, DataManager, Monitor
from trial.core.errors import NotAllowed, Refused
from trial.protocol.definition import Protocol

ASKERS = (DataManager, Monitor)


def must_ask(by: db.Actor) -> None:
    """Refuse whoever is neither data manager nor monitor."""
    if isinstance(by, Person):
        by.must_hold(*ASKERS)


def may_answer(person: Person, query: DataQuery) -> bool:
    """Whoever fills in the form, and the coordinator of the site; about a visit whoever records what became of it."""
    if query.form is None:
        return may_close(person, query.participant)
    if person.holds(Coordinator, site=query.site_id):
        return True
    return may_correct(person, query)


def may_correct(person: Person, query: DataQuery) -> bool:
    """Whether this person could amend the form that the query is about."""
    if query.form is None:
        return False
    return may_enter(person, query.participant, definition_of(query.form)[1])


def must_answer(by: db.Actor, query: DataQuery) -> None:
    """Refuse whoever does not answer this query."""
    if isinstance(by, Person) and not may_answer(by, query):
        raise NotAllowed(
            "not_addressed", _("This query is answered by whoever filled in the form, or the coordinator.")
        )


def may_settle(person: Person, query: DataQuery) -> bool:
    """Close and reopen: whoever holds the role in which the query was raised; people leave, roles stay."""
    return person.holds(BY_CODE[query.raised_as])


def must_settle(by: db.Actor, query: DataQuery) -> None:
    """Refuse whoever does not stand in the raiser's role."""
    if isinstance(by, Person) and not may_settle(by, query):
        title = BY_CODE[query.raised_as].title
        raise NotAllowed(
            "not_raiser", _("This needs the role in which the query was raised: %(role)s.") % {"role": title}
        )


def may_read_words(person: Person, protocol: Protocol) -> bool:
    """Words are written by blinded people for blinded people."""
    return any(protocol.is_blind(code) for code, _site in person.roles)


def refuse_arms(text: str, protocol: Protocol) -> None:
    """Refuse words that name an arm: what is typed here is read by the blind."""
    names = {word for arm in protocol.arms for word in (arm.code, arm.name)}
    found = [name for name in sorted(names) if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]
    if found:
        raise Refused(
            "names_arm",
            _("This text names an arm (%(words)s). Leave it out: the query names participant and form by itself.")
            % {"words": ", ".join(found)},
        )
