from django.apps import AppConfig


class UnblindedAnalysisConfig(AppConfig):
    name = "analysis.unblinded"
    label = "unblinded_analysis"
