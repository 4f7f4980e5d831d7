"""What a table's entry in the one list of rights says."""

from dataclasses import dataclass
from typing import Literal, LiteralString

DEFERRED: LiteralString = " deferrable initially deferred"
"""How a guard says that it is asked when the transaction ends."""

TableSide = Literal["open", "unblinded", "concealed", "dropbox", "infrastructure", "owner"]


@dataclass(frozen=True)
class Table:
    """Rights on one table.

    ``blinded``, ``unblinded``, ``allocator``: letters s(elect), i(nsert), d(elete; infrastructure only). The ``*_update`` tuples name the
    columns that the login may update, never a key. ``site``: the column that the row policy compares; '' where the table is trial-wide.
    ``secret``: columns whose values stay out of the history (password, file contents); that one changed is written all the same.
    ``silent``: columns that change every second (a heartbeat) and leave no trace. ``append_only``: a trigger refuses changes by anybody.
    ``stops_at_lock``: nothing is added or changed after the database lock. ``write_once``: columns that never change once they are filled.
    ``same_site``: pairs of a foreign-key column and the table it refers to, whose row must be of the same site.
    ``states``: the column of a lifecycle and its allowed steps, such as ``("state", "waiting>done", "waiting>refused")``.
    ``guards``: pairs of a trigger function and when it fires, such as ``("equipoise_guard_request", "before insert or update")``.
    ``blinded_reads``, ``unblinded_reads``: where a login has no s, the only columns that it may select. ``declassified``: the actions by which
    the unblinded login may write an open table (``trial.core.declassified``); a trigger refuses it any other.
    """

    side: TableSide
    key: str = "id"
    site: str = ""
    blinded: str = ""
    blinded_reads: tuple[str, ...] = ()
    blinded_update: tuple[str, ...] = ()
    unblinded: str = ""
    unblinded_reads: tuple[str, ...] = ()
    unblinded_update: tuple[str, ...] = ()
    allocator: str = ""
    allocator_update: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    append_only: bool = False
    history: bool = True
    stops_at_lock: bool = False
    write_once: tuple[str, ...] = ()
    same_site: tuple[tuple[str, str], ...] = ()
    states: tuple[str, ...] = ()
    guards: tuple[tuple[str, LiteralString], ...] = ()
    declassified: tuple[str, ...] = ()

    @property
    def has_history(self) -> bool:
        """Framework tables and the history itself have none."""
        return self.history and self.side in ("open", "unblinded", "concealed", "dropbox")

    def letters(self, login: str) -> str:
        """The letters of ``login`` (default, unblinded, allocator)."""
        return {"default": self.blinded, "unblinded": self.unblinded, "allocator": self.allocator}[login]

    def reads(self, login: str) -> tuple[str, ...]:
        """The columns that ``login`` may select; ``("*",)`` for all of them."""
        if "s" in self.letters(login):
            return ("*",)
        return {"default": self.blinded_reads, "unblinded": self.unblinded_reads}.get(login, ())

    def updates(self, login: str) -> tuple[str, ...]:
        """The columns that ``login`` may update."""
        return {"default": self.blinded_update, "unblinded": self.unblinded_update, "allocator": self.allocator_update}[
            login
        ]
