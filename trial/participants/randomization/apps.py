from django.apps import AppConfig


class RandomizationFactsConfig(AppConfig):
    name = "trial.participants.randomization"
    label = "participants_randomization"
