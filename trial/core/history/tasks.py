"""The seals: each history is sealed by the login of its own side, at times that nothing moves."""

from trial.core import db
from trial.core.history.actions import seal_history
from trial.core.tasks import task

SEALER = db.System("seal")


@task(queue="default", time_limit=300)
def seal_open() -> None:
    """Seal the open history."""
    _seal()


@task(queue="unblinded", time_limit=300)
def seal_unblinded() -> None:
    """Seal the history of the unblinded side."""
    _seal()


@task(queue="allocation", time_limit=300)
def seal_concealed() -> None:
    """Seal the history of the concealed tables."""
    _seal()


def _seal() -> None:
    with db.unit_of_work(by=SEALER):
        seal_history(by=SEALER)
