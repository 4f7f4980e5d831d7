"""The files of a protocol folder, one function each: a table in, a part of the definition out, problems on the side."""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from trial.protocol.definition import (
    DEFAULT_BLINDNESS,
    Analysis,
    Arm,
    CompletionRule,
    ConsentPart,
    ConsentVersion,
    Covariate,
    Criterion,
    CriterionKind,
    FidelityBand,
    FidelityItem,
    FidelityScale,
    Module,
    Reason,
    RecordsPlan,
    Registration,
    RoleBlindness,
    SessionsPlan,
    Site,
    Strata,
    Team,
    Unit,
    Visit,
)
from trial.protocol.reader import Table

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class VisitsFile:
    """What visits.toml holds."""

    visits: tuple[Visit, ...]
    missed_visit: tuple[Reason, ...]
    missing_item: tuple[Reason, ...]
    records: RecordsPlan | None


@dataclass(frozen=True)
class EligibilityFile:
    """What eligibility.toml holds."""

    criteria: tuple[Criterion, ...]
    exclusion: tuple[Reason, ...]
    decline: tuple[Reason, ...]


def trial(table: Table) -> dict[str, Any]:
    """trial.toml: the fields of the Protocol that it holds, by name."""
    fields = {
        "short_name": table.text("short_name", most=40),
        "title": table.text("title", most=500),
        "target_sample_size": table.integer("target_sample_size", 1, 1_000_000),
        "strata_rule": table.one_of("strata", Strata),
        "notice": table.text("notice", most=500, default=""),
        "anchor_date": table.date("anchor_date"),
        "registrations": tuple(_registration(row) for row in table.tables("registrations", least=0)),
        "arms": tuple(_arm(row) for row in table.tables("arms")),
        "blindness": _blindness(table),
    }
    table.close()
    return fields


def sites(table: Table) -> tuple[tuple[Site, ...], tuple[Team, ...]]:
    """sites.toml."""
    found_sites = tuple(
        _closing(row, Site(row.code(), row.text("name"), row.flag("coordinator_sees_allocation", default=False)))
        for row in table.tables("sites")
    )
    teams = tuple(_closing(row, Team(row.code(), row.text("name"), row.code("site"))) for row in table.tables("teams"))
    table.close()
    return found_sites, teams


def visits(table: Table) -> VisitsFile:
    """visits.toml."""
    found = VisitsFile(
        visits=tuple(_visit(row) for row in table.tables("visits", least=2)),
        missed_visit=_reasons(table, "missed_visit_reasons"),
        missing_item=_reasons(table, "missing_item_reasons"),
        records=_records(table.table("records")) if table.has("records") else None,
    )
    table.close()
    return found


def eligibility(table: Table) -> EligibilityFile:
    """eligibility.toml."""
    found = EligibilityFile(
        criteria=tuple(_criterion(row) for row in table.tables("criteria")),
        exclusion=_reasons(table, "exclusion_reasons"),
        decline=_reasons(table, "decline_reasons"),
    )
    table.close()
    return found


def consent(table: Table) -> tuple[tuple[ConsentPart, ...], tuple[ConsentVersion, ...], tuple[Reason, ...]]:
    """consent.toml."""
    parts = tuple(
        _closing(row, ConsentPart(row.code(), row.text("name"), row.text("text", most=2000), row.flag("required")))
        for row in table.tables("parts")
    )
    versions = tuple(
        _closing(row, ConsentVersion(row.code(), row.text("name"), row.codes("parts"), row.date("approved_on")))
        for row in table.tables("versions")
    )
    withdrawal = _reasons(table, "withdrawal_reasons", least=0)
    table.close()
    return parts, versions, withdrawal


def analysis(table: Table) -> Analysis:
    """analysis.toml."""
    found = Analysis(
        outcome=table.code("outcome"),
        visits=table.codes("visits"),
        primary_visit=table.code("primary_visit"),
        method=table.one_of("method", Literal["lmm"]),
        baseline=table.one_of("baseline", Literal["covariate", "outcome"]),
        time=table.one_of("time", Literal["linear", "categorical"]),
        arm_by_time=table.flag("arm_by_time"),
        team=table.one_of("team", Literal["none", "fixed", "random"]),
        estimation=table.words("estimation", Literal["ml", "reml"]),
        alpha=table.number("alpha", 0.0001, 0.2),
        standardize_by=table.one_of("standardize_by", Literal["baseline", "model_visit"]),
        covariates=tuple(_covariate(row) for row in table.tables("covariates", least=0)),
        fidelity_sessions=table.integer("fidelity_sessions", 0, 1000, default=0),
    )
    table.close()
    return found


