"""Asking the classification of this installation, which lies in the top layer and is reached by a setting, as the rights are."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.module_loading import import_string

from trial.core.database.rights import Table
from trial.core.disclosure import Disclosure, Fields, Unclassified


def classification() -> Mapping[str, Fields]:
    """The classes of all tables."""
    found: Mapping[str, Fields] = import_string(settings.DISCLOSURE)
    return found


def class_of(field: str) -> Disclosure:
    """The class of a field, given as "table.column"."""
    table, _, column = field.partition(".")
    entry = classification().get(table)
    if entry is None:
        raise Unclassified(field)
    return entry.of(column)


def is_safe(table: str) -> bool:
    """Whether every column of this table is safe, so that a whole row of it may be shown; not of a table that nobody knows."""
    entry = classification().get(table)
    return entry is not None and not entry.rest_reveals_arm and set(entry.classes.values()) == {Disclosure.SAFE}


def free_text_of_sites() -> dict[str, tuple[str, ...]]:
    """Free text of the open side's tables that belong to a site, which is what people type about participants; by table."""
    rights: Mapping[str, Table] = import_string(settings.RIGHTS)
    found = {
        table: tuple(sorted(name for name, kind in entry.classes.items() if kind == Disclosure.FREE_TEXT))
        for table, entry in classification().items()
        if rights[table].side == "open" and rights[table].site
    }
    return {table: names for table, names in found.items() if names}


def kept_out_of_history(field: str) -> bool:
    """Whether the values of this field ("table.column") stand in no history."""
    table, _, column = field.partition(".")
    rights: Mapping[str, Table] = import_string(settings.RIGHTS)
    return not rights[table].has_history or column in (*rights[table].secret, *rights[table].silent)
