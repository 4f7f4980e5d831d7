"""Differences between the arms of a played or generated world, by the analysis engine."""

from collections.abc import Iterable

from analysis.methods.design import read_table
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze

Row = tuple[str, str, str, float | None]
"""Participant, visit, arm, score."""


def differences(rows: Iterable[Row], direction: str) -> list[float]:
    """Standardized adjusted differences at T1, T2 and T3, + in favor of IMR: a mixed model of three measurements."""
    spec = read_spec(
        {
            "outcome": "score",
            "subject": "participant",
            "time": {"column": "visit", "form": "categorical", "levels": ["T1", "T2", "T3"]},
            "arm": {"column": "arm", "reference": "cau", "experimental": "imr"},
            "interaction": True,
            "method": "reml",
            "better": "higher" if direction == "higher_is_better" else "lower",
            "baseline_visit": "T1",
            "primary_visit": "T3",
        }
    )
    lines = [f"{who},{visit},{arm},{'' if score is None else score}" for who, visit, arm, score in rows]
    table = read_table("\n".join(["participant,visit,arm,score", *lines]).encode())
    found = []
    for difference in analyze(table, spec).differences:
        assert difference.standardized is not None
        found.append(difference.standardized)
    return found
