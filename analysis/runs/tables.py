"""The table of a snapshot with its arms, and its rows at the visits of a model. Pure."""

from collections.abc import Mapping

import pandas as pd

from analysis.methods.design import read_table
from analysis.methods.spec import Spec
from analysis.runs.specs import ARM_COLUMN


def with_arms(content: bytes, arms: Mapping[str, str]) -> pd.DataFrame:
    """The table with an arm column."""
    table = read_table(content)
    table[ARM_COLUMN] = [arms.get(str(number), "") for number in table["participant"]]
    return table


def at_visits(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The rows at the levels of the model's time."""
    return table[table[spec.time.column].isin(spec.time.levels)].reset_index(drop=True)
