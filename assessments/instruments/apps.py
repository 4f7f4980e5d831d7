from django.apps import AppConfig


class InstrumentsConfig(AppConfig):
    name = "assessments.instruments"
    label = "instruments"
