"""What every report freezes when it is asked for, and how a worker makes it."""

from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from analysis.methods.canonical import digest, encode, plain
from analysis.methods.environment import code_hash, environment_hash
from analysis.plans.models import PlanVersion
from analysis.reports.models import Paper
from analysis.reports.papers.typesetting import pdf
from analysis.snapshots.models import Snapshot
from trial.core import db
from trial.core.actions import part
from trial.core.ui.context import demo_words
from trial.protocol.definition import Protocol

SHORT = 16
"""So many digits of a digest stand at the foot of a page; on the first page it stands whole."""

Keep = Callable[[bytes, str], None]
Kept = TypeVar("Kept", bound=Paper)


def snapshot_of(row: Snapshot) -> dict[str, Any]:
    """A snapshot as a report names it."""
    return {"id": str(row.pk), "sha256": row.sha256, "made_at": row.made_at.isoformat(), "after_lock": row.after_lock}


@part
def under_way(model: type[Kept], kind: str) -> Kept | None:
    """The report of this kind that a worker has still to make: who asks again meanwhile, or clicks twice, gets this one."""
    db.take_turn(f"report {kind}")
    waiting = model._default_manager.filter(kind=kind, state__in=("queued", "running"))
    found: Kept | None = waiting.order_by("created_at", "id").first()
    return found


def frozen(asked: dict[str, Any], plan: PlanVersion | None, by: db.Actor) -> dict[str, Any]:
    """The columns of a report that is asked for. A report draws nothing, and so has no seed."""
    named = {"number": plan.number, "sha256": plan.sha256} if plan else None
    return {
        "spec": {**asked, "plan": named},
        "seed": 0,
        "code_version": code_hash(),
        "environment_hash": environment_hash(),
        "created_by": by.actor_id,
    }


def finished(report: Paper, document: dict[str, Any], keep: Keep) -> dict[str, Any]:
    """The document as it is stored. Its PDF is set from just that and given to ``keep`` with its digest."""
    stored: dict[str, Any] = plain(document)
    content = pdf(stored, sha256=digest(encode(stored)), made_at=report.created_at)
    keep(content, sha256(content).hexdigest())
    return stored


def synthetic_words(protocol: Protocol) -> str:
    """What each page of a report says of data that no running trial gave; empty in a real trial.

    A protocol with a notice says so itself, whatever this process was started as. Published data that were imported are no synthetic ones.
    """
    if not (settings.DEMO or protocol.notice):
        return ""
    words, head = demo_words(), _("Synthetic data")
    return words if protocol.anchor_date or words.startswith(head) else f"{head}. {words}"


def head_of(protocol: Protocol) -> str:
    """The trial, for the head of each page."""
    title = protocol.title
    return title if title.startswith(protocol.short_name) else f"{protocol.short_name}: {title}"


def record_of(report: Paper, protocol_sha256: str) -> list[tuple[str, Any]]:
    """What makes a report reproducible, whole."""
    spec = report.spec
    plan = spec.get("plan")
    return [
        (_("Made"), report.created_at),
        (_("Snapshot, SHA-256"), spec["snapshot"]["sha256"] if spec.get("snapshot") else _("none")),
        (_("Analysis plan"), _("version %(number)d, SHA-256 %(sha256)s") % plan if plan else _("none is loaded")),
        (_("Protocol, SHA-256"), protocol_sha256),
        (_("Program, SHA-256"), report.code_version),
        (_("Environment, SHA-256"), report.environment_hash),
        (_("Set by"), f"Typst {version('typst')}"),
    ]


def stamps_of(report: Paper) -> list[tuple[str, Any]]:
    """The same in short, for the foot of each page."""
    spec = report.spec
    plan = spec.get("plan")
    found: list[tuple[str, Any]] = []
    if spec.get("snapshot"):
        found.append((_("Snapshot"), spec["snapshot"]["sha256"][:SHORT]))
    if plan:
        found.append((_("Plan %(number)d") % plan, plan["sha256"][:SHORT]))
    return [*found, (_("Program"), report.code_version[:SHORT])]
