"""What a statistical analysis plan says. Pure: frozen dataclasses, a document of plain values, and its SHA-256.

The words are those of the addendum on estimands (ICH E9(R1)): population, treatments, variable, intercurrent events with a strategy each,
and the summary that compares.
"""

from dataclasses import dataclass
from typing import Any, Literal

from trial.protocol import document

Strategy = Literal["treatment_policy", "hypothetical", "composite", "while_on_treatment", "principal_stratum"]
Method = Literal["clda", "mmrm", "lmm"]
Covariance = Literal["us", "toeph", "adh", "csh", "cs"]
Freedom = Literal["satterthwaite", "kenward_roger", "between_within"]
TeamRule = Literal["fixed_or_random", "fixed", "random", "none"]
Multiplicity = Literal["none", "holm", "fixed_sequence", "max_t"]
Spending = Literal["obf", "pocock", "hsd", "kd"]
Timing = Literal["information", "calendar"]
Kind = Literal[
    "random_intercepts",
    "as_randomized_correctly",
    "jump_to_reference",
    "copy_increments",
    "copy_reference",
    "retrieved_dropout",
    "tipping_point",
    "rerandomization",
    "bootstrap",
    "partially_nested",
    "complier_effect",
]


@dataclass(frozen=True, slots=True)
class IntercurrentEvent:
    """What may happen after randomization and bears on the meaning of the outcome, and what is done about it.

    ``visit_rule`` says from which visit on it counts, in words; models that impute are keyed to it.
    """

    code: str
    name: str
    strategy: Strategy
    visit_rule: str


@dataclass(frozen=True, slots=True)
class Estimand:
    """What is estimated: the difference between the arms in `outcome` at `visit`, in `population`, whatever the events' strategies say."""

    population: str
    treatments: str
    outcome: str
    visit: str
    summary: str
    events: tuple[IntercurrentEvent, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """The primary model, for every outcome that is measured at more than one visit.

    ``baseline_by_visit``: in mmrm the baseline has a slope at each visit, or one for all. ``fallback``: covariance structures in their
    order, used only where the one before does not converge or has no definite Hessian.
    ``team``: ``fixed_or_random`` takes teams as a fixed factor if each has at least five analyzed and both arms, else as random intercept.
    """

    method: Method
    visits: tuple[str, ...]
    covariance: Covariance
    fallback: tuple[Covariance, ...]
    df: Freedom
    team: TeamRule
    estimation: Literal["reml", "ml"]
    why: str
    baseline_by_visit: bool = True


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Codes of the protocol's scales by what is claimed of them. Secondary ones in the order of a fixed sequence, where there is one."""

    secondary: tuple[str, ...]
    exploratory: tuple[str, ...]
    multiplicity: Multiplicity


@dataclass(frozen=True, slots=True)
class Look:
    """One planned comparative look. ``at``: the share of the information, or months since the first participant."""

    code: str
    at: float


@dataclass(frozen=True, slots=True)
class Looks:
    """Interim looks for efficacy: when, and how alpha is spent. ``futility``: conditional power under the design below which the
    committee may advise to stop, never binding; 0 where none is planned.
    """

    timing: Timing
    spending: Spending
    parameter: float | None
    delta: float
    power: float
    inflation: float
    futility: float
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """An analysis that asks how much the answer rests on an assumption, and which one."""

    code: str
    kind: Kind
    assumption: str


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Whether the primary contrast differs between groups that were there before randomization.

    ``by``: what divides, as ``variables.known_at_baseline`` names it. ``cut``: where a number is divided; up to it is the first level. What
    has levels of its own takes none.
    """

    code: str
    name: str
    by: str
    why: str
    cut: Literal["median"] | float | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """One topic as it was planned and as it was published, side by side, with the source of both."""

    topic: str
    planned: str
    published: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one trial. ``alpha`` is two-sided where ``sides`` is 2. ``unplanned_price``: what an unplanned look costs, two-sided.

    ``change``: why this plan takes the place of an earlier one.
    """

    title: str
    protocol_sha256: str
    estimand: Estimand
    model: Model
    outcomes: Outcomes
    alpha: float
    sides: int
    unplanned_price: float
    looks: Looks | None
    sensitivity: tuple[Sensitivity, ...]
    published: tuple[Published, ...]
    change: str = ""
    subgroups: tuple[Subgroup, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Every field as plain values, for keeping and hashing. A plan without subgroups says nothing of them, as plans did before there were any."""
        found: dict[str, Any] = document.dump(self)
        if not self.subgroups:
            del found["subgroups"]
        return found

    @classmethod
    def from_document(cls, data: Any) -> "Plan":
        """The plan that was kept. Raises ProtocolError where the values do not fit."""
        return document.read(cls, data)

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the whole document."""
        return document.sha256(self.to_document())

    @property
    def looks_sha256(self) -> str:
        """SHA-256 (hex) of what the independent statistician countersigns: alpha, sides, looks, and the price of unplanned ones."""
        whole = self.to_document()
        return document.sha256({name: whole[name] for name in ("alpha", "sides", "unplanned_price", "looks")})
