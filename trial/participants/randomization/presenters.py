"""How commitments are shown, on either side."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from trial.core.ui.tables import Column, Table
from trial.participants.randomization.models import Commitment
from trial.protocol.models import Site


def commitment_table(found: Sequence[Commitment]) -> Table:
    """The commitments, each with what it is for."""
    sites = dict(Site.objects.values_list("code", "name"))
    columns = [
        Column(_("Version"), number=True),
        Column(_("For")),
        Column(_("Committed")),
        Column("SHA-256", code=True),
    ]
    rows = [
        [
            one.version,
            _("Downtime at %(site)s") % {"site": sites.get(one.for_site, one.for_site)}
            if one.for_site
            else _("The trial"),
            one.at,
            one.sha256,
        ]
        for one in found
    ]
    return Table(
        columns, rows, empty=_("Commitments appear here when a sequence has been sealed, before the first participant.")
    )
