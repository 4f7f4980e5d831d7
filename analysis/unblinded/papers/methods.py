"""The methods of the trial for the final report: what the protocol and the analysis plan in force say."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.plans.models import PlanVersion
from analysis.plans.presenters import sections_of, signature_table
from analysis.plans.queries import plan_of, signatures_of
from analysis.reports.outcomes import rater_of
from analysis.reports.papers import document as doc
from analysis.runs.specs import outcome_of
from analysis.unblinded.models import LooksSignature
from trial.core.access.roles import BY_CODE
from trial.core.ui.tables import Column, Table
from trial.core.ui.text import Text
from trial.protocol.definition import Protocol

STRATA: dict[str, Text] = {
    "team": gettext_lazy("by treatment team"),
    "site": gettext_lazy("by site"),
    "none": gettext_lazy("none"),
}


def methods(protocol: Protocol, version: PlanVersion | None) -> doc.Section:
    """Design, eligibility, outcomes and blinding from the protocol; estimand, model and sensitivity from the plan."""
    blocks: list[doc.Block | None] = [
        doc.facts(_design(protocol)),
        doc.table(_eligibility(protocol)),
        doc.table(_outcomes(protocol)),
        doc.facts(_blinding(protocol)),
    ]
    if version is None:
        blocks.append(doc.text(_("No analysis plan has been loaded.")))
        return doc.section(_("Methods"), *blocks)
    blocks.append(doc.table(_signatures(version)))
    for one in sections_of(plan_of(version), protocol):
        blocks.append(doc.heading(one.title))
        blocks.append(doc.facts(one.facts) if one.facts else None)
        blocks += [doc.table(table) for table in (one.table, *one.tables) if table]
        blocks.append(doc.text(one.note) if one.note else None)
    return doc.section(_("Methods"), *blocks)


def _signatures(version: PlanVersion) -> Table:
    has_looks = plan_of(version).looks is not None
    looks = LooksSignature.objects.filter(plan_id=version.pk).first() if has_looks else None
    found: Table = signature_table(version, signatures_of(version), looks, has_looks=has_looks)
    return found


def _design(protocol: Protocol) -> list[tuple[Text, Any]]:
    ratio = " : ".join(str(arm.ratio) for arm in protocol.arms)
    registered = "; ".join(f"{one.registry} {one.number}" for one in protocol.registrations)
    return [
        (_("Trial"), protocol.title),
        (_("Registration"), registered or _("none is in the protocol")),
        (_("Design"), _("Randomized trial of parallel arms")),
        (_("Arms"), "; ".join(f"{arm.name} ({arm.description})" if arm.description else arm.name for arm in protocol.arms)),
        (_("Ratio"), ratio),
        (_("Strata"), STRATA[protocol.strata_rule]),
        (_("Sites and teams"), _("%(sites)d sites, %(teams)d teams: %(names)s") % {
            "sites": len(protocol.sites), "teams": len(protocol.teams), "names": ", ".join(site.name for site in protocol.sites),
        }),
        (_("Planned participants"), protocol.target_sample_size),
        (_("Allocation"), _("By a separate program that alone holds the sequence; whoever enrolls learns that it is done, not the arm.")),
    ]  # fmt: skip


def _eligibility(protocol: Protocol) -> Table:
    kinds = {"inclusion": _("Needed"), "exclusion": _("Excludes")}
    rows = [[kinds[one.kind], one.text] for one in protocol.criteria]
    return Table([Column(_("Criterion")), Column(_("What"))], rows, caption=_("Who could take part"))


def _outcomes(protocol: Protocol) -> Table:
    """The primary and secondary outcomes with who rated them, and whether blind."""
    rows = []
    for form in protocol.instruments:
        for scale in form.scales:
            if scale.role in ("primary", "secondary", "exploratory"):
                role = {"primary": _("primary"), "secondary": _("secondary")}.get(scale.role, _("exploratory"))
                visits = ", ".join(protocol.visit(code).name for code in form.visits)
                rows.append([scale.name, role, rater_of(outcome_of(protocol, scale.code)), visits])
    columns = [Column(_("Outcome")), Column(_("Role")), Column(_("Rated by")), Column(_("Visits"))]
    return Table(columns, sorted(rows, key=lambda row: row[1] != _("primary")), caption=_("Outcomes"))


def _blinding(protocol: Protocol) -> list[tuple[Text, Any]]:
    roles = ("coordinator", "interviewer", "rater", "datamanager", "statistician", "investigator")
    blind = [str(BY_CODE[role].title) for role in roles if protocol.is_blind(role)]
    open_ = [str(BY_CODE[role].title) for role in roles if not protocol.is_blind(role)]
    return [
        (_("Blind"), ", ".join(blind)),
        (_("Not blind"), ", ".join([_("participants"), _("those who treat"), *open_])),
        (_("How"), _("Arms and whatever can reveal them lie behind database rights that blind people do not hold.")),
    ]
