from django.apps import AppConfig


class NarrativesConfig(AppConfig):
    name = "trial.unblinded.events"
    label = "unblinded_events"
