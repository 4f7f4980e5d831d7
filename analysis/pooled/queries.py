"""Which runs the open side can start, and what was run."""

from analysis.plans.queries import plan_of, version_or_none
from analysis.pooled.models import PooledRun
from analysis.runs.plans import kinds_of
from analysis.runs.specs import BY_PLAN, LOOK, PRIMARY, PUBLISHED, SCALES
from trial.protocol.definition import Protocol

PLAN_OF = {
    PooledRun.Kind.POOLED: PRIMARY,
    PooledRun.Kind.PLAN: BY_PLAN,
    PooledRun.Kind.FAKE: PRIMARY,
    PooledRun.Kind.SCALES: SCALES,
    PooledRun.Kind.PUBLISHED: PUBLISHED,
    PooledRun.Kind.LOOK: LOOK,
}
"""What each kind of run freezes."""


def kinds_offered(protocol: Protocol) -> list[PooledRun.Kind]:
    """The kinds of run that say something in this trial; a look only where the plan in force has one."""
    version = version_or_none()
    has_looks = version is not None and plan_of(version).looks is not None
    planned = [*kinds_of(protocol), *([LOOK] if has_looks else [])]
    return [kind for kind, plan in PLAN_OF.items() if plan in planned]


def newest_runs(number: int) -> list[PooledRun]:
    """The newest runs of the open side, without their results."""
    return list(PooledRun.objects.defer("result", "spec").order_by("-created_at", "id")[:number])
