"""Who may do what with hospital records. System actors (import, demo player, sweep) stand for nobody and need no role."""

from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import Abstractor, UnblindedDataManager
from trial.core.errors import Refused
from trial.protocol.definition import RecordsPlan
from trial.protocol.queries import current


def must_abstract(by: db.Actor) -> None:
    """Looking up and signing off are the abstractor's."""
    if isinstance(by, Person):
        by.must_hold(Abstractor)


def must_correct(by: db.Actor) -> None:
    """What stands in the records is put right by the abstractor or the data manager of this side."""
    if isinstance(by, Person):
        by.must_hold(Abstractor, UnblindedDataManager)


def plan_or_refuse() -> RecordsPlan:
    """The records plan of the protocol in force; refused where there is none."""
    plan = current().records
    if plan is None:
        raise Refused("no_records", _("The protocol of this trial looks nothing up in hospital records."))
    return plan
