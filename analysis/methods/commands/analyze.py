"""``analyze DATA.csv SPEC.toml [--pooled] [--json FILE]``: the study's own analysis, as the workers run it.

Exit status: 0 a result; 1 the data or the specification were refused; 2 wrong use; 3 no converged fit.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from analysis.methods.canonical import encode
from analysis.methods.design import read_table
from analysis.methods.printed import as_text
from analysis.methods.problems import Refused
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze, analyze_pooled
from analysis.methods.words import in_words

NAME, HELP = "analyze", "a random-intercept mixed model with its tables, as the application runs it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("data", type=Path, help="CSV, UTF-8, one row per subject and visit, empty or NA is missing")
    parser.add_argument(
        "spec", type=Path, help="TOML: outcome, subject, [time], [arm], baseline, [[covariates]], method ..."
    )
    parser.add_argument("--pooled", action="store_true", help="descriptives of all arms together, no model")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result in its canonical form as well")


def run(given: argparse.Namespace) -> int:
    """Run one analysis from files."""
    try:
        spec = read_spec(tomllib.loads(given.spec.read_text(encoding="utf-8")))
        table = read_table(given.data)
        analysis = (analyze_pooled if given.pooled else analyze)(table, spec)
    except (OSError, tomllib.TOMLDecodeError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 2
    except Refused as refusal:
        sys.stderr.writelines(f"{in_words(problem)}\n" for problem in refusal.problems)
        return 1
    if given.json:
        given.json.write_bytes(encode(analysis))
    sys.stdout.write(as_text(analysis))
    fitted = given.pooled or (analysis.fit is not None and analysis.fit.convergence.status != "not_converged")
    return 0 if fitted else 3
