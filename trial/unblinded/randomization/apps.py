from django.apps import AppConfig


class RandomizationConfig(AppConfig):
    name = "trial.unblinded.randomization"
    label = "unblinded_randomization"
