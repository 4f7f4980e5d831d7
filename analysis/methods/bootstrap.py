"""The bootstrap of the planned contrast: what would be estimated of other people like these?

Whole people are drawn with replacement, within each arm as many as it has, with all their visits; the planned model is fitted to each sample. The
interval lies between percentiles of the estimates: of R ordered ones those at the places (R + 1) a / 2 and (R + 1) (1 - a / 2). It asks for no
normal errors and no covariance that is the same for all, and it is not corrected for bias. Efron and Tibshirani (1993), An Introduction to the
Bootstrap, sections 8.3 (several samples) and 13.3 (percentiles).

Samples are drawn and fitted in `blocks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .blocks import Part, joined, part_of
from .columns import Columns, build_columns
from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Long, read_long
from .mixed import independent_columns
from .nestedrefit import begin, has_intercepts
from .patterns import UNTOLD
from .problems import Refused, error
from .repeated import find
from .stackedpeople import Refits

Who = npt.NDArray[np.intp]
Estimates = Callable[[Sequence[Who]], Array]
"""The contrast in each sample, given as its people (n,), some of them several times; not-a-number where the search ends nowhere."""

REPLICATES = 1_999
"""So many samples: the ends of an interval of 95 % are then the 50th and the 1,950th estimate."""
FAILED = 0.05
"""No interval where more of the samples than this cannot be fitted."""


@dataclass(frozen=True)
class Resampling:
    """The people who are analyzed by their `arms` (n,), coded, and the estimates of samples of them."""

    arms: npt.NDArray[np.intp]
    estimates: Estimates

    @property
    def observed(self) -> float:
        """The estimate of the people as they are."""
        return self.estimate(np.arange(len(self.arms)))

    def estimate(self, who: Who) -> float:
        """The estimate of one sample."""
        return float(self.estimates([who])[0])


@dataclass(frozen=True)
class Bootstrap:
    """The estimate, the standard deviation of those of the samples, and the interval between percentiles; `failed` samples have no estimate."""

    estimate: float
    se: float
    lower: float
    upper: float
    confidence: float
    replicates: int
    failed: int
    estimates: tuple[float, ...]


def resampling_of(table: pd.DataFrame, spec: FitSpec, visit: str, experimental: str) -> Resampling:
    """The contrast of `experimental` with the reference at `visit` in the model of `spec` (mmrm, clda or lmm). Raises Refused."""
    data = read_long(table, spec)
    if data.arm is None or visit not in data.visit.levels or experimental not in data.arm.levels[1:]:
        raise Refused([error("bootstrap_no_contrast")])
    arms = np.zeros(data.subjects, dtype=np.intp)
    arms[data.subject] = data.arm.codes
    at = data.visit.levels.index(visit), data.arm.levels.index(experimental) - 1
    return Resampling(arms, (_mixed if spec.model == "lmm" else _repeated)(data, spec, *at))


def _contrast(columns: Columns, visit: int, arm: int) -> Array:
    """On all coefficients (p,): the arm's own column at this visit."""
    found: Array = columns.B[visit, columns.arms[arm]]
    return found


def sample(arms: npt.NDArray[np.intp], seed: str, index: int) -> Who:
    """The people of sample `index`: within each arm as many as it has, with replacement."""
    key = hashlib.sha256(f"bootstrap|{seed}|{index}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(key, "big"))
    groups = [np.flatnonzero(arms == arm) for arm in np.unique(arms)]
    return np.concatenate([generator.choice(group, size=len(group)) for group in groups])


def resample(
    found: Resampling, *, seed: str, start: int, stop: int, tell: Callable[[int], None] = lambda done: None
) -> Part:
    """The samples from `start` to before `stop`. `tell` hears how many are done."""

    def values_of(numbers: range) -> Array:
        return found.estimates([sample(found.arms, seed, index) for index in numbers])

    return part_of(values_of, seed=seed, start=start, stop=stop, tell=tell)


def combine(
    parts: Iterable[Part], observed: float, *, replicates: int = REPLICATES, confidence: float = 0.95
) -> Bootstrap:
    """The interval from parts in any order. Refused: parts that do not hold each sample once, of several seeds, too many that failed."""
    every = joined(parts, replicates, torn="bootstrap_parts", mixed="bootstrap_parts")
    known = every[np.isfinite(every)]
    failed = len(every) - len(known)
    if failed > FAILED * len(every) or len(known) < 2:
        raise Refused([error("bootstrap_failed", failed=failed, replicates=replicates)])
    outside = (1 - confidence) / 2
    lower, upper = np.quantile(known, [outside, 1 - outside], method="weibull")
    return Bootstrap(
        estimate=observed,
        se=float(known.std(ddof=1)),
        lower=float(lower),
        upper=float(upper),
        confidence=confidence,
        replicates=replicates,
        failed=failed,
        estimates=tuple(map(float, known)),
    )


def _repeated(data: Long, spec: FitSpec, visit: int, arm: int) -> Estimates:
    """Covariances from the fit to everybody are where each search starts; the structure is the one that converged there."""
    found = find(data, spec)
    contrast = _contrast(found.columns, visit, arm)
    if not contrast.any() or not found.patterns.tells(contrast):
        raise Refused([error("bootstrap_no_contrast")])
    refits = Refits(found, contrast, spec.method == "reml")

    def of(samples: Sequence[Who]) -> Array:
        return refits.together(np.array([np.bincount(who, minlength=data.subjects) for who in samples]))

    return of


def _mixed(data: Long, spec: FitSpec, visit: int, arm: int) -> Estimates:
    """Random intercepts of the subject, and of its unit where there is one: a person who is drawn twice is two people of one unit."""
    if not has_intercepts(data, spec):
        raise Refused([error("bootstrap_no_contrast")])
    columns = build_columns(data, spec, by_row=True)
    contrast = _contrast(columns, visit, arm)
    X = np.asarray(np.einsum("nm,nmp->np", columns.C, columns.B[data.visit.codes], optimize=True))
    begun = begin(data, spec, X, columns.names)
    rows_of = [np.flatnonzero(data.subject == one) for one in range(data.subjects)]

    def one(who: Who) -> float:
        rows = np.concatenate([rows_of[person] for person in who])
        people = np.repeat(np.arange(len(who)), [len(rows_of[person]) for person in who])
        _codes, places = np.unique(begun.units[rows], return_inverse=True)
        drawn, null = independent_columns(X[rows])
        if np.abs(contrast @ null).max(initial=0.0) > UNTOLD:
            return float("nan")
        state = begun.again(begun.y[rows], X[rows][:, drawn], people, places)
        return float("nan") if state is None else float(begun.scale * contrast[drawn] @ state.beta)

    return lambda samples: np.array([one(who) for who in samples])
