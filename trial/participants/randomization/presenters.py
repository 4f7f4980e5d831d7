"""How commitments and errors of randomization are shown, on either side."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Link, State, Table, grouped
from trial.participants.models import Participant
from trial.participants.randomization.forms import KINDS, REASONS
from trial.participants.randomization.models import Commitment, RandomizationError
from trial.participants.randomization.queries import open_errors
from trial.protocol.definition import Protocol
from trial.protocol.models import Site

KIND_WORDS = {str(kind): words for kind, words in KINDS.items()}
REASON_WORDS = {str(reason): words for reason, words in REASONS.items()}
HISTORY_WORDS = {
    **{f"kind:{kind}": words for kind, words in KIND_WORDS.items()},
    **{f"reason:{reason}": words for reason, words in REASON_WORDS.items()},
    "record_error": gettext_lazy("Error recorded"),
    "void_error": gettext_lazy("Error taken back"),
    "kind": gettext_lazy("error"),
    "day": gettext_lazy("found on"),
    "reason": gettext_lazy("how it came"),
    "void": gettext_lazy("taken back"),
    "number": gettext_lazy("event"),
}


def commitment_lines(found: Sequence[Commitment]) -> list[dict[str, Any]]:
    """The commitments, each with what it is for. No table: a digest must never be cut off, on paper least of all."""
    sites = dict(Site.objects.values_list("code", "name"))
    return [
        {
            "version": one.version,
            "what": _("Downtime at %(site)s") % {"site": sites.get(one.for_site, one.for_site)} if one.for_site else _("The trial"),
            "at": one.at,
            "sha256": one.sha256,
        }
        for one in found
    ]  # fmt: skip


def stratum_names(protocol: Protocol) -> dict[str, str]:
    """Strata by code, with the name of the team or site that they are."""
    names = {site.code: site.name for site in protocol.sites} | {team.code: team.name for team in protocol.teams}
    return {code: names.get(code, code) for code in protocol.strata}


def error_table(
    participant: Participant, rows: Iterable[RandomizationError], protocol: Protocol, *, may_void: bool = False
) -> Table:
    """The errors of one participant, those that were taken back too."""
    listed = list(rows)
    standing = {row.pk for row in open_errors(listed).values()}
    names, strata = names_of(row.recorded_by for row in listed), stratum_names(protocol)
    columns = [
        Column(_("Error")),
        Column(_("Should have been")),
        Column(_("Found on")),
        Column(_("How it came")),
        Column(_("Recorded by")),
        Column(_("State")),
    ]
    shown: list[list[Any]] = []
    for row in listed:
        stands = row.pk in standing
        words = str(KIND_WORDS[row.kind])
        back = reverse("randomization_error_void", args=[participant.number, row.kind])
        shown.append([
            Link(_("%(error)s: take back") % {"error": words}, back) if stands and may_void else words,
            strata.get(row.corrected_stratum, row.corrected_stratum) or grouped(row.other_number),
            row.day, str(REASON_WORDS[row.reason]), names.get(row.recorded_by, row.recorded_by),
            State("blocked", _("Stands")) if stands else State("cancelled", _("Taken back") if row.void else _("Superseded")),
        ])  # fmt: skip
    return Table(
        columns, shown, empty=_("Nothing went wrong when this participant was randomized, as far as is known.")
    )


def errors_in_words(kinds: Iterable[str]) -> str:
    """Kinds of error in a line."""
    return "; ".join(str(KIND_WORDS[kind]) for kind in kinds)
