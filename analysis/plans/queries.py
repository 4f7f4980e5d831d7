"""Reading the plan: which version is in force, and whether everybody signed it."""

from django.shortcuts import get_object_or_404

from analysis.plans.definition import Plan
from analysis.plans.models import PlanSignature, PlanVersion

CAPACITIES = tuple(PlanSignature.Capacity)


def version_or_none() -> PlanVersion | None:
    """The version in force: the one loaded last."""
    return PlanVersion.objects.order_by("-number").first()


def version_or_404(number: int | None) -> PlanVersion | None:
    """The version of this number; without a number the one in force, None where nobody has loaded any."""
    return version_or_none() if number is None else get_object_or_404(PlanVersion, number=number)


def plan_of(version: PlanVersion) -> Plan:
    """What this version says."""
    return Plan.from_document(version.document)


def signatures_of(version: PlanVersion) -> dict[str, PlanSignature]:
    """The signatures of a version, by capacity."""
    return {one.capacity: one for one in PlanSignature.objects.filter(plan=version)}


def unsigned(version: PlanVersion) -> list[PlanSignature.Capacity]:
    """In which capacities nobody has signed this version yet."""
    there = signatures_of(version)
    return [one for one in CAPACITIES if one not in there]
