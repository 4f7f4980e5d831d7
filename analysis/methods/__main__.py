"""Command line: `python -m analysis.methods DATA.csv SPEC.toml [--pooled] [--json FILE]`.

Exit status: 0 a result; 1 the data or the specification were refused; 2 wrong use; 3 no converged fit.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from .canonical import encode
from .design import read_table
from .printed import as_text
from .problems import Refused
from .spec import read_spec
from .study import analyze, analyze_pooled
from .words import in_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one analysis from files; see the module's text for the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.methods", description="A random-intercept mixed model of a trial's outcome."
    )
    parser.add_argument("data", type=Path, help="CSV, UTF-8, one row per subject and visit, empty or NA is missing")
    parser.add_argument(
        "spec", type=Path, help="TOML: outcome, subject, [time], [arm], baseline, [[covariates]], method ..."
    )
    parser.add_argument("--pooled", action="store_true", help="descriptives of all arms together, no model")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result in its canonical form as well")
    given = parser.parse_args(arguments)
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


if __name__ == "__main__":
    sys.exit(main())
