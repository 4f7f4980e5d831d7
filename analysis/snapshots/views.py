"""A snapshot as Parquet, and what changed between two."""

import uuid

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.snapshots import presenters as show
from analysis.snapshots.differences import differences
from analysis.snapshots.models import Snapshot
from analysis.snapshots.parquet import as_parquet, numeric_columns
from trial.core.access import Request, page
from trial.core.access.roles import DataManager, TrialStatistician
from trial.core.ui.tables import csv_response, shown
from trial.protocol.queries import protocol_of

READERS = (TrialStatistician, DataManager)


@page(roles=READERS)
def snapshot_parquet(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The rows of a snapshot as Parquet."""
    found = get_object_or_404(Snapshot.objects.select_related("protocol_version"), pk=key)
    named = {
        "csv_sha256": found.sha256, "protocol_sha256": found.protocol_version.sha256, "plan_sha256": found.plan_sha256,
        "history_head": found.seal_head,
    }  # fmt: skip
    numbers = numeric_columns(protocol_of(found.protocol_version))
    response = HttpResponse(
        as_parquet(bytes(found.content), numbers, named), content_type="application/vnd.apache.parquet"
    )
    response["Content-Disposition"] = f'attachment; filename="snapshot-{found.sha256[:12]}.parquet"'
    return response


@page(roles=READERS)
def snapshot_changes(request: Request, key: uuid.UUID, before: uuid.UUID) -> HttpResponseBase:
    """What changed between an earlier snapshot and this one."""
    later = get_object_or_404(Snapshot, pk=key)
    earlier = get_object_or_404(Snapshot, pk=before, made_at__lt=later.made_at)
    found = differences(bytes(earlier.content), bytes(later.content))
    if request.GET.get("format") == "csv":
        return csv_response(show.counts_table(found), f"changes-{earlier.sha256[:12]}-{later.sha256[:12]}")
    context = {
        "title": _("What changed"),
        "lead": _("From the snapshot of %(before)s to that of %(after)s.")
        % {"before": shown(earlier.made_at), "after": shown(later.made_at)},
        "crumbs": [
            (_("Snapshots"), reverse("snapshots")), (shown(later.made_at), reverse("snapshot", args=[key])), (_("What changed"), ""),
        ],
        "facts": show.whole_facts(found), "counts": show.counts_table(found), "values": show.values_table(found),
        "is_empty": found.is_empty,
    }  # fmt: skip
    return render(request, "analysis/snapshot_changes.html", context)
