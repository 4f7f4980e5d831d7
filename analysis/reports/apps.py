from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "analysis.reports"
    label = "reports"
