"""Tables of the analysis on the open side."""

from trial.config.rights.shared import PART_GUARD, PART_SILENT, PART_UPDATES, RUN_GUARD, RUN_SILENT, RUN_UPDATES
from trial.core.database.rights import Table

TABLES: dict[str, Table] = {
    "plans_planversion": Table(
        "open", blinded="si", unblinded="s", append_only=True, guards=(("equipoise_guard_plan", "before insert"),)
    ),
    "plans_plansignature": Table(
        "open",
        blinded="si",
        unblinded="s",
        append_only=True,
        guards=(("equipoise_guard_plan_signature", "before insert"),),
    ),
    "snapshots_snapshot": Table(
        "open",
        blinded="si",
        unblinded="s",
        append_only=True,
        secret=("content", "dictionary"),
        guards=(("equipoise_guard_snapshot", "before insert"),),
    ),
    "pooled_pooledrun": Table(
        "open",
        blinded="si",
        blinded_update=RUN_UPDATES,
        secret=("result",),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(RUN_GUARD,),
    ),
    "reports_report": Table(
        "open",
        blinded="si",
        blinded_update=(*RUN_UPDATES, "content", "content_sha256"),
        secret=("result", "content"),
        silent=RUN_SILENT,
        write_once=("result", "result_sha256", "finished_at"),
        guards=(("equipoise_guard_report", "before insert or update"), RUN_GUARD),
    ),
    "pooled_pooledpart": Table(
        "open",
        blinded="si",
        blinded_update=PART_UPDATES,
        secret=("result",),
        silent=PART_SILENT,
        write_once=("result", "finished_at"),
        guards=(PART_GUARD,),
    ),
}
