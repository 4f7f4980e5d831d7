"""A whole form in one go, for imports and played worlds: what opening, saving and signing write, with one insert a table."""

import datetime as dt
from collections.abc import Mapping

from django.utils.translation import gettext as _

from assessments.entry import queries
from assessments.entry.actions.filling import asked_at, must_be_randomized, must_not_be_missed, new_form
from assessments.entry.actions.signing import (
    MEANING,
    check_day,
    complete_baseline,
    content_of,
    must_be_complete,
    must_go_together,
    signature,
    store_scores,
)
from assessments.entry.models import Answer, Form
from assessments.entry.wanted import NOTHING, wanted_answers
from assessments.instruments.checks import failed
from assessments.instruments.scoring import score_form
from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.signing import content_sha256
from trial.core.actions import action
from trial.core.errors import NotAllowed, Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Participant
from trial.protocol.queries import protocol_of, version


@action
def record_form(
    *,
    participant: Participant,
    visit: str,
    instrument: str,
    answers: Mapping[str, str],
    held_on: dt.date,
    by: db.Actor,
    missing: Mapping[str, str] | None = None,
) -> Form:
    """A complete form, opened, saved and signed at once. For parts of the system; a person is refused.

    The rows are those of the three steps, and so is every refusal; a form that exists already is refused too.
    """
    if isinstance(by, Person):
        raise NotAllowed("system_only", _("Only an import records a form in one go. Fill it in and sign it."))
    refuse_if_locked()
    in_force = version()
    protocol = protocol_of(in_force)
    asked = asked_at(protocol, visit, instrument)
    must_be_randomized(protocol, participant, visit)
    if queries.exists(participant.pk, visit, instrument):
        raise Refused("form_exists", _("This form exists already: nothing was recorded."))
    must_not_be_missed(participant, visit, asked)
    form = new_form(participant, visit, asked, in_force, by)
    check_day(protocol, form, held_on)
    wanted = {
        code: new for code, new in wanted_answers(protocol, asked, answers, missing or {}).items() if new != NOTHING
    }
    rows = {
        code: Answer(
            form=form, site_id=form.site_id, item=code, value=new.text, number=new.number, missing=new.missing, revision=1
        )
        for code, new in wanted.items()
    }  # fmt: skip
    must_be_complete(asked, rows)
    numbers = queries.numbers(rows)
    must_go_together(failed(asked, numbers), by)
    if rows:
        form.revision, form.saved_at, form.saved_by = 1, clock.now(), by.actor_id
    form.save(force_insert=True)
    Answer.objects.bulk_create(rows.values())
    form.held_on = held_on
    content = content_of(form, protocol, rows)
    form.content_sha256, form.signature = content_sha256(content), signature(None, by, MEANING, content)
    form.state, form.signed_at, form.signed_by = Form.State.SIGNED, clock.now(), by.actor_id
    form.save(update_fields=["state", "held_on", "signed_at", "signed_by", "content_sha256", "signature"])
    store_scores(form, score_form(asked, numbers))
    complete_baseline(participant, visit, by, protocol)
    return form
