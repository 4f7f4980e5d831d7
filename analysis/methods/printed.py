"""A result as plain text, for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .results import Analysis, Estimate, Summary
from .words import SENTENCES, in_words

_HEAD = ("", "estimate", "SE", "df", "t", "p", "low", "high")


def as_text(analysis: Analysis) -> str:
    """Counts, descriptives, means, differences, coefficients, variances, convergence and problems, in this order."""
    parts = [_counts(analysis), _descriptives(analysis)]
    fit = analysis.fit
    if analysis.means:
        parts.append("Adjusted means\n" + _table(_HEAD, (_row(m.value) for m in analysis.means)))
    if analysis.differences:
        rows = ([*_row(d.value), _number(d.standardized)] for d in analysis.differences)
        parts.append("Adjusted differences\n" + _table((*_HEAD, "standardized"), rows))
    if fit:
        parts.append("Coefficients\n" + _table(_HEAD, (_row(c) for c in fit.coefficients)))
        between, within = fit.variance_subject, fit.variance_residual
        parts.append(
            f"Variance between subjects {_number(between)}, residual {_number(within)}\n"
            f"Log-likelihood ({fit.method.upper()}) {fit.log_likelihood:.6f}, {fit.rows} rows, {fit.subjects} subjects\n"
            f"Degrees of freedom: {fit.df_method}\n"
            f"Convergence: {fit.convergence.status.replace('_', ' ')}, gradient {fit.convergence.gradient:.1e}"
        )
    problems = (*analysis.problems, *(fit.warnings if fit else ()))
    if problems:
        parts.append("\n".join(f"{p.severity}: {in_words(p)}" for p in problems))
    return "\n\n".join(parts) + "\n"


def _counts(analysis: Analysis) -> str:
    c = analysis.counts
    return f"{c.subjects} subjects, {c.with_outcome} with an outcome, {c.analyzed} analyzed in {c.rows} rows"


def _descriptives(analysis: Analysis) -> str:
    head = ("visit", "arm", "n", "missing", "mean", "SD", "min", "max")
    rows = ([d.visit, d.arm or "all", *_summary(d.summary)] for d in analysis.descriptives)
    return "Descriptives\n" + _table(head, rows)


def _summary(s: Summary) -> list[str]:
    return [str(s.n), str(s.missing), *(_number(v) for v in (s.mean, s.sd, s.minimum, s.maximum))]


def _row(e: Estimate) -> list[str]:
    if e.estimate is None:
        return [e.name, SENTENCES.get(e.reason or "", e.reason or ""), *[""] * 6]
    return [e.name, *(_number(v) for v in (e.estimate, e.se, e.df, e.statistic, e.p, e.low, e.high))]


def _number(value: float | None) -> str:
    return "NA" if value is None else f"{value:.5g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ).rstrip()
