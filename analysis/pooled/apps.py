from django.apps import AppConfig


class PooledConfig(AppConfig):
    name = "analysis.pooled"
    label = "pooled"
