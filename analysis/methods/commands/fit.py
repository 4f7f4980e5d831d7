"""``fit SPEC.toml [--out FILE]``: one model from one file, as JSON.

The file names the data (CSV, long format, NA or empty is missing) and the model; docs/statistics.md has its keys. Exit status 0, or 2
with one sentence.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from analysis.methods.canonical import Unwritable, digest, plain
from analysis.methods.commands.answers import answer, unusable
from analysis.methods.design import read_table
from analysis.methods.environment import code_hash, environment
from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.fitting import Fitted, fit_model
from analysis.methods.marginal import Marginal
from analysis.methods.problems import Problem
from analysis.methods.results import Estimate, Moderation
from analysis.methods.words import in_words

NAME, HELP = "fit", "MMRM, cLDA and other models of a trial from a specification"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("spec", type=Path, help="TOML: data, model, outcome, subject, visit, arm, ...")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there")


def run(given: argparse.Namespace) -> int:
    """Fit and print."""
    return answer(lambda: fit_file(given.spec), given.out)


def fit_file(path: Path) -> dict[str, Any]:
    """The answer to a specification in a file. Raises Refused."""
    text = _read(path)
    try:
        spec = read_fit_spec(tomllib.loads(text.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise unusable("fit_not_toml", file=path.name, message=str(failure)) from failure
    data = _read(path.parent / spec.data)
    try:
        with np.errstate(all="ignore"):
            fitted = fit_model(read_table(data), spec)
        found = plain(as_answer(fitted, spec))
    except (np.linalg.LinAlgError, ArithmeticError, Unwritable) as failure:
        raise unusable("fit_numbers") from failure
    hashes = {"data": digest(data), "spec": digest(text), "code": code_hash(), "environment": environment()}
    return dict(found) | {"provenance": hashes}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise unusable("fit_file", file=str(path), message=failure.strerror or "") from failure


def as_answer(fitted: Fitted, spec: FitSpec) -> dict[str, Any]:
    """A fitted model as the plain data of the answer."""
    one = fitted.coefficients
    found: dict[str, Any] = {
        "model": fitted.model,
        "n_obs": fitted.rows,
        "n_subjects": fitted.counts.analyzed,
        "randomized": fitted.counts.randomized,
        "any_follow_up": fitted.counts.any_follow_up,
        "analyzed": fitted.counts.analyzed,
        "logLik": fitted.log_likelihood,
        "converged": True,
        "method": fitted.method,
        "df_method": fitted.df_method,
        "warnings": [in_words(problem) for problem in fitted.problems],
        "coefficients": {
            "names": [c.name for c in one],
            "estimate": [c.estimate for c in one],
            "se": [c.se for c in one],
            "df": [c.df for c in one],
            "statistic": [c.statistic for c in one],
            "p": [c.p for c in one],
            "reason": [_reason(c) for c in one],
        },
        "lsmeans": [_mean(m) for m in fitted.means],
        "differences": [_mean(m) | {"reference": m.against} for m in fitted.differences],
    }
    if fitted.joint is not None:
        j = fitted.joint
        found["joint"] = {"statistic": j.statistic, "num_df": j.df, "den_df": j.df_residual, "p": j.p}
    if fitted.moderation is not None:
        found["subgroup"] = _by_level(fitted.moderation)
    return found | dict(fitted.details)


def _by_level(moderation: Moderation) -> dict[str, Any]:
    """Differences in each level, without a test of their own, and the interaction by visit."""
    differences = [
        {"level": one.level, "visit": one.visit, "arm": one.arm, "reference": one.against, "estimate": one.value.estimate,
         "se": one.value.se, "df": one.value.df, "lower": one.value.low, "upper": one.value.high}
        | ({"reason": _reason(one.value)} if one.value.reason else {})
        for one in moderation.differences
    ]  # fmt: skip
    interactions = [
        {"visit": visit, "statistic": test.statistic, "num_df": test.df, "den_df": test.df_residual, "p": test.p}
        | ({"reason": in_words(Problem(test.reason))} if test.reason else {})
        for visit, test in moderation.interactions
    ]
    return {"column": moderation.column, "differences": differences, "interactions": interactions}


def _mean(marginal: Marginal) -> dict[str, Any]:
    value = marginal.value
    found = {
        "visit": marginal.visit,
        "arm": marginal.arm,
        "estimate": value.estimate,
        "se": value.se,
        "df": value.df,
        "statistic": value.statistic,
        "lower": value.low,
        "upper": value.high,
        "p": value.p,
    }
    return found | dict(marginal.more) | ({"reason": _reason(value)} if value.reason else {})


def _reason(value: Estimate) -> str | None:
    return in_words(Problem(value.reason)) if value.reason else None
