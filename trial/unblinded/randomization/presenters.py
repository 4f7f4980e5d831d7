"""Tables of the pages around the allocation."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician, TreatmentCoordinator
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Link, State, Table, grouped
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.models import RandomizationRequest
from trial.participants.randomization.presenters import stratum_names
from trial.protocol.definition import Protocol
from trial.unblinded.randomization.actions.sealing import CONTRIBUTORS
from trial.unblinded.randomization.concealment import Imbalance, Runs, Spread
from trial.unblinded.randomization.forms import TREATMENT_REASONS
from trial.unblinded.randomization.models import Allocation, Reveal, WrongTreatment
from trial.unblinded.randomization.queries import (
    Asked,
    Contribution,
    Unfinished,
    contingency_requests,
    long_waiting,
)

WHY = {
    "waiting": gettext_lazy("asked for, no answer yet"),
    "abandoned": gettext_lazy("ready for 14 days, nobody asked"),
    "no_baseline": gettext_lazy("refused: baseline"),
    "no_consent": gettext_lazy("refused: consent"),
    "died": gettext_lazy("refused: death"),
    "locked": gettext_lazy("refused: database locked"),
}
FACTOR_WORDS = {
    "age_band": gettext_lazy("Age"),
    "sex": gettext_lazy("Sex"),
    "site": gettext_lazy("Site"),
    "team": gettext_lazy("Team"),
}


def contribution_table(given: Sequence[Contribution]) -> Table:
    """Who has contributed to the seed, and the receipt of each."""
    names = names_of(one.contributor for one in given)
    columns = [Column(_("Contributor")), Column(_("When")), Column(_("Receipt, SHA-256 of the share"), code=True)]
    rows = [[names.get(one.contributor, one.contributor), one.at, one.receipt] for one in given]
    return Table(
        columns, rows, empty=_("Nobody has contributed yet. Two people do, each with an account of their own.")
    )


def reveal_table(found: Sequence[Reveal]) -> Table:
    """What the allocator found, a sequence a line."""
    columns = [
        Column(_("Sequence"), number=True),
        Column(_("For")),
        Column(_("Algorithm"), code=True),
        Column(_("Allocations"), number=True),
        Column(_("Verified")),
        Column(_("Result")),
    ]
    rows = [
        [
            one.version,
            _("Downtime at %(site)s") % {"site": one.content["site"]} if one.content["site"] else _("The trial"),
            one.content["revealed"]["algorithm"],
            one.allocations,
            one.at,
            State("failed", _("Differs")) if one.differences else State("done", _("Agrees")),
        ]
        for one in found
    ]
    return Table(columns, rows)


def allocation_facts(found: Allocation, protocol: Protocol, strata: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Where one allocation came from."""
    arms = {arm.code: arm.name for arm in protocol.arms}
    is_contingency = found.slot_stratum != found.stratum
    return [
        (_("Arm"), arms.get(found.arm, found.arm)),
        (_("Allocated"), found.allocated_at),
        (_("Number in the order of the trial"), found.number),
        (_("Stratum as randomized"), strata.get(found.stratum, found.stratum)),
        (_("From"), _("the contingency list of the site") if is_contingency else _("the sealed sequence")),
        (_("Version of the sequence"), found.sequence_version),
    ]


def wrong_treatment_table(events: Sequence[WrongTreatment], protocol: Protocol) -> Table:
    """Every event of one allocation; only the last one may stand."""
    arms = {arm.code: arm.name for arm in protocol.arms}
    names = names_of(one.recorded_by for one in events)
    columns = [
        Column(_("Given")),
        Column(_("Since")),
        Column(_("How it came")),
        Column(_("Recorded by")),
        Column(_("State")),
    ]
    rows: list[list[Any]] = []
    for one in events:
        stands = one is events[-1] and not one.void
        state = (
            State("blocked", _("Stands"))
            if stands
            else State("cancelled", _("Taken back") if one.void else _("Superseded"))
        )
        reason = str(TREATMENT_REASONS[WrongTreatment.Reason(one.reason)])
        rows.append(
            [
                arms.get(one.given_arm, one.given_arm),
                one.day,
                reason,
                names.get(one.recorded_by, one.recorded_by),
                state,
            ]
        )
    return Table(columns, rows, empty=_("No wrong treatment is recorded."))


