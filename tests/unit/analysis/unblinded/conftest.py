"""The small measured trial of the tests of runs, here too."""

from tests.unit.analysis.runs.conftest import played

__all__ = ["played"]
