"""The analysis table from the open side: one row per randomized participant and visit, every scale a column, no arm."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from analysis.plans.definition import Plan
from analysis.plans.variables import items_of
from assessments.entry.models import AmendedAnswer, Answer, Form, Score
from assessments.entry.queries import scores_in_force
from trial.core.classified import class_of
from trial.core.disclosure import above_safe
from trial.core.errors import Refused
from trial.participants.models import Participant
from trial.participants.randomization.queries import open_flags
from trial.protocol.definition import Protocol, Visit

KEYS = {
    "participant": "participants_participant.number",
    "site": "participants_participant.site_id",
    "team": "participants_participant.team_id",
    "stratum": "participants_participant.stratum",
    "visit": "protocol_protocolversion.document",
    "months": "protocol_protocolversion.document",
}
"""The columns of every snapshot, each with the field it is read from."""
ERRORS = "randomization_errors"
"""Kinds of error of randomization that stand and that the open side knows, with + between them; empty for almost everybody."""


@dataclass(frozen=True)
class Extract:
    """CSV as bytes, with what each column means."""

    content: bytes
    dictionary: list[dict[str, Any]]
    participants: int
    rows: int


def extract(protocol: Protocol, plan: Plan | None = None) -> Extract:
    """Read everything in a fixed order and write it in a fixed form: equal data give equal bytes. As amended. Six queries.

    ``plan``: the one in force, which may divide by what no model needs.
    """
    people = list(Participant.objects.filter(randomized_at__isnull=False).order_by("number"))
    scores = _scores()
    items = items_read(protocol, plan)
    answers, flags = _answers(protocol, items), open_flags()
    scales = _scales(protocol)
    header = columns_of(protocol, plan)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    first = protocol.baseline.code
    for person in people:
        for visit in protocol.visits:
            here = [_text(scores.get((person.pk, visit.code, code))) for code in scales]
            at_baseline = [_text(scores.get((person.pk, first, code))) for code in scales]
            given = [answers.get((person.pk, column), "") for column in items]
            keys = [person.number, person.site_id, person.team_id, person.stratum, visit.code, months_of(visit)]
            writer.writerow([*keys, *here, *at_baseline, *given, "+".join(flags.get(person.pk, []))])
    return Extract(
        out.getvalue().encode(), _dictionary(protocol, header, items), len(people), len(people) * len(protocol.visits)
    )


def _scales(protocol: Protocol) -> list[str]:
    return [scale.code for instrument in protocol.instruments for scale in instrument.scales]


def items_read(protocol: Protocol, plan: Plan | None) -> dict[str, tuple[str, str]]:
    """Columns that are answers at baseline, each with its instrument and item: covariates of the model, then what the plan divides by."""
    covariates = {c.code: (c.instrument, c.item) for c in protocol.analysis.covariates}
    taken = {*KEYS, ERRORS, *_scales(protocol)}
    return covariates | {name: item for name, item in items_of(protocol, plan).items() if name not in taken}


def columns_of(protocol: Protocol, plan: Plan | None = None) -> list[str]:
    """The columns in their order. Refused: one whose values are not safe, as their field or their item is classified."""
    scales = _scales(protocol)
    sources = KEYS | dict.fromkeys((*scales, *(f"{code}_baseline" for code in scales)), "entry_score.value")
    columns = {name: class_of(field) for name, field in sources.items()}
    read = items_read(protocol, plan)
    columns |= {name: protocol.instrument(where).item(item).discloses for name, (where, item) in read.items()}
    columns |= {ERRORS: class_of("participants_randomizationerror.kind")}
    refused = above_safe(columns)
    if refused:
        raise Refused(
            "discloses",
            _(
                "These columns may not go into a snapshot: %(columns)s. Take them out of analysis.toml and load the protocol again."
            )
            % {"columns": ", ".join(refused)},
        )
    return list(columns)


def months_of(visit: Visit) -> str:
    """The nominal months since randomization, 0 at baseline; a visit planned in days counts 30.4375 days a month."""
    if visit.is_baseline:
        return "0"
    return str(visit.offset) if visit.unit == "months" else f"{visit.offset / 30.4375:.4f}"


def _scores() -> dict[tuple[Any, str, str], Decimal | None]:
    signed = Score.objects.filter(form__state=Form.State.SIGNED)
    rows = scores_in_force(signed).values_list("form__participant_id", "form__visit", "scale", "value")
    return {(person, visit, scale): value for person, visit, scale, value in rows}


def _answers(protocol: Protocol, items: Mapping[str, tuple[str, str]]) -> dict[tuple[Any, str], str]:
    wanted: dict[tuple[str, str], list[str]] = {}
    for column, source in items.items():
        wanted.setdefault(source, []).append(column)
    if not wanted:
        return {}
    signed = Answer.objects.filter(
        form__state=Form.State.SIGNED,
        form__visit=protocol.baseline.code,
        item__in=[item for _instrument, item in wanted],
    ).values_list("form__participant_id", "form__instrument", "item", "value")
    amended = AmendedAnswer.objects.filter(
        amendment__form__visit=protocol.baseline.code, item__in=[item for _instrument, item in wanted]
    ).order_by("amendment__number")
    of = "amendment__form__"
    rows = [*signed, *amended.values_list(f"{of}participant_id", f"{of}instrument", "item", "value")]
    return {
        (person, column): value
        for person, instrument, item, value in rows
        for column in wanted.get((instrument, item), ())
    }


def _text(value: Decimal | None) -> str:
    return "" if value is None else format(value.normalize(), "f")


def _dictionary(protocol: Protocol, header: list[str], items: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    names = {scale.code: scale for instrument in protocol.instruments for scale in instrument.scales}
    raters = {scale.code: instrument for instrument in protocol.instruments for scale in instrument.scales}
    entries: list[dict[str, Any]] = []
    for column in header:
        code = column.removesuffix("_baseline")
        if code in names:
            entries.append(
                {
                    "column": column, "name": names[code].name, "at": "baseline" if column != code else "visit",
                    "min": names[code].min, "max": names[code].max, "direction": names[code].direction,
                    "rater": raters[code].rater, "rater_blind": raters[code].rater_blind,
                }
            )  # fmt: skip
        elif column in items:
            entries.append({"column": column, "name": column, "from": ".".join(items[column])})
        else:
            entries.append({"column": column, "name": column})
    return entries
