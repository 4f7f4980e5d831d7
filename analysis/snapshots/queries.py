"""Reading snapshots."""

import uuid
from hashlib import sha256

from django.db.models import QuerySet

from analysis.snapshots.models import Snapshot


def snapshots() -> QuerySet[Snapshot]:
    """All snapshots without their content, newest first."""
    return Snapshot.objects.defer("content", "dictionary").order_by("-made_at", "id")


def content_of(key: uuid.UUID, digest: str) -> bytes:
    """The bytes of a snapshot. ValueError if they are not those that ``digest`` names: nothing is computed from changed data."""
    content = bytes(Snapshot.objects.values_list("content", flat=True).get(pk=key))
    if sha256(content).hexdigest() != digest:
        raise ValueError(f"Snapshot {key} was changed after it was made: its hash does not fit.")
    return content
