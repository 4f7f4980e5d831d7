from django.apps import AppConfig


class CleaningConfig(AppConfig):
    name = "assessments.cleaning"
    label = "cleaning"
