"""The statistical analysis plan."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "analysis.plans"
    label = "plans"
