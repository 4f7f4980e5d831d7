from django.apps import AppConfig


class UnblindedPapersConfig(AppConfig):
    name = "analysis.unblinded.papers"
    label = "unblinded_papers"
