"""What a run computes, from a table and its frozen specification. No database in here."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.methods.design import read_table
from analysis.methods.progress import SILENT, Watch
from analysis.methods.study import analyze, analyze_pooled
from analysis.runs.specs import ARM_COLUMN, specs_of


def comparative(
    content: bytes, arms: Mapping[str, str], frozen: dict[str, Any], watch: Watch = SILENT
) -> dict[str, Any]:
    """Fit every specification on the table with its arm column. ``arms``: arm by participant; who has none is refused by the methods."""
    table = with_arms(content, arms)
    specs = specs_of(frozen)
    found: dict[str, Any] = {}
    for n, (name, spec) in enumerate(specs.items()):
        found[name] = analyze(_at_visits(table, spec.time.column, spec.time.levels), spec, _part(watch, n, len(specs)))
    return {"analyses": found}


def pooled(content: bytes, frozen: dict[str, Any], watch: Watch = SILENT) -> dict[str, Any]:
    """Descriptives of all arms together, at every visit of the plan."""
    name = frozen["reported"]
    spec = specs_of(frozen)[name]
    table = _at_visits(read_table(content), spec.time.column, spec.time.levels)
    return {"analyses": {name: analyze_pooled(table, spec, watch)}}


def with_arms(content: bytes, arms: Mapping[str, str]) -> pd.DataFrame:
    """The table with an arm column."""
    table = read_table(content)
    table[ARM_COLUMN] = [arms.get(str(number), "") for number in table["participant"]]
    return table


def _at_visits(table: pd.DataFrame, column: str, levels: tuple[str, ...]) -> pd.DataFrame:
    return table[table[column].isin(levels)].reset_index(drop=True)


def _part(watch: Watch, number: int, of: int) -> Watch:
    return Watch(report=lambda stage, share: watch.report(stage, (number + share) / of), cancelled=watch.cancelled)


def fake_arms(numbers: list[str], seed: int, ratio: Mapping[str, int]) -> dict[str, str]:
    """An arm for each participant, drawn from the study number and the run's own seed in the protocol's ratio.

    Never read or permuted from allocations: it depends on nothing that lies behind the wall (HMAC-SHA-256, modulo the sum of the ratio).
    """
    slots = [arm for arm, part in ratio.items() for _ in range(part)]
    key = str(seed).encode()
    return {
        n: slots[int.from_bytes(hmac.new(key, n.encode(), hashlib.sha256).digest()[:8], "big") % len(slots)]
        for n in numbers
    }


def numbers_of(content: bytes) -> list[str]:
    """The study numbers in a table, each once, in order."""
    return sorted({str(number) for number in read_table(content)["participant"]})
