"""What a snapshot names, and what changed between two, as pages show it."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.snapshots.differences import Differences
from analysis.snapshots.models import Snapshot
from analysis.snapshots.queries import snapshots
from trial.core.ui.tables import Column, Link, Table, shown
from trial.core.ui.text import Text

EARLIER = 10
"""So many earlier snapshots are offered for a comparison."""


def named_facts(one: Snapshot) -> list[tuple[Text, Any]]:
    """Protocol, plan and head of the sealed history at the moment of making."""
    plan = (
        _("version %(n)d, SHA-256 %(sha256)s") % {"n": one.plan_number, "sha256": one.plan_sha256}
        if one.plan_number
        else _("none")
    )
    seal = (
        _("batch %(n)d, head %(head)s") % {"n": one.seal_number, "head": one.seal_head}
        if one.seal_number
        else _("not sealed yet")
    )
    version = one.protocol_version
    return [
        (_("Protocol"), _("version %(n)d, SHA-256 %(sha256)s") % {"n": version.number, "sha256": version.sha256}),
        (_("Analysis plan in force"), plan),
        (_("History sealed up to"), seal),
    ]


def earlier_table(one: Snapshot) -> Table:
    """Earlier snapshots, each with the way to what changed since."""
    rows = snapshots().filter(made_at__lt=one.made_at)[:EARLIER]
    return Table(
        [Column(_("Earlier snapshot")), Column(_("SHA-256"), code=True), Column("")],
        [
            [shown(row.made_at), row.sha256[:16], Link(_("What changed since"), reverse("snapshot_changes", args=[one.pk, row.pk]))]
            for row in rows
        ],
        caption=_("Compare"),
        empty=_("This is the first snapshot."),
    )  # fmt: skip


def counts_table(found: Differences) -> Table:
    """How many values differ, by column and site."""
    columns = [Column(_("Column"), code=True), Column(_("Site")), Column(_("Values that differ"), number=True)]
    rows = [[column, site, number] for (column, site), number in found.by_column_and_site().items()]
    return Table(
        columns, rows, caption=_("By column and site"), empty=_("No value differs among those in both snapshots.")
    )


def values_table(found: Differences) -> Table:
    """Each value that differs."""
    columns = [
        Column(_("Study number"), shows="participants_participant.number"), Column(_("Visit")), Column(_("Column"), code=True), Column(_("Site")),
        Column(_("Before")), Column(_("After")),
    ]  # fmt: skip
    rows = [[one.participant, one.visit, one.column, one.site, one.before, one.after] for one in found.changed]
    return Table(columns, rows, caption=_("Value by value"), empty=_("No value differs among those in both snapshots."))


def whole_facts(found: Differences) -> list[tuple[Text, Any]]:
    """Participants and columns that only one of the two has."""
    lists = (
        (_("New participants"), found.people_added), (_("Participants no longer there"), found.people_gone),
        (_("New columns"), found.columns_added), (_("Columns no longer there"), found.columns_gone),
    )  # fmt: skip
    return [(label, ", ".join(listed) if listed else _("none")) for label, listed in lists]
