"""What pages show of forms, answers, scores and variables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessments.entry.forms import AMENDMENT_REASONS
from assessments.entry.models import Amendment, Answer, Form, Score
from assessments.entry.wanted import Held
from assessments.instruments.codebook import Variable
from trial.core.history.queries import Change as Recorded
from trial.core.history.queries import history_of, names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped, shown
from trial.protocol.definition import Instrument, Item, Protocol

RATERS = {
    "participant": gettext_lazy("participant"),
    "interviewer": gettext_lazy("interviewer"),
    "clinician": gettext_lazy("clinician"),
    "record": gettext_lazy("records"),
}
REASONS = {
    "too_few_answers": gettext_lazy("too few answers"),
    "nothing_present": gettext_lazy("no symptom is present"),
}


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


def record_facts(form: Form, amendments: Sequence[Amendment]) -> list[tuple[str, Any]]:
    """Whose form it is, when and by whom it was filled in, signed and amended, and the hash of what was signed."""
    names = names_of([form.opened_by, form.signed_by, *(one.amended_by for one in amendments)])
    last = amendments[-1] if amendments else None
    facts: list[tuple[str, Any]] = [
        (_("Site"), form.site.name),
        (_("Rated by"), rater_words(form.rater, form.rater_blind)),
        (_("Opened"), form.opened_at),
        (_("Opened by"), names.get(form.opened_by, form.opened_by)),
        (_("Held"), last.held_on if last else form.held_on),
    ]
    if form.is_signed and form.signature:
        facts += [
            (_("Signed"), form.signed_at),
            (_("Signed by"), names.get(form.signed_by, form.signed_by)),
            (_("Meaning"), form.signature["meaning"]),
            (_("SHA-256 of what was signed"), form.content_sha256),
        ]
    if last:
        facts += [
            (_("Version in force"), _("amendment %(n)d") % {"n": last.number}),
            (_("Amended"), last.amended_at),
            (_("Amended by"), names.get(last.amended_by, last.amended_by)),
            (_("SHA-256 of the amended form"), last.content_sha256),
        ]
    facts.append((_("Protocol version"), form.protocol_version.number))
    return facts


def answer_table(
    form: Form,
    protocol: Protocol,
    instrument: Instrument,
    answers: Mapping[str, Held],
    amendments: Sequence[Amendment],
    *,
    may_ask: bool,
) -> Table:
    """Each item as it is now, or the reason why there is no answer; what it was before; and, while one may, where to ask about it."""
    reasons = {reason.code: reason.text for reason in protocol.reasons.missing_item}
    now = {**answers, **{one.item: one for amendment in amendments for one in amendment.answers.all()}}
    columns = [
        Column(_("Item"), code=True), Column(_("Topic")), Column(_("Answer")), Column(_("Missing because")),
        *([Column(_("Before"))] if amendments else []), *([Column(_("Query"))] if may_ask else []),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for item in instrument.items:
        answer = now.get(item.code)
        without = reasons.get(answer.missing, answer.missing) if answer and answer.missing else None
        ask = Link(
            _("Ask about %(item)s") % {"item": item.code}, f"{reverse('ask_form', args=[form.pk])}?item={item.code}"
        )
        before = [_earlier(item, answers, amendments, reasons)] if amendments else []
        rows.append([item.code, item.topic, answer_words(item, answer), without, *before, *([ask] if may_ask else [])])
    return Table(columns, rows, caption=_("Answers"))


def _earlier(
    item: Item, answers: Mapping[str, Held], amendments: Sequence[Amendment], reasons: Mapping[str, str]
) -> str | None:
    """What the item held in earlier versions, the first one first; nothing where it was never amended."""
    held: list[Held | None] = [answers.get(item.code)]
    held += [one for amendment in amendments for one in amendment.answers.all() if one.item == item.code]
    said = [
        (answer_words(item, one) or reasons.get(one.missing, one.missing) or "–") if one else "–" for one in held[:-1]
    ]
    return ", ".join(said) or None


def amendment_table(amendments: Sequence[Amendment]) -> Table:
    """Who amended the form, when and why."""
    names = names_of(one.amended_by for one in amendments)
    words = dict(AMENDMENT_REASONS)
    columns = [
        Column(_("Amendment"), number=True, decimals=0), Column(_("Amended")), Column(_("By")), Column(_("Reason")),
        Column(_("Items"), code=True), Column(_("SHA-256"), code=True),
    ]  # fmt: skip
    rows: list[list[Any]] = [
        [
            one.number,
            one.amended_at,
            names.get(one.amended_by, one.amended_by),
            words.get(one.reason, one.reason),
            ", ".join(sorted(answer.item for answer in one.answers.all())) or None,
            f"{one.content_sha256[:16]} …",
        ]
        for one in amendments
    ]
    return Table(columns, rows, caption=_("Amendments"), empty=_("The form is in force as it was signed."))


def answer_words(item: Item, answer: Held | None) -> str | None:
    """The answer as stored, with the label of its level and its unit."""
    if answer is None or answer.value == "":
        return None
    labels = {str(value): label for value, label in item.levels} or {str(a.value): a.label for a in item.anchors}
    label = labels.get(answer.value)
    if label:
        return f"{answer.value} ({label})"
    return f"{answer.value} {item.unit}".strip()


def score_table(instrument: Instrument, scores: Iterable[Score]) -> Table:
    """Each scale with its value in force, or why there is none; what it was before; with rater and blindness."""
    by_scale: dict[str, list[Score]] = {}
    for score in sorted(scores, key=lambda one: one.version):
        by_scale.setdefault(score.scale, []).append(score)
    amended = any(len(versions) > 1 for versions in by_scale.values())
    columns = [
        Column(_("Scale")), Column(_("Score"), number=True, decimals=2), Column(_("Not computable because")),
        *([Column(_("Before"))] if amended else []),
        Column(_("Items answered")), Column(_("Range")), Column(_("Rated by")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for scale in instrument.scales:
        if scale.code not in by_scale:
            continue
        *earlier, score = by_scale[scale.code]
        before = ", ".join(shown(one.value, columns[1]) for one in earlier)
        rows.append(
            [
                scale.name,
                score.value,
                REASONS.get(score.reason, score.reason) if score.reason else None,
                *([before] if amended else []),
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
    scores: Iterable[Score],
    amendments: Sequence[Amendment],
) -> list[Change]:
    """Who changed what in this form: a line for each answer, confirmation, score, signature and amendment."""
    amended = {str(one.pk): (one, amendment) for amendment in amendments for one in amendment.answers.all()}
    keys: list[tuple[str, Any]] = [("entry_form", form.pk), *(("entry_answer", one.pk) for one in answers.values())]
    keys += [("entry_confirmation", one.pk) for one in form.confirmations.all()]
    keys += [("entry_amendedanswer", key) for key in amended]
    keys += [("entry_amendment", one.pk) for one in amendments]
    found = history_of(*keys, *(("entry_score", one.pk) for one in scores), limit=2000)
    items = {str(answer.pk): code for code, answer in answers.items()}
    items |= {key: one.item for key, (one, _amendment) in amended.items()}
    before: dict[str, Held] = {}
    held: dict[str, Held] = {**answers}
    for key, (one, _amendment) in amended.items():
        if one.item in held:
            before[key] = held[one.item]
        held[one.item] = one
    lines = [_line(one, form, protocol, instrument, items, before) for one in found]
    return [line for line in lines if line is not None]


def _line(
    one: Recorded,
    form: Form,
    protocol: Protocol,
    instrument: Instrument,
    items: Mapping[str, str],
    before: Mapping[str, Held],
) -> Change | None:
    """One change in words; None for one that says nothing that another line does not say.

    ``before``: of an amended answer what the item held in the version before.
    """
    reasons = {reason.code: reason.text for reason in protocol.reasons.missing_item}
    old: Mapping[str, Any] = {name: was for name, was, _after in one.fields}
    new = {name: after for name, _before, after in one.fields}
    digest = f"{new.get('content_sha256', '')[:16]} …"
    match one.table:
        case "entry_answer" | "entry_amendedanswer":
            topic = instrument.item(items[one.row]).topic if one.row in items else ""
            what = _("Amended: %(topic)s") % {"topic": topic} if one.table == "entry_amendedanswer" else topic
            if one.row in before:
                old = vars(before[one.row])
            return Change(one.at, one.who, what, _said(old, reasons), _said(new, reasons), one.reason)
        case "entry_score":
            names = {scale.code: scale.name for scale in instrument.scales}
            value = new.get("value") if new.get("value") is not None else REASONS.get(new.get("reason", ""), "")
            what = _("Score: %(scale)s") % {"scale": names.get(new.get("scale", ""), "")}
            return Change(one.at, one.who, what, "", value, one.reason)
        case "entry_confirmation":
            texts = {check.code: check.text for check in instrument.checks}
            return Change(one.at, one.who, _("Confirmed"), "", texts.get(new.get("check_code", ""), ""), one.reason)
        case "entry_amendment":
            why = str(dict(AMENDMENT_REASONS).get(new.get("reason", ""), ""))
            return Change(one.at, one.who, _("Amendment %(n)s signed") % {"n": new.get("number", "")}, "", digest, why)
    if new.get("state") == Form.State.SIGNED:
        return Change(one.at, one.who, _("Form signed"), "", digest, one.reason)
    return Change(one.at, one.who, _("Form opened"), "", "", one.reason) if "instrument" in new else None


def _said(fields: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    missing = fields.get("missing") or ""
    return str(fields.get("value") or (reasons.get(missing, missing) if missing else ""))
