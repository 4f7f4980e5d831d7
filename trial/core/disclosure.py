"""What a field may disclose: each field of each table is classified once, and what lets values go anywhere asks here. Pure.

The entries are data (``trial.config.disclosure``), reached through ``trial.core.classified``. ``docs/disclosure.md`` says the same to people.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Disclosure(StrEnum):
    """The classes, highest first. Nothing of a higher class flows to where a lower one is seen."""

    REVEALS_ARM = "reveals_arm"
    """The arm, what follows from it, or what lets somebody work it out."""
    IDENTIFIES = "identifies"
    """Who somebody is outside the trial's work, or what proves it: the contact data, passwords, sessions, who stood at the door."""
    FREE_TEXT = "free_text"
    """What people typed in words of their own: it may hold anything, a name and an arm too."""
    SAFE = "safe"
    """Keys, codes of a list, numbers, days, digests, and what the program writes itself."""


VAULT = (
    "name",
    "phone",
    "email",
    "address",
    "birth_date",
    "contact_person",
    "contact_phone",
    "preferred_way",
    "best_time",
)
"""Who a participant is: in the contact data alone, never in a history, an export or a form."""


class Unclassified(LookupError):
    """A field that nobody classified."""


@dataclass(frozen=True)
class Fields:
    """The classes of the fields of one table, by column.

    ``typed``: what a person types in words of their own, of whatever class; free text always is. ``coded``: the other columns of text,
    where ``rest_reveals_arm``: behind the wall every column reveals the arm, so that a class alone would not say who wrote it.
    ``why``: of a table without data of the trial, or of one that reveals an arm on the open side.
    """

    classes: Mapping[str, Disclosure]
    typed: frozenset[str] = frozenset()
    coded: frozenset[str] = frozenset()
    rest_reveals_arm: bool = False
    why: str = ""

    def of(self, column: str) -> Disclosure:
        """The class of this column; ``Unclassified`` says where it is missing."""
        if self.rest_reveals_arm:
            return Disclosure.REVEALS_ARM
        if column not in self.classes:
            raise Unclassified(column)
        return self.classes[column]


def fields(
    *, reveals_arm: str = "", identifies: str = "", free_text: str = "", safe: str = "", typed: str = "", why: str = ""
) -> Fields:
    """A table of which every column is named, in exactly one class; ``typed`` names those that are typed besides the free text."""
    classes: dict[str, Disclosure] = {}
    for kind, names in zip(Disclosure, (reveals_arm, identifies, free_text, safe), strict=True):
        for column in names.split():
            if column in classes:
                raise ValueError(f"{column} is classified twice: {classes[column]} and {kind}.")
            classes[column] = kind
    return Fields(classes, frozenset((*free_text.split(), *typed.split())), why=why)


def behind(*, typed: str = "", coded: str = "") -> Fields:
    """A table behind the wall: every column reveals the arm. ``typed`` and ``coded`` name the columns of text."""
    return Fields({}, frozenset(typed.split()), frozenset(coded.split()), rest_reveals_arm=True)


def above_safe(columns: Mapping[str, Disclosure]) -> list[str]:
    """Those of these columns that may not go where only safe ones are seen, each with its class."""
    return [f"{name} ({kind})" for name, kind in columns.items() if kind != Disclosure.SAFE]


def missing(table: str, columns: Iterable[str], given: Mapping[str, Fields]) -> list[str]:
    """What is wrong with the entry of a table, in words that say what to do; nothing if it fits its columns."""
    entry, columns = given.get(table), set(columns)
    if entry is None:
        return [f"{table} is not classified: add it to trial/config/disclosure (see docs/disclosure.md)."]
    if entry.rest_reveals_arm:
        return [
            f"{table}.{name} is listed and does not exist." for name in sorted({*entry.typed, *entry.coded} - columns)
        ]
    wanted = "reveals_arm, identifies, free_text or safe"
    return [
        *(f"{table}.{name} is not classified: name it in trial/config/disclosure as {wanted} (see docs/disclosure.md)."
          for name in sorted(columns - set(entry.classes))),
        *(f"{table}.{name} is classified and does not exist." for name in sorted({*entry.classes, *entry.typed} - columns)),
    ]  # fmt: skip
