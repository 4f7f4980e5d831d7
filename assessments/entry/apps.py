from django.apps import AppConfig


class EntryConfig(AppConfig):
    name = "assessments.entry"
    label = "entry"
