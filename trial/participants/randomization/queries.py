"""Reading what the open side knows of the allocation."""

from django.db.models import QuerySet

from trial.participants.randomization.models import Commitment


def commitments() -> QuerySet[Commitment]:
    """Every commitment, the first one first."""
    return Commitment.objects.order_by("version")
