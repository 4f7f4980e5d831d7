"""From plan.toml to a valid Plan of a protocol. Pure: no database, no settings."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from analysis.plans.checks import check
from analysis.plans.definition import (
    Covariance,
    Estimand,
    Freedom,
    IntercurrentEvent,
    Kind,
    Look,
    Looks,
    Method,
    Model,
    Multiplicity,
    Outcomes,
    Plan,
    Published,
    Sensitivity,
    Spending,
    Strategy,
    Subgroup,
    TeamRule,
    Timing,
)
from trial.protocol.definition import Protocol
from trial.protocol.problems import ProtocolError
from trial.protocol.reader import Problems, Table, read_toml

FILE = "plan.toml"
LONG = 2000
Thing = TypeVar("Thing")


def load(folder: Path, protocol: Protocol) -> Plan:
    """The plan of a folder for this protocol. Raises ProtocolError with every problem and its place."""
    problems = Problems()
    data = read_toml(folder / FILE, FILE, problems)
    if data is None:
        raise ProtocolError(problems.found)
    return _read(data, protocol, problems)


def parse(text: str, protocol: Protocol) -> Plan:
    """The plan that this text of TOML says, for this protocol. Raises ProtocolError with every problem and its place."""
    problems = Problems()
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problems.add(FILE, "", "not_toml", detail=str(error)[:200])
        raise ProtocolError(problems.found) from None
    return _read(data, protocol, problems)


def _read(data: dict[str, object], protocol: Protocol, problems: Problems) -> Plan:
    table = Table(FILE, "", data, problems)
    plan = Plan(
        title=table.text("title"),
        protocol_sha256=protocol.sha256,
        estimand=_estimand(table.table("estimand")),
        model=_model(table.table("model")),
        outcomes=_outcomes(table.table("outcomes")),
        alpha=table.number("alpha", 0.0001, 0.2),
        sides=table.integer("sides", 1, 2),
        unplanned_price=table.number("unplanned_price", 0.00001, 0.05, default=0.001),
        looks=_looks(table.table("looks")) if table.has("looks") else None,
        sensitivity=tuple(_sensitivity(row) for row in table.tables("sensitivity", least=0)),
        published=tuple(_published(row) for row in table.tables("published", least=0)),
        change=table.text("change", most=LONG, default=""),
        subgroups=tuple(_subgroup(row) for row in table.tables("subgroups", least=0)),
    )
    table.close()
    found = problems.found or check(plan, protocol, FILE).found
    if found:
        raise ProtocolError(found)
    return plan


def _estimand(table: Table) -> Estimand:
    events = tuple(
        _closing(
            row,
            lambda row: IntercurrentEvent(
                row.code(), row.text("name"), row.one_of("strategy", Strategy), row.text("visit_rule", most=LONG)
            ),
        )
        for row in table.tables("events", least=0)
    )
    return _closing(
        table,
        lambda row: Estimand(
            population=row.text("population", most=LONG),
            treatments=row.text("treatments", most=LONG),
            outcome=row.code("outcome"),
            visit=row.code("visit"),
            summary=row.text("summary", most=LONG),
            events=events,
        ),
    )


def _model(table: Table) -> Model:
    return _closing(
        table,
        lambda row: Model(
            method=row.one_of("method", Method),
            visits=row.codes("visits"),
            covariance=row.one_of("covariance", Covariance, default="us"),
            fallback=row.words("fallback", Covariance) if row.has("fallback") else (),
            df=row.one_of("df", Freedom),
            team=row.one_of("team", TeamRule),
            estimation=row.one_of("estimation", Literal["reml", "ml"], default="reml"),
            why=row.text("why", most=LONG),
            baseline_by_visit=row.flag("baseline_by_visit", default=True),
        ),
    )


def _outcomes(table: Table) -> Outcomes:
    return _closing(
        table,
        lambda row: Outcomes(
            secondary=row.codes("secondary") if row.has("secondary") else (),
            exploratory=row.codes("exploratory") if row.has("exploratory") else (),
            multiplicity=row.one_of("multiplicity", Multiplicity),
        ),
    )


def _looks(table: Table) -> Looks:
    looks = tuple(
        _closing(row, lambda row: Look(row.code(), row.number("at", 0.01, 600)))
        for row in table.tables("look")  # the table of one look: [[looks.look]]
    )
    return _closing(
        table,
        lambda row: Looks(
            timing=row.one_of("timing", Timing),
            spending=row.one_of("spending", Spending),
            parameter=row.number("parameter", -40, 40) if row.has("parameter") else None,
            delta=row.number("delta", 1e-6, 1e6),
            power=row.number("power", 0.5, 0.999),
            inflation=row.number("inflation", 1, 5, default=1),
            futility=row.number("futility", 0, 0.5, default=0),
            looks=looks,
        ),
    )


def _sensitivity(table: Table) -> Sensitivity:
    return _closing(
        table, lambda row: Sensitivity(row.code(), row.one_of("kind", Kind), row.text("assumption", most=LONG))
    )


def _subgroup(table: Table) -> Subgroup:
    return _closing(
        table,
        lambda row: Subgroup(row.code(), row.text("name"), row.text("by"), row.text("why", most=LONG), _cut(row)),
    )


def _cut(table: Table) -> Literal["median"] | float | None:
    if not table.has("cut"):
        return None
    if isinstance(table.data["cut"], str):
        word: Literal["median"] = table.one_of("cut", Literal["median"])
        return word
    return table.number("cut", -1e6, 1e6)


def _published(table: Table) -> Published:
    return _closing(
        table,
        lambda row: Published(
            row.text("topic"),
            row.text("planned", most=LONG),
            row.text("published", most=LONG),
            row.text("source"),
        ),
    )


def _closing(table: Table, make: Callable[[Table], Thing]) -> Thing:
    """The thing, after refusing the keys of the table that nobody asked for."""
    made = make(table)
    table.close()
    return made
