"""What several tables have in common."""

from trial.core.database.rights import DEFERRED

RUN_UPDATES = (
    "state",
    "stage",
    "progress",
    "attempt",
    "heartbeat_at",
    "started_at",
    "finished_at",
    "failure",
    "result",
    "result_sha256",
)
RUN_SILENT = ("stage", "progress", "heartbeat_at")
"""What a run writes every second."""
PART_UPDATES = ("state", "attempt", "heartbeat_at", "started_at", "finished_at", "result")
PART_SILENT = ("heartbeat_at",)
RUN_GUARD = ("equipoise_guard_run", "before insert or update")

PART_GUARD = ("equipoise_guard_part", "before insert or update")

ALLOCATED = "after insert or update" + DEFERRED
