from django.apps import AppConfig


class SeriousEventsConfig(AppConfig):
    name = "trial.participants.events"
    label = "participants_events"
