"""Who may take part, consent by parts, coded reasons, and who is blind."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CriterionKind = Literal["inclusion", "exclusion"]

# Roles of the trial and whether they are blind unless the protocol says otherwise.
DEFAULT_BLINDNESS: Mapping[str, bool] = {
    "coordinator": True,
    "interviewer": True,
    "datamanager": True,
    "monitor": True,
    "statistician": True,
    "investigator": True,
    "sponsor": True,
    "rater": False,
    "treatment": False,
    "therapist": False,
    "fidelity": False,
    "abstractor": False,
    "datamanager_unblinded": False,
    "independent": False,
    "dmc": False,
    "chair": False,
    "monitor_unblinded": False,
}
# Only these may differ from the default: the others would end the blind, or cannot do their work blind.
SETTABLE_BLINDNESS = frozenset({"coordinator", "investigator", "rater"})


@dataclass(frozen=True, slots=True)
class Criterion:
    """An eligibility criterion. Eligible: every inclusion criterion holds and no exclusion criterion does."""

    code: str
    text: str
    kind: CriterionKind


@dataclass(frozen=True, slots=True)
class Reason:
    """A coded reason to choose from."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The lists of coded reasons: open tables never take free text that may reveal an arm."""

    exclusion: tuple[Reason, ...]
    decline: tuple[Reason, ...]
    missed_visit: tuple[Reason, ...]
    missing_item: tuple[Reason, ...]
    withdrawal: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentPart:
    """Something a person consents to, or withdraws from, by itself. Without the `required` parts nobody takes part."""

    code: str
    name: str
    text: str
    required: bool


@dataclass(frozen=True, slots=True)
class ConsentVersion:
    """A version of the consent form and the parts it asks for. The last in the protocol is the one to use now."""

    code: str
    name: str
    parts: tuple[str, ...]
    approved_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RoleBlindness:
    """Whether a role is blind in this trial."""

    role: str
    blind: bool
