"""What pages show of forms, answers, scores and variables."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessments.entry.models import Answer, Form, Score
from assessments.instruments.codebook import Variable
from trial.core.history.queries import history_of, names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped
from trial.protocol.definition import Instrument, Item, Protocol

RATERS = {
    "participant": gettext_lazy("participant"),
    "interviewer": gettext_lazy("interviewer"),
    "clinician": gettext_lazy("clinician"),
    "record": gettext_lazy("records"),
}
REASONS = {"too_few_answers": gettext_lazy("too few answers")}


def rater_words(rater: str, is_blind: bool) -> str:
    """Who rated, and whether that person is blind: it stands with every score."""
    who = RATERS.get(rater, rater)
    return _("%(rater)s, blind") % {"rater": who} if is_blind else _("%(rater)s, not blind") % {"rater": who}


def state_of(form: Form) -> State:
    """Draft or signed."""
    return State("done", _("Signed")) if form.is_signed else State("waiting", _("Draft"))


def record_table(
    forms: Iterable[Form], protocol: Protocol, *, csv_url: str = "", position: Page | None = None
) -> Table:
    """Forms by participant and visit."""
    visits = {visit.code: visit.name for visit in protocol.visits}
    names = {one.code: one.name for one in protocol.instruments}
    columns = [
        Column(_("Participant"), code=True), Column(_("Visit")), Column(_("Form")), Column(_("State")),
        Column(_("Held")), Column(_("Signed")), Column(_("Revision"), number=True, decimals=0),
    ]  # fmt: skip
    rows: list[list[Any]] = [
        [
            Link(grouped(one.participant.number), reverse("record", args=[one.pk])),
            visits.get(one.visit, one.visit),
            names.get(one.instrument, one.instrument),
            state_of(one),
            one.held_on,
            one.signed_at,
            one.revision,
        ]
        for one in forms
    ]
    empty = _("Forms appear here as soon as their first answer is saved.")
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position)


def record_facts(form: Form) -> list[tuple[str, Any]]:
    """Whose form it is, when and by whom it was filled in and signed, and the hash of what was signed."""
    names = names_of([form.opened_by, form.signed_by])
    facts: list[tuple[str, Any]] = [
        (_("Site"), form.site.name),
        (_("Rated by"), rater_words(form.rater, form.rater_blind)),
        (_("Opened"), form.opened_at),
        (_("Opened by"), names.get(form.opened_by, form.opened_by)),
        (_("Held"), form.held_on),
    ]
    if form.is_signed:
        facts += [
            (_("Signed"), form.signed_at),
            (_("Signed by"), names.get(form.signed_by, form.signed_by)),
            (_("SHA-256 of what was signed"), form.content_sha256),
        ]
    facts.append((_("Protocol version"), form.protocol_version.number))
    return facts


def answer_table(form: Form, protocol: Protocol, instrument: Instrument, answers: Mapping[str, Answer]) -> Table:
    """Each item with its answer, or the reason why there is none."""
    reasons = {reason.code: reason.text for reason in protocol.reasons.missing_item}
    columns = [Column(_("Item"), code=True), Column(_("Topic")), Column(_("Answer")), Column(_("Missing because"))]
    rows: list[list[Any]] = []
    for item in instrument.items:
        answer = answers.get(item.code)
        without = reasons.get(answer.missing, answer.missing) if answer and answer.missing else None
        rows.append([item.code, item.topic, answer_words(item, answer), without])
    return Table(columns, rows, caption=_("Answers"))


def answer_words(item: Item, answer: Answer | None) -> str | None:
    """The answer as stored, with the label of its level and its unit."""
    if answer is None or answer.value == "":
        return None
    labels = {str(value): label for value, label in item.levels} or {str(a.value): a.label for a in item.anchors}
    label = labels.get(answer.value)
    if label:
        return f"{answer.value} ({label})"
    return f"{answer.value} {item.unit}".strip()


def score_table(instrument: Instrument, scores: Mapping[str, Score]) -> Table:
    """Each scale with its value, or why there is none; with rater and blindness."""
    columns = [
        Column(_("Scale")), Column(_("Score"), number=True, decimals=2), Column(_("Not computable because")),
        Column(_("Items answered")), Column(_("Range")), Column(_("Rated by")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for scale in instrument.scales:
        score = scores.get(scale.code)
        if score is None:
            continue
        rows.append(
            [
                scale.name,
                score.value,
                REASONS.get(score.reason, score.reason) if score.reason else None,
                _("%(n)d of %(all)d") % {"n": score.answered, "all": score.items},
                _("%(low)s to %(high)s") % {"low": f"{scale.min:g}", "high": f"{scale.max:g}"},
                rater_words(score.rater, score.rater_blind),
            ]
        )
    return Table(columns, rows, caption=_("Scores"), empty=_("Scores are computed when the form is signed."))


def codebook_table(variables: Iterable[Variable], *, csv_url: str = "") -> Table:
    """The variables of the forms."""
    columns = [
        Column(_("Variable"), code=True), Column(_("Form")), Column(_("Meaning")), Column(_("Type")), Column(_("Range")),
        Column(_("Unit")), Column(_("Values")), Column(_("Score from")), Column(_("Rated by")), Column(_("Visits")),
    ]  # fmt: skip
    rows: list[list[Any]] = [
        [
            one.name,
            one.instrument,
            one.label,
            one.type,
            f"{one.min:g} – {one.max:g}" if one.min is not None and one.max is not None else None,
            one.unit or None,
            "; ".join(f"{value} = {label}" for value, label in one.levels) or None,
            one.formula or None,
            rater_words(one.rater, one.rater_blind),
            " ".join(one.visits),
        ]
        for one in variables
    ]
    return Table(columns, rows, csv_url=csv_url)


def record_history(
    form: Form,
    protocol: Protocol,
    instrument: Instrument,
    answers: Mapping[str, Answer],
    scores: Mapping[str, Score],
) -> list[Change]:
    """Who changed what in this form: a line for opening, for each change of an answer, for the signature, for each score."""
    keys: list[tuple[str, Any]] = [("entry_form", form.pk), *(("entry_answer", one.pk) for one in answers.values())]
    found = history_of(*keys, *(("entry_score", one.pk) for one in scores.values()), limit=2000)
    topics = {str(answer.pk): instrument.item(code).topic for code, answer in answers.items()}
    scales = {scale.code: scale.name for scale in instrument.scales}
    reasons = {reason.code: reason.text for reason in protocol.reasons.missing_item}
    shown = []
    for one in found:
        old = {name: before for name, before, _after in one.fields}
        new = {name: after for name, _before, after in one.fields}
        if one.table == "entry_answer":
            before, after = _said(old, reasons), _said(new, reasons)
            shown.append(Change(one.at, one.who, topics.get(one.row, ""), before, after, one.reason))
        elif one.table == "entry_score":
            value = new.get("value") if new.get("value") is not None else REASONS.get(new.get("reason", ""), "")
            what = _("Score: %(scale)s") % {"scale": scales.get(new.get("scale", ""), "")}
            shown.append(Change(one.at, one.who, what, "", value, one.reason))
        elif new.get("state") == Form.State.SIGNED:
            shown.append(
                Change(one.at, one.who, _("Form signed"), "", f"{new.get('content_sha256', '')[:16]} …", one.reason)
            )
        elif "instrument" in new:
            shown.append(Change(one.at, one.who, _("Form opened"), "", "", one.reason))
    return shown


def _said(fields: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    missing = fields.get("missing") or ""
    return str(fields.get("value") or (reasons.get(missing, missing) if missing else ""))
