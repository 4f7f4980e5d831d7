"""What becomes public of a sealed sequence."""

from trial.core import db
from trial.core.actions import action
from trial.participants.randomization.models import Commitment


@action
def publish_commitment(*, version: int, sha256: str, purpose: str, for_site: str, by: db.Actor) -> Commitment:
    """The public fact of a sealed sequence, before the first participant. Only the allocator's login may write it."""
    row = Commitment(version=version, sha256=sha256, purpose=purpose, for_site=for_site)
    row.save(force_insert=True)
    return row
