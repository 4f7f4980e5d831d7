from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "trial.unblinded.sessions"
    label = "unblinded_sessions"
