from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "assessments.visits"
    label = "visits"
