from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "trial.unblinded.tokens"
    label = "unblinded_tokens"
