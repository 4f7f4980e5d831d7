"""Tables of the pages around the allocation."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Person
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Table
from trial.unblinded.randomization.actions.sealing import CONTRIBUTORS
from trial.unblinded.randomization.queries import Contribution


def contribution_table(given: Sequence[Contribution]) -> Table:
    """Who has contributed to the seed, and the receipt of each."""
    names = names_of(one.contributor for one in given)
    columns = [Column(_("Contributor")), Column(_("When")), Column(_("Receipt, SHA-256 of the share"), code=True)]
    rows = [[names.get(one.contributor, one.contributor), one.at, one.receipt] for one in given]
    return Table(
        columns, rows, empty=_("Nobody has contributed yet. Two people do, each with an account of their own.")
    )


def links_of(person: Person) -> list[tuple[str, str]]:
    """The pages about the allocation that this person may open."""
    pages = ((_("Sealing and commitments"), "sealing", CONTRIBUTORS),)
    return [(label, reverse(name)) for label, name, roles in pages if person.holds(*roles)]
