from django.apps import AppConfig


class SnapshotsConfig(AppConfig):
    name = "analysis.snapshots"
    label = "snapshots"
