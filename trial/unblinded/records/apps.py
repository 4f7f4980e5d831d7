from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "trial.unblinded.records"
    label = "unblinded_records"
