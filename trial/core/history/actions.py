"""Sealing a history, and lawful redaction by two people."""

from django.db import IntegrityError
from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access.person import Person
from trial.core.access.signing import prove
from trial.core.actions import action
from trial.core.errors import Conflict, Refused
from trial.core.history.sides import here, redaction_model
from trial.core.models import HistoryBase, RedactionBase


@action
def seal_history(*, by: db.Actor) -> int:
    """Seal what the history of this side has gained since the last seal. Returns how many batches; twice is once.

    The database does it by itself, and takes no word of ours on what is sealed.
    """
    with db.cursor() as c:
        c.execute("select equipoise_seal_history()")
        made: int = c.fetchone()[0]
    return made


@action
def ask_redaction(*, line: HistoryBase, field: str, reason_code: str, by: Person) -> RedactionBase:
    """Ask to have a typed text removed from a record and its history: the investigator; behind the wall the independent statistician.

    Asked twice is asked once. Refused of fields that hold codes, numbers or dates: a wrong one is corrected.
    """
    by.must_hold(here().asks)
    model = redaction_model()
    if field not in here().fields(line):
        raise Refused("not_typed", _("Only what somebody typed in words is redacted. A wrong answer is corrected."))
    known = model._default_manager.filter(history_row=line.pk, field=field, state=model.State.ASKED).first()
    if known is not None:
        return known
    last = model._default_manager.order_by("-number").values_list("number", flat=True).first()
    asked = model(
        number=(last or 0) + 1,
        history_row=line.pk,
        table_name=line.table_name,
        row_id=line.row_id,
        field=field,
        site=line.site,
        reason=reason_code,
        asked_by=by.actor_id,
    )
    try:
        with db.atomic():
            asked.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("asked_meanwhile", _("Somebody else asked at the same moment. Send it again.")) from error
    return asked


@action
def decide_redaction(*, redaction: RedactionBase, carry_out: bool, password: str, by: Person) -> RedactionBase:
    """Have the text removed for good, or leave it: the investigator, another person, with the password; behind the wall the independent
    statistician. The same decision twice is once.

    Refused when it was decided otherwise meanwhile, and where nothing is left to redact. The database carries it out by itself.
    """
    by.must_hold(here().decides)
    wanted = RedactionBase.State.DONE if carry_out else RedactionBase.State.REFUSED
    if redaction.state == wanted:
        return redaction
    if redaction.state != RedactionBase.State.ASKED:
        raise Conflict("decided", _("This was decided otherwise meanwhile. Nothing was changed."))
    if redaction.asked_by == by.actor_id:
        raise Refused("same_person", str(here().other_person))
    prove(person=by, password=password)
    try:
        with db.atomic(), db.cursor() as c:
            c.execute("select equipoise_decide_redaction(%s, %s)", [redaction.pk, carry_out])
    except IntegrityError as error:
        raise Refused("cannot_redact", _why(error)) from error
    redaction.refresh_from_db()
    return redaction


def _why(error: IntegrityError) -> str:
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint == "redaction_unsealed":
        return _("This line of the history is being sealed. Try again in a moment.")
    if constraint == "redaction_nothing":
        return _("Nothing is left to redact: the text does not stand there any more.")
    return _("This cannot be redacted. Nothing was changed.")
