from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "trial.core.tokens"
    label = "tokens"
