"""The plan of a played trial: loaded from its folder, signed and countersigned by the demo accounts, before the first participant."""

from pathlib import Path

from analysis.plans import actions, queries
from analysis.plans.reading import load
from analysis.unblinded.actions import countersign_looks
from trial.config.worlds import stage
from trial.core import side
from trial.core.access.sign_in import DEMO_PASSWORD
from trial.protocol.queries import current


def plan(folder: Path) -> None:
    """The trial statistician loads the plan and signs it, the principal investigator signs it, the independent statistician countersigns its looks,
    where it has any. Done already: nothing changes.
    """
    statistician, investigator = stage.person("statistician"), stage.person("investigator")
    with stage.working(statistician):
        version = queries.version_or_none()
        version = version or actions.load_plan(plan=load(folder, current()), by=statistician)
    for person, capacity in ((statistician, "statistician"), (investigator, "investigator")):
        with stage.working(person):
            actions.sign_plan(version=version, capacity=capacity, password=DEMO_PASSWORD, by=person)
    if queries.plan_of(version).looks is not None:
        independent = stage.person("independent")
        with stage.working(independent, side.UNBLINDED):
            countersign_looks(version=version, password=DEMO_PASSWORD, by=independent)