def sessions(table: Table) -> tuple[SessionsPlan, tuple[FidelityScale, ...]]:
    """sessions.toml."""
    completion = table.table("completion")
    plan = SessionsPlan(
        arms=table.codes("arms"),
        modules=tuple(_closing(row, Module(row.code(), row.text("name"))) for row in table.tables("modules")),
        every_days=table.integer("every_days", 1, 366),
        minutes=table.integer("minutes", 1, 1440),
        trainers=table.integer("trainers", 1, 20),
        max_group_size=table.integer("max_group_size", 1, 100),
        entry=table.one_of("entry", Literal["rolling", "closed"]),
        planned_sessions=table.integer("planned_sessions", 1, 1000),
        completion=_closing(
            completion,
            CompletionRule(
                share=completion.number("share", 0.01, 1),
                denominator=completion.one_of("denominator", Literal["offered", "planned", "held"]),
            ),
        ),
    )
    fidelity = tuple(_fidelity(row) for row in table.tables("fidelity", least=0))
    table.close()
    return plan, fidelity


def _closing(row: Table, thing: Thing) -> Thing:
    """The thing, after refusing the keys of the row that nobody asked for."""
    row.close()
    return thing


def _registration(row: Table) -> Registration:
    return _closing(row, Registration(row.text("registry"), row.text("number", most=60)))


def _arm(row: Table) -> Arm:
    arm = Arm(
        code=row.code(),
        name=row.text("name"),
        ratio=row.integer("ratio", 1, 20),
        experimental=row.flag("experimental"),
        description=row.text("description", most=500, default=""),
    )
    row.close()
    return arm


def _blindness(table: Table) -> tuple[RoleBlindness, ...]:
    if not table.has("blindness"):
        return ()
    rows = table.table("blindness")
    found = tuple(RoleBlindness(role, rows.flag(role)) for role in sorted(DEFAULT_BLINDNESS) if rows.has(role))
    rows.close()
    return found


def _visit(row: Table) -> Visit:
    is_baseline = row.flag("baseline", default=False)
    visit = Visit(
        code=row.code(),
        name=row.text("name"),
        offset=row.integer("offset", 0, 7300, default=0) if is_baseline else row.integer("offset", 0, 7300),
        unit=row.one_of("unit", Unit, default="months") if is_baseline else row.one_of("unit", Unit),
        before=row.integer("days_before", 0, 3650, default=0) if is_baseline else row.integer("days_before", 0, 3650),
        after=row.integer("days_after", 0, 3650, default=0) if is_baseline else row.integer("days_after", 0, 3650),
        is_baseline=is_baseline,
    )
    row.close()
    return visit


def _reasons(table: Table, key: str, least: int = 1) -> tuple[Reason, ...]:
    return tuple(
        _closing(row, Reason(row.code(), row.text("text", most=200))) for row in table.tables(key, least=least)
    )


def _records(row: Table) -> RecordsPlan:
    plan = RecordsPlan(
        before_visit=row.code("before_visit"),
        before_days=row.integer("before_days", 0, 7300),
        after_visit=row.code("after_visit"),
        after_days=row.integer("after_days", 0, 7300),
    )
    row.close()
    return plan


def _criterion(row: Table) -> Criterion:
    criterion = Criterion(row.code(), row.text("text", most=500), row.one_of("kind", CriterionKind))
    row.close()
    return criterion


def _covariate(row: Table) -> Covariate:
    reference = row.integer("reference", -1000, 1000) if row.has("reference") else None
    covariate = Covariate(row.code(), row.code("instrument"), row.code("item"), reference)
    row.close()
    return covariate


def _fidelity(row: Table) -> FidelityScale:
    scale = FidelityScale(
        code=row.code(),
        name=row.text("name"),
        min=row.integer("min", 0, 100),
        max=row.integer("max", 0, 100),
        raters=row.integer("raters", 1, 5),
        items=tuple(
            _closing(item, FidelityItem(item.code(), item.text("topic"), item.flag("optional", default=False)))
            for item in row.tables("items")
        ),
        bands=tuple(
            _closing(band, FidelityBand(band.code(), band.text("name"), band.number("minimum", 0, 100)))
            for band in row.tables("bands")
        ),
    )
    row.close()
    return scale
