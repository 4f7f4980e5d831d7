"""What the gates say."""

from trial.unblinded.disclosure.models import PlannedUnblinding


def planned_unblinding() -> PlannedUnblinding | None:
    """The confirmed planned unblinding, or None before it."""
    return PlannedUnblinding.objects.first()
