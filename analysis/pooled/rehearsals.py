"""What a rehearsal draws by lot, for the run itself and for whoever repeats it elsewhere."""

from collections.abc import Iterable

from analysis.pooled.models import PooledRun
from analysis.runs.joined import Joined
from analysis.runs.rehearsal import fake_arms, fake_join


def fakes(run: PooledRun, numbers: Iterable[str]) -> dict[str, Joined]:
    """Arms, and of the fuller rehearsals what followed from them, for these study numbers."""
    if run.kind == PooledRun.Kind.FAKE:
        return {number: Joined(arm) for number, arm in fake_arms(numbers, run.seed, run.spec["ratio"]).items()}
    return fake_join(numbers, run.seed, run.spec)
