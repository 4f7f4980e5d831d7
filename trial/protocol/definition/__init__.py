"""The trial as data: frozen, pure, complete. Nothing in here can hold a block size, a seed or an allocation list.

Codes are stable names (a letter, then letters, digits, underscores); everything stored about a participant refers to
codes, never to names. `trial.protocol.loader` reads and validates; objects made by hand are not validated.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast
from typing import Protocol as TypingProtocol

from trial.protocol import document
from trial.protocol.definition.conduct import (
    DEFAULT_BLINDNESS,
    SETTABLE_BLINDNESS,
    ConsentPart,
    ConsentVersion,
    Criterion,
    CriterionKind,
    Reason,
    Reasons,
    RoleBlindness,
)
from trial.protocol.definition.design import Arm, Registration, Site, Strata, Team, Unit, Visit
from trial.protocol.definition.instruments import (
    YES_NO,
    Anchor,
    Bounds,
    Check,
    Direction,
    Instrument,
    Item,
    ItemKind,
    Method,
    MissingRule,
    Number,
    Rater,
    Scale,
    ScaleRole,
    Strength,
)
from trial.protocol.definition.plan import (
    Analysis,
    CompletionRule,
    Covariate,
    FidelityBand,
    FidelityItem,
    FidelityScale,
    Module,
    RecordsPlan,
    SessionsPlan,
)

__all__ = [
    "DEFAULT_BLINDNESS",
    "SETTABLE_BLINDNESS",
    "SINGLE_STRATUM",
    "YES_NO",
    "Analysis",
    "Anchor",
    "Arm",
    "Bounds",
    "Check",
    "CompletionRule",
    "ConsentPart",
    "ConsentVersion",
    "Covariate",
    "Criterion",
    "CriterionKind",
    "Direction",
    "FidelityBand",
    "FidelityItem",
    "FidelityScale",
    "Instrument",
    "Item",
    "ItemKind",
    "Method",
    "MissingRule",
    "Module",
    "Number",
    "Protocol",
    "Rater",
    "Reason",
    "Reasons",
    "RecordsPlan",
    "Registration",
    "RoleBlindness",
    "Scale",
    "ScaleRole",
    "SessionsPlan",
    "Site",
    "Strata",
    "Strength",
    "Team",
    "Unit",
    "Visit",
]

SINGLE_STRATUM = "all"


class _Coded(TypingProtocol):
    @property
    def code(self) -> str: ...


Coded = TypeVar("Coded", bound=_Coded)


@dataclass(frozen=True)
class Protocol:
    """The whole definition of one trial. Equal definitions have equal documents and equal `sha256`.

    `notice` is printed on every page of a world that is not a running trial (synthetic people, constructed dates).
    `anchor_date`: the day from which an import of published data without dates counts its nominal days.
    """

    short_name: str
    title: str
    registrations: tuple[Registration, ...]
    target_sample_size: int
    arms: tuple[Arm, ...]
    strata_rule: Strata
    sites: tuple[Site, ...]
    teams: tuple[Team, ...]
    visits: tuple[Visit, ...]
    instruments: tuple[Instrument, ...]
    criteria: tuple[Criterion, ...]
    reasons: Reasons
    consent_parts: tuple[ConsentPart, ...]
    consent_versions: tuple[ConsentVersion, ...]
    analysis: Analysis
    blindness: tuple[RoleBlindness, ...] = ()
    notice: str = ""
    anchor_date: dt.date | None = None
    sessions: SessionsPlan | None = None
    fidelity: tuple[FidelityScale, ...] = ()
    records: RecordsPlan | None = None

    def arm(self, code: str) -> Arm:
        """The arm with this code; KeyError if there is none."""
        return _one(self.arms, code)

    def site(self, code: str) -> Site:
        """The site with this code; KeyError if there is none."""
        return _one(self.sites, code)

    def team(self, code: str) -> Team:
        """The team with this code; KeyError if there is none."""
        return _one(self.teams, code)

    def visit(self, code: str) -> Visit:
        """The visit with this code; KeyError if there is none."""
        return _one(self.visits, code)

    def instrument(self, code: str) -> Instrument:
        """The instrument with this code; KeyError if there is none."""
        return _one(self.instruments, code)

    def scale(self, code: str) -> Scale:
        """The scale with this code (scales have codes of their own in the whole trial); KeyError if there is none."""
        return _one(tuple(s for i in self.instruments for s in i.scales), code)

    def instrument_of(self, scale: str) -> Instrument:
        """The instrument that this scale is scored from; KeyError if there is no such scale."""
        for instrument in self.instruments:
            if any(s.code == scale for s in instrument.scales):
                return instrument
        raise KeyError(scale)

    def instruments_at(self, visit: str) -> tuple[Instrument, ...]:
        """The instruments of a visit, in the protocol's order."""
        return tuple(i for i in self.instruments if visit in i.visits)

    def teams_of(self, site: str) -> tuple[Team, ...]:
        """The teams of a site."""
        return tuple(t for t in self.teams if t.site == site)

    @cached_property
    def baseline(self) -> Visit:
        """The one baseline visit."""
        return next(v for v in self.visits if v.is_baseline)

    @cached_property
    def follow_ups(self) -> tuple[Visit, ...]:
        """The visits after randomization, in their order."""
        return tuple(v for v in self.visits if not v.is_baseline)

    @cached_property
    def primary_scale(self) -> Scale:
        """The one primary outcome."""
        return next(s for i in self.instruments for s in i.scales if s.is_primary)

    @cached_property
    def experimental_arm(self) -> Arm:
        """The one arm towards which effects are signed."""
        return next(a for a in self.arms if a.experimental)

    @cached_property
    def control_arm(self) -> Arm:
        """The first arm that is not experimental: the reference of the model."""
        return next(a for a in self.arms if not a.experimental)

    @cached_property
    def strata(self) -> tuple[str, ...]:
        """Codes of all strata: teams, sites, or the single one."""
        if self.strata_rule == "none":
            return (SINGLE_STRATUM,)
        return tuple(s.code for s in (self.teams if self.strata_rule == "team" else self.sites))

    def stratum_of(self, team: str) -> str:
        """The stratum of people of this team; KeyError if there is no such team."""
        found = self.team(team)
        return {"team": found.code, "site": found.site, "none": SINGLE_STRATUM}[self.strata_rule]

    def is_blind(self, role: str) -> bool:
        """Whether this role is blind in this trial; KeyError for a role that is not of the trial."""
        return {**DEFAULT_BLINDNESS, **{b.role: b.blind for b in self.blindness}}[role]

    @property
    def consent_version(self) -> ConsentVersion:
        """The version of the consent form to use now."""
        return self.consent_versions[-1]

    def to_document(self) -> dict[str, Any]:
        """This protocol as plain JSON values; `from_document` gives back an equal protocol."""
        return cast(dict[str, Any], document.dump(self))

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> "Protocol":
        """The protocol of a document. ProtocolError if it does not have the shape that `to_document` writes."""
        return document.read(cls, data)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the document."""
        return document.sha256(self.to_document())


def _one(things: tuple[Coded, ...], code: str) -> Coded:
    for thing in things:
        if thing.code == code:
            return thing
    raise KeyError(code)
