"""SPEC.toml of the command ``fit``: which data, which model, which columns. Frozen, and refused with the nearest key or word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .problems import Problem, Refused, error
from .spec import level_text
from .structures import CHAIN, NAMES

MODELS = ("mmrm", "clda", "lmm", "negative_binomial", "logistic", "ancova", "mann_whitney", "cace")
DF = ("satterthwaite", "kenward_roger", "between_within", "residual")
METHODS = ("reml", "ml")
VARIANCES = ("model", "cr0", "cr2")
WEIGHTS = ("equal", "proportional")
_WORDS = {"model": MODELS, "df": DF, "method": METHODS, "variance": VARIANCES, "weights": WEIGHTS,
          "visit_as": ("category", "number")}  # fmt: skip
_TEXTS = (
    "data",
    "outcome",
    "subject",
    "visit",
    "arm",
    "baseline",
    "slope",
    "exposure",
    "received",
    "cluster",
    "subgroup",
)
_LISTS = ("covariates", "categorical", "random", "visits")
_OTHERS = ("reference", "covariance", "covariance_by_arm", "confidence", "nested_in_arm", "residual_by_arm")
_REPEATED = ("mmrm", "clda")
_ONLY = {
    "baseline": tuple(model for model in MODELS if model != "clda"),
    "slope": ("lmm",),
    "random": ("lmm", "negative_binomial"),
    "exposure": ("negative_binomial",),
    "received": ("cace",),
    "subgroup": (*_REPEATED, "lmm"),
    "nested_in_arm": ("lmm", "cace"),
    "residual_by_arm": ("lmm",),
    "visit_as": ("mmrm", "lmm"),
    "variance": _REPEATED,
    "cluster": _REPEATED,
    "weights": (*_REPEATED, "lmm", "ancova"),
    "covariance_by_arm": _REPEATED,
}  # keys of some models only: in others they are left aside, with a warning
KEYS = (*_TEXTS, *_WORDS, *_LISTS, *_OTHERS)


@dataclass(frozen=True)
class FitSpec:
    """What to fit. Columns are names of `data`; None where the model goes without. `covariance` is the chain, tried in this order.

    `cluster`: patients of one unit are one cluster of the robust variance; who is in none (empty, or 0) is a cluster alone. `weights` of
    the levels of a factor in the LS means: equal, or in proportion to the analyzed rows (as emmeans).
    `subgroup`: a categorical column, one fact of the subject, that multiplies arm, visit, and arm x visit: the difference between the arms in each
    of its levels, and the test of the interaction.
    `unused`: keys that were given and have no meaning for the model.
    """

    data: str
    model: str
    outcome: str
    subject: str | None = None
    visit: str | None = None
    visits: tuple[str, ...] = ()
    visit_as: str = "category"
    arm: str | None = None
    reference: str | None = None
    baseline: str | None = None
    covariates: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    covariance: tuple[str, ...] = CHAIN
    covariance_by_arm: bool = False
    variance: str | None = None
    cluster: str | None = None
    weights: str = "equal"
    df: str = "satterthwaite"
    method: str = "reml"
    random: tuple[str, ...] = ()
    slope: str | None = None
    exposure: str | None = None
    received: str | None = None
    subgroup: str | None = None
    nested_in_arm: Mapping[str, str] = field(default_factory=dict)
    residual_by_arm: bool = True
    confidence: float = 0.95
    unused: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Every column that is named, by the key that names it."""
        found = {key: getattr(self, key) for key in _TEXTS[1:] if getattr(self, key)}
        found |= {f"covariates[{n}]": column for n, column in enumerate(self.covariates)}
        found |= {f"categorical[{n}]": column for n, column in enumerate(self.categorical)}
        found |= {f"random[{n}]": column for n, column in enumerate(self.random)}
        return found | ({"nested_in_arm.unit": self.nested_in_arm["unit"]} if self.nested_in_arm else {})


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed word that is most like the given one; the empty text if none is like it."""
    by_lower = {one.lower(): one for one in allowed}
    found = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[found[0]] if found else ""


def unknown(code: str, word: str, allowed: Iterable[str], **more: str) -> Problem:
    """A word that is none of the allowed, with the one that was probably meant."""
    words = tuple(allowed)
    meant = nearest(word, words)
    if meant:
        return error(f"{code}_meant", got=word, meant=meant, allowed=words, **more)
    return error(code, got=word, allowed=words, **more)


def read_fit_spec(given: Mapping[str, Any]) -> FitSpec:
    """A specification from plain data. Raises Refused, the first problem first."""
    for key in given:
        if key not in KEYS:
            raise Refused([unknown("fit_key", str(key), KEYS)])
    values: dict[str, Any] = {}
    for key, value in given.items():
        values[key] = _value(key, value)
    for key in ("data", "model", "outcome"):
        if not values.get(key):
            raise Refused([error("fit_key_missing", key=key)])
    unused = tuple(key for key in values if values["model"] not in _ONLY.get(key, MODELS))
    values = {key: value for key, value in values.items() if key not in unused}
    if values["model"] == "lmm" and values.get("subject"):
        values.setdefault("random", (values["subject"],))
    spec = FitSpec(**values, unused=unused)
    _refuse_nonsense(spec)
    return spec


def _value(key: str, value: Any) -> Any:
    """One value, in the type of its field."""
    if key in _WORDS:
        return _one_of(key, value, _WORDS[key])
    if key in _LISTS:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or any(
            isinstance(v, bool) or not isinstance(v, str | int | float) for v in texts
        ):
            raise Refused([error("fit_list", key=key)])
        found = tuple(level_text(v) for v in texts)
        if len(set(found)) < len(found):
            raise Refused([error("fit_twice", key=key)])
        return found
    if key == "covariance":
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise Refused([error("fit_list", key=key)])
        chain = tuple(_one_of(key, name, NAMES) for name in names)
        return CHAIN if chain == ("us",) else chain
    if key in ("covariance_by_arm", "residual_by_arm"):
        if not isinstance(value, bool):
            raise Refused([error("fit_yes_no", key=key, got=str(value))])
        return value
    if key == "confidence":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value < 1:
            raise Refused([error("spec_confidence", place=key, got=str(value))])
        return float(value)
    if key == "nested_in_arm":
        if not isinstance(value, Mapping) or set(value) != {"arm", "unit"}:
            raise Refused([error("fit_nested", key=key)])
        return {name: level_text(one) for name, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not level_text(value):
        raise Refused([error("fit_text", key=key, got=str(value))])
    return level_text(value)


def _one_of(key: str, value: Any, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise Refused([error("fit_word", key=key, got=str(value), allowed=allowed)])
    word = value.strip().lower().replace("-", "_")
    if word not in allowed:
        raise Refused([unknown("fit_word", value, allowed, key=key)])
    return word


def _refuse_nonsense(spec: FitSpec) -> None:
    """Keys that the model needs, and keys that contradict each other."""
    needed = {"mmrm": ("subject", "visit"), "clda": ("subject", "visit", "arm"), "lmm": ("random",),
              "ancova": ("arm",), "mann_whitney": ("arm",), "logistic": ("arm",), "cace": ("arm", "received")}  # fmt: skip
    for key in needed.get(spec.model, ()):
        if not getattr(spec, key):
            raise Refused([error("fit_needed", key=key, model=spec.model)])
    if spec.reference is not None and not spec.arm:
        raise Refused([error("fit_needs_other", key="reference", other="arm")])
    if spec.subgroup and not spec.arm:
        raise Refused([error("fit_needs_other", key="subgroup", other="arm")])
    if spec.visits and not spec.visit:
        raise Refused([error("fit_needs_other", key="visits", other="visit")])
    if spec.covariance_by_arm and not spec.arm:
        raise Refused([error("fit_needs_other", key="covariance_by_arm", other="arm")])
    for column in spec.categorical:
        if column not in spec.covariates:
            raise Refused([unknown("fit_categorical", column, spec.covariates)])
    roles = [spec.outcome, spec.subject, spec.visit, spec.arm, spec.baseline, spec.subgroup, *spec.covariates]
    named = [column for column in roles if column]
    for column in named:
        if named.count(column) > 1:
            raise Refused([error("spec_column_twice", column=column)])
