"""A measured trial of twelve patients under a plan with looks, signed and countersigned by the demo accounts; for tests of looks."""

from dataclasses import replace
from typing import Any

from analysis.plans.actions import load_plan, sign_plan
from analysis.plans.definition import Look, Looks, Plan
from analysis.plans.models import PlanVersion
from analysis.plans.plain import plain_plan
from analysis.unblinded.actions import countersign_looks
from analysis.unblinded.tasks import execute
from tests import world
from trial.config.worlds import stage
from trial.core.access import Person

BY_CALENDAR = Looks(
    "calendar", "obf", None, 14.0, 0.8, 1.02, 0.2, (Look("early", 1), Look("late", 2), Look("never", 600))
)


def plan_with(looks: Looks | None = BY_CALENDAR, **more: Any) -> Plan:
    """The least plan of Beat the Blues with a model that twelve patients can bear."""
    plan = plain_plan(world.read("btheb"))
    model = replace(plan.model, covariance="cs")
    return replace(plan, model=model, looks=looks, change="Looks before the end.", **more)


def put_into_force(plan: Plan) -> PlanVersion:
    """Load and sign it, and countersign its looks."""
    with world.at_work(world.SETUP) as by:
        version: PlanVersion = load_plan(plan=plan, by=by)
    for name, capacity in (("statistician", "statistician"), ("investigator", "investigator")):
        with world.at_work(who(name)) as by:
            sign_plan(version=version, capacity=capacity, password=world.PASSWORD, by=by)
    if plan.looks:
        with world.at_work(who("independent")) as by:
            countersign_looks(version=version, password=world.PASSWORD, by=by)
    return version


def who(name: str) -> Person:
    """A demo account."""
    return stage.person(name)


def compute(run: Any) -> Any:
    """What the worker does; the run as it is then."""
    execute(str(run.pk))
    with world.at_work(who("independent")):
        run.refresh_from_db()
    return run
