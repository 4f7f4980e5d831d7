from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "trial.core"
    label = "core"
