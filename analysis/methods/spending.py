"""Alpha-spending functions: how much of the type-I error may be used up by a share t of the information.

Each is 0 at t = 0, rises, and is alpha from t = 1 on (alpha is that of one side):

- ``obf``, like O'Brien-Fleming: 2 - 2 Phi(z_(1-alpha/2) / sqrt(t)). Lan and DeMets (1983), Biometrika 70:659-663.
- ``pocock``, like Pocock: alpha log(1 + (e - 1) t). The same.
- ``hsd:G``: alpha (1 - exp(-G t)) / (1 - exp(-G)), linear for G = 0. Hwang, Shih and DeCani (1990), Stat Med 9:1439-1445.
- ``kd:R``, the power family: alpha t^R. Kim and DeMets (1987), Biometrika 74:149-154.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from .problems import Refused, error

Family = Literal["obf", "pocock", "hsd", "kd"]
FORMS = ("obf", "pocock", "hsd:G", "kd:R")
WIDEST = 40.0
"""Parameters beyond this spend all at once, or nothing before the end, to within rounding."""


@dataclass(frozen=True)
class Spending:
    """One function of a family; `parameter` is G or R, None for the families that have none."""

    family: Family
    parameter: float | None = None

    def __post_init__(self) -> None:
        """Refused: a parameter where there is none, or none where there must be one; |G| > 40; R outside (0, 40]."""
        value = self.parameter
        if self.family in ("obf", "pocock"):
            allowed = value is None
        elif self.family == "hsd":
            allowed = value is not None and abs(value) <= WIDEST
        else:
            allowed = value is not None and 0 < value <= WIDEST
        if not allowed:
            got = self.family if value is None else f"{self.family}:{value:g}"
            raise Refused([error("spending_parameter", got=got, widest=WIDEST)])

    def __call__(self, fraction: float, alpha: float) -> float:
        """Cumulative alpha at an information fraction (0 or more; above 1 counts as 1)."""
        if fraction >= 1:
            return alpha
        if fraction <= 0:
            return 0.0
        if self.family == "obf":
            return float(2 * stats.norm.sf(stats.norm.isf(alpha / 2) / math.sqrt(fraction)))
        if self.family == "pocock":
            return alpha * math.log1p((math.e - 1) * fraction)
        if self.family == "kd":
            return float(alpha * fraction ** (self.parameter or 1.0))
        gamma = self.parameter or 0.0
        return alpha * (math.expm1(-gamma * fraction) / math.expm1(-gamma) if gamma else fraction)

    def __str__(self) -> str:
        return self.family if self.parameter is None else f"{self.family}:{self.parameter:g}"


def read_spending(text: str) -> Spending:
    """``obf``, ``pocock``, ``hsd:-4``, ``kd:3`` as a function. Refused: anything else."""
    family, _colon, number = text.strip().lower().partition(":")
    if family not in ("obf", "pocock", "hsd", "kd"):
        raise Refused([error("spending_unknown", got=text, allowed=FORMS)])
    if not number:
        return Spending(family)  # type: ignore[arg-type]
    try:
        return Spending(family, float(number))  # type: ignore[arg-type]
    except ValueError:
        raise Refused([error("spending_parameter", got=text, widest=WIDEST)]) from None
