from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The top: management commands that play whole worlds through the actions of every package."""

    name = "trial.config"
    label = "config"
