"""What is analyzed, and what is done in the program and looked up in records."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Covariate:
    """A baseline covariate of the model: one item of an instrument that is filled in at baseline.

    Categorical (choice, yesno) items are coded against the level with value `reference`; numeric items enter as they
    are. `code` is the term's name in results.
    """

    code: str
    instrument: str
    item: str
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """The model that answers the trial's question.

    method lmm: linear mixed model with a random intercept by participant. `baseline` covariate: the score at baseline
    is a covariate and `visits` are follow-up visits; outcome: the baseline visit is one of `visits`. `time` linear:
    months since randomization; categorical: one level a visit. `arm_by_time`: the interaction is in the model.
    `team`: as fixed factor, random intercept, or not at all. `estimation`: the first is reported, others beside it.
    `fidelity_sessions`: who attended so many sessions is compared by the fidelity of the group, outside the randomized comparison; 0: nobody.
    """

    outcome: str
    visits: tuple[str, ...]
    primary_visit: str
    method: Literal["lmm"]
    baseline: Literal["covariate", "outcome"]
    time: Literal["linear", "categorical"]
    arm_by_time: bool
    team: Literal["none", "fixed", "random"]
    estimation: tuple[Literal["ml", "reml"], ...]
    alpha: float
    standardize_by: Literal["baseline", "model_visit"]
    covariates: tuple[Covariate, ...] = ()
    fidelity_sessions: int = 0


@dataclass(frozen=True, slots=True)
class Module:
    """One part of the curriculum."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CompletionRule:
    """Who completed the program: attended at least `share` of the sessions counted by `denominator`."""

    share: float
    denominator: Literal["offered", "planned", "held"]


@dataclass(frozen=True, slots=True)
class SessionsPlan:
    """The program that the arms in `arms` are offered, in groups."""

    arms: tuple[str, ...]
    modules: tuple[Module, ...]
    every_days: int
    minutes: int
    trainers: int
    max_group_size: int
    entry: Literal["rolling", "closed"]
    planned_sessions: int
    completion: CompletionRule


@dataclass(frozen=True, slots=True)
class FidelityItem:
    """One item of a fidelity scale. `optional`: left out of the mean where it does not apply."""

    code: str
    topic: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FidelityBand:
    """A named class of fidelity: scores of `minimum` and more, up to the next band."""

    code: str
    name: str
    minimum: float


@dataclass(frozen=True, slots=True)
class FidelityScale:
    """A fidelity scale, scored for a group by `raters` persons and then by consensus: the mean of its items."""

    code: str
    name: str
    min: int
    max: int
    raters: int
    items: tuple[FidelityItem, ...]
    bands: tuple[FidelityBand, ...]


@dataclass(frozen=True, slots=True)
class RecordsPlan:
    """Which days are looked up in records: `before_days` up to `before_visit`, `after_days` from `after_visit` on."""

    before_visit: str
    before_days: int
    after_visit: str
    after_days: int
