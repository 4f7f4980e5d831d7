from django.apps import AppConfig


class DisclosureConfig(AppConfig):
    name = "trial.unblinded.disclosure"
    label = "unblinded_disclosure"
