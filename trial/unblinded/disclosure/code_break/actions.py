"""The emergency code-break: the arm of one participant, shown once, to whoever may break codes."""

from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import Investigator
from trial.core.access.signing import prove, signed
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.ids import is_participant_number
from trial.participants.queries import participant_numbered
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.models import CodeBreak, CodeBreakReason
from trial.unblinded.randomization.models import Allocation


@action
def break_code(*, number: str, password: str, by: Person) -> CodeBreak:
    """Break the code of one participant: a row, and a line of the ledger. Each time anew; nothing on the open side.

    Refuses a wrong password, a number that nobody has, and somebody who was not randomized; the last two stand in the ledger, too.
    """
    by.must_hold(Investigator)
    proof = prove(person=by, password=password)
    plain = "".join(number.split())
    allocation = Allocation.objects.select_related("participant").filter(participant__number=plain).first()
    if allocation is None:
        _note_refusal(plain, by)
        if participant_numbered(plain) is None:
            raise Refused("unknown_number", _("No participant has this number. Check it; no arm was shown."))
        raise Refused("not_randomized", _("This participant has not been randomized: there is no arm to show."))
    done = CodeBreak(allocation=allocation, site=allocation.site, broken_by=by.actor_id)
    done.signature = signed(proof, meaning="code-break", content={"code_break": str(done.pk), "participant": plain})
    done.save(force_insert=True)
    note(what="code broken", subject=plain, by=by)
    return done


@action
def explain_break(*, number: str, words: str, by: Person) -> CodeBreakReason:
    """Add a reason to this person's latest code-break of this participant. Whoever wrote it cannot read it again.

    Refused where this person has broken no such code.
    """
    by.must_hold(Investigator)
    plain = "".join(number.split())
    mine = CodeBreak.objects.filter(allocation__participant__number=plain, broken_by=by.actor_id)
    found = mine.order_by("-at", "id").first()
    if found is None:
        raise Refused("no_break", _("You have broken no code of a participant with this number. Check it."))
    reason = CodeBreakReason(code_break=found, site=found.site, words=words.strip(), given_by=by.actor_id)
    reason.save(force_insert=True)
    note(what="reason of a code-break given", subject=plain, by=by)
    return reason


def _note_refusal(number: str, by: Person) -> None:
    """Write into the ledger, when the refusal is over, which number was tried; of what is no study number, nothing but that."""
    subject = number if is_participant_number(number) else ""

    def write() -> None:
        with db.unit_of_work(by=by):
            note(what="code-break refused", subject=subject, by=by)

    db.after_end(write)
