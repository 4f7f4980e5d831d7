"""A snapshot as Parquet: another writing of the same rows, with numbers as numbers and what is missing as missing. Equal rows give equal bytes.

The content address stays that of the CSV, which stands in the file's metadata with what the snapshot names.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.plans.variables import known_at_baseline
from trial.protocol.definition import Protocol


def numeric_columns(protocol: Protocol) -> set[str]:
    """The columns of a snapshot that hold numbers: scores, months, and answers at baseline without levels."""
    scales = [scale.code for instrument in protocol.instruments for scale in instrument.scales]
    free = {one.column for one in known_at_baseline(protocol).values() if not one.levels}
    return {"months", *scales, *(f"{code}_baseline" for code in scales), *free}


def as_parquet(content: bytes, numbers: set[str], named: Mapping[str, str]) -> bytes:
    """The rows of a CSV, in its order of rows and columns. ``named``: what goes into the file's metadata."""
    import fastparquet  # when somebody asks for it, not when the web process starts

    rows = list(csv.reader(io.StringIO(content.decode())))
    columns: dict[str, Any] = {}
    for place, name in enumerate(rows[0]):
        cells = [row[place] or None for row in rows[1:]]
        if name in numbers:
            columns[name] = pd.array([float("nan") if cell is None else float(cell) for cell in cells], dtype="float64")
        else:
            columns[name] = pd.Series(cells, dtype=object)
    out = _Kept()
    fastparquet.write(
        "snapshot.parquet", pd.DataFrame(columns), open_with=lambda _path, _mode="wb": out, write_index=False,
        compression="GZIP", object_encoding="utf8", has_nulls=True, custom_metadata=dict(named),
    )  # fmt: skip
    return out.getvalue()


class _Kept(io.BytesIO):
    """Bytes that stay when the writer closes its file."""

    def close(self) -> None:
        """Keep them."""
