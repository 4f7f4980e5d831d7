"""What changed between two snapshots, value by value: who, at which visit, in which column, from what to what. Pure."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

KEYS = ("participant", "visit")
SITE = "site"


@dataclass(frozen=True)
class Changed:
    """One value that differs. ``before`` and ``after`` are as they stand in the CSV; empty: missing."""

    site: str
    participant: str
    visit: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Differences:
    """Values that differ among rows and columns that both have; participants and columns that only one of them has."""

    changed: tuple[Changed, ...]
    people_added: tuple[str, ...]
    people_gone: tuple[str, ...]
    columns_added: tuple[str, ...]
    columns_gone: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both say the same."""
        return not (self.changed or self.people_added or self.people_gone or self.columns_added or self.columns_gone)

    def by_column_and_site(self) -> dict[tuple[str, str], int]:
        """How many values differ, by column (in the order of the table) and site."""
        counted = Counter((one.column, one.site) for one in self.changed)
        order = {column: n for n, column in enumerate(dict.fromkeys(one.column for one in self.changed))}
        return dict(sorted(counted.items(), key=lambda pair: (order[pair[0][0]], pair[0][1])))


def differences(before: bytes, after: bytes) -> Differences:
    """Compare two snapshots row by row. A participant's site is that of the later one."""
    old_columns, old = _read(before)
    new_columns, new = _read(after)
    both = [column for column in new_columns if column in old_columns and column not in KEYS]
    found = [
        Changed(row[SITE], key[0], key[1], column, old[key][column], row[column])
        for key, row in new.items()
        if key in old
        for column in both
        if old[key][column] != row[column]
    ]
    place = {column: n for n, column in enumerate(both)}
    found.sort(key=lambda one: (place[one.column], one.site, one.participant))
    old_people, new_people = ({key[0] for key in rows} for rows in (old, new))
    return Differences(
        changed=tuple(found),
        people_added=tuple(sorted(new_people - old_people)),
        people_gone=tuple(sorted(old_people - new_people)),
        columns_added=tuple(column for column in new_columns if column not in old_columns),
        columns_gone=tuple(column for column in old_columns if column not in new_columns),
    )


def _read(content: bytes) -> tuple[list[str], dict[tuple[str, str], dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(content.decode()))
    rows = {(row[KEYS[0]], row[KEYS[1]]): row for row in reader}
    return list(reader.fieldnames or ()), rows
