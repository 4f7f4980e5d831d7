from django.apps import AppConfig


class ProtocolConfig(AppConfig):
    name = "trial.protocol"
    label = "protocol"