def waiting_table(found: Sequence[RandomizationRequest], *, may_ask: bool) -> Table:
    """Requests that have waited so long that the fallback is open."""
    columns = [Column(_("Participant"), code=True), Column(_("Site")), Column(_("Team")), Column(_("Asked for"))]
    rows: list[list[Any]] = []
    for one in found:
        number = grouped(one.participant.number)
        link = Link(number, reverse("contingency_ask", args=[one.participant.number])) if may_ask else number
        rows.append([link, one.participant.site.name, one.participant.team.name, one.requested_at])
    return Table(columns, rows, empty=_("Requests appear here when the allocator has not answered for 15 minutes."))


def contingency_table(found: Sequence[Asked], protocol: Protocol, *, may_release: bool) -> Table:
    """Contingency slots that were asked for, with the arm once they were let go."""
    arms = {arm.code: arm.name for arm in protocol.arms}
    names = names_of(one.request.asked_by for one in found)
    columns = [
        Column(_("Participant"), code=True), Column(_("Site")), Column(_("Asked for by")), Column(_("Asked")), Column(_("Slot"), number=True),
        Column(_("Arm")), Column(_("State")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in found:
        number, given = grouped(one.participant.number), one.release_or_none
        opens = may_release and given is None and not one.is_written
        link = Link(number, reverse("contingency_release", args=[one.request.pk])) if opens else number
        rows.append([
            link, one.participant.site.name, names.get(one.request.asked_by, one.request.asked_by), one.request.asked_at,
            given.position if given else None, arms.get(given.arm, given.arm) if given else "", _state_of(one),
        ])  # fmt: skip
    return Table(
        columns, rows, empty=_("Slots that somebody asks for appear here. The independent statistician lets them go.")
    )


def _state_of(asked: Asked) -> State:
    if asked.release_or_none is None:
        return (
            State("cancelled", _("The allocator answered"))
            if asked.is_written
            else State("waiting", _("Waits for the second person"))
        )
    return (
        State("done", _("Written by the allocator"))
        if asked.is_written
        else State("open", _("Let go; the allocator will write it"))
    )


def waits_table(found: Mapping[tuple[str, str], Spread], names: Mapping[str, str], protocol: Protocol) -> Table:
    """Days by recruiter and arm."""
    arms = {arm.code: arm.name for arm in protocol.arms}
    days = [
        Column(label, number=True, decimals=0)
        for label in (_("Least"), _("A quarter up to"), _("Median"), _("Three quarters up to"), _("Most"))
    ]
    columns = [Column(_("Recruiter")), Column(_("Arm")), Column(_("People"), number=True), *days]
    rows = [
        [names.get(who, who), arms.get(arm, arm), one.count, one.least, one.lower, one.middle, one.upper, one.most]
        for (who, arm), one in found.items()
    ]
    return Table(columns, rows, empty=_("Numbers appear here when somebody has been randomized."))


def unfinished_table(found: Sequence[Unfinished], names: Mapping[str, str]) -> Table:
    """People who were ready and are not randomized."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Site")),
        Column(_("Recruiter")),
        Column(_("Since")),
        Column(_("Why")),
    ]
    rows = [
        [grouped(one.participant.number), one.participant.site_id, names.get(one.recruiter, one.recruiter), one.since, WHY.get(one.code, one.code)]
        for one in found
    ]  # fmt: skip
    return Table(
        columns,
        rows,
        empty=_("Requests that were refused or wait, and people who are ready and for whom nobody asks, appear here."),
    )


def runs_table(overall: Runs, by_stratum: Mapping[str, Runs], protocol: Protocol) -> Table:
    """Runs over all and within each stratum."""
    names = stratum_names(protocol)
    columns = [
        Column(_("Stratum")), Column(_("People"), number=True), Column(protocol.experimental_arm.name, number=True),
        Column(_("Runs"), number=True), Column(_("Expected"), number=True, decimals=1), Column("p", p=True),
    ]  # fmt: skip
    found = [
        (_("All, in the order of the trial"), overall),
        *((names.get(code, code), one) for code, one in by_stratum.items()),
    ]
    rows = [[label, one.people, one.experimental, one.runs, one.expected, one.p] for label, one in found if one.people]
    note = _("Two-sided; counted out up to 40 people, normal above. Of twenty strata one has p below .05 by chance.")
    return Table(columns, rows, empty=_("Numbers appear here when somebody has been randomized."), note=note)


def imbalance_table(found: Mapping[str, Imbalance | None], names: Mapping[str, str], protocol: Protocol) -> Table:
    """For each recruiter the level on which the arms differ most."""
    columns = [
        Column(_("Recruiter")), Column(_("Factor")), Column(_("Level")), Column(protocol.experimental_arm.name, number=True, decimals=0, unit="%"),
        Column(_("Others"), number=True, decimals=0, unit="%"), Column(_("Standardized difference"), number=True, decimals=2),
    ]  # fmt: skip
    levels = {site.code: site.name for site in protocol.sites} | {team.code: team.name for team in protocol.teams}
    rows: list[list[Any]] = []
    for who, one in found.items():
        shown = [None] * 5 if one is None else [
            str(FACTOR_WORDS.get(one.factor, one.factor)), levels.get(one.level, one.level), 100 * one.experimental, 100 * one.others,
            one.difference if isfinite(one.difference) else None,
        ]  # fmt: skip
        rows.append([names.get(who, who), *shown])
    note = _("No standardized difference where every person of one arm has the level and nobody of the other.")
    return Table(columns, rows, empty=_("Numbers appear here when somebody has been randomized."), note=note)


def work_for(person: Person) -> list[WorkList]:
    """Contingency slots: those to let go, for the second person; requests without an answer, for the site."""
    lists = []
    if person.holds(IndependentStatistician):
        items = [
            WorkItem(
                _("Let a contingency slot go for participant %(number)s") % {"number": grouped(one.participant.number)},
                reverse("contingency_release", args=[one.request.pk]),
                one.participant.site.name,
                "due",
                one.request.asked_at.date(),
            )
            for one in contingency_requests()
            if one.release_or_none is None and not one.is_written
        ]
        lists.append(
            WorkList(
                _("Contingency slots"),
                items,
                _("A slot that a site asks for while the allocator is away appears here."),
            )
        )
    if person.holds(TreatmentCoordinator):
        items = [
            WorkItem(
                _("Ask for a contingency slot for participant %(number)s")
                % {"number": grouped(one.participant.number)},
                reverse("contingency_ask", args=[one.participant.number]),
                _("The allocator has not answered for 15 minutes"),
                "waiting",
                one.requested_at.date(),
            )
            for one in long_waiting()
            if person.holds(TreatmentCoordinator, site=one.site_id)
        ]
        lists.append(WorkList(_("Downtime"), items, _("Requests that the allocator has left waiting appear here.")))
    return lists


def links_of(person: Person) -> list[tuple[str, str]]:
    """The pages about the allocation that this person may open."""
    pages = (
        (_("Sealing and commitments"), "sealing", CONTRIBUTORS),
        (_("Downtime"), "downtime", (TreatmentCoordinator, IndependentStatistician)),
        (_("Concealment"), "concealment", (IndependentStatistician,)),
        (_("Verification"), "verification", (IndependentStatistician,)),
    )
    return [(label, reverse(name)) for label, name, roles in pages if person.holds(*roles)]
