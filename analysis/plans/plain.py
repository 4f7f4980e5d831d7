"""The least plan of a protocol: its primary outcome at its primary visit, and nothing else. For played worlds that bring no plan."""

from analysis.plans.definition import Estimand, Model, Outcomes, Plan
from trial.protocol.definition import Protocol


def plain_plan(protocol: Protocol) -> Plan:
    """A plan that fits any protocol."""
    analysis = protocol.analysis
    follow_ups = tuple(code for code in analysis.visits if code != protocol.baseline.code)
    return Plan(
        title=f"{protocol.short_name}: plan",
        protocol_sha256=protocol.sha256,
        estimand=Estimand(
            population="All randomized participants",
            treatments=" against ".join(arm.name for arm in protocol.arms),
            outcome=analysis.outcome,
            visit=analysis.primary_visit,
            summary="Difference between the arms in the mean score",
            events=(),
        ),
        model=Model(
            method="mmrm",
            visits=follow_ups,
            covariance="us",
            fallback=(),
            df="satterthwaite",
            team="none" if len(protocol.teams) == 1 else "fixed_or_random",
            estimation="reml",
            why="The model that needs no further setting.",
        ),
        outcomes=Outcomes(secondary=(), exploratory=(), multiplicity="none"),
        alpha=analysis.alpha,
        sides=2,
        unplanned_price=analysis.alpha / 50,
        looks=None,
        sensitivity=(),
        published=(),
    )
