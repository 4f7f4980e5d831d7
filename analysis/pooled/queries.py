"""Which runs the open side can start, and what was run."""

from analysis.pooled.models import PooledRun
from analysis.runs.plans import kinds_of
from analysis.runs.specs import BY_PLAN, PRIMARY, PUBLISHED, SCALES
from trial.protocol.definition import Protocol

PLAN_OF = {
    PooledRun.Kind.POOLED: PRIMARY,
    PooledRun.Kind.PLAN: BY_PLAN,
    PooledRun.Kind.FAKE: PRIMARY,
    PooledRun.Kind.SCALES: SCALES,
    PooledRun.Kind.PUBLISHED: PUBLISHED,
}
"""What each kind of run freezes."""


def kinds_offered(protocol: Protocol) -> list[PooledRun.Kind]:
    """The kinds of run that say something in this trial."""
    planned = kinds_of(protocol)
    return [kind for kind, plan in PLAN_OF.items() if plan in planned]


def newest_runs(number: int) -> list[PooledRun]:
    """The newest runs of the open side, without their results."""
    return list(PooledRun.objects.defer("result", "spec").order_by("-created_at", "id")[:number])
