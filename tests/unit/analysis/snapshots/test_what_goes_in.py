"""A snapshot holds safe columns alone: each is classified by the field or the item that it is read from."""

from dataclasses import replace
from typing import Any

import pytest

from analysis.plans.reading import load
from analysis.snapshots import extract
from tests import world
from trial.core.errors import Refused
from trial.protocol.definition import Covariate, Item


def test_the_columns_of_the_shipped_protocols_are_safe() -> None:
    assert extract.columns_of(world.read("imr"))[:6] == list(extract.KEYS)
    assert {"drug", "length"} <= set(extract.columns_of(world.read("btheb")))


def test_what_a_plan_divides_by_is_a_column_and_nothing_beside_it() -> None:
    protocol = world.read("imr")
    plan = load(world.ROOT / "protocols" / "imr", protocol)
    without, with_plan = extract.columns_of(protocol), extract.columns_of(protocol, plan)
    assert [one for one in with_plan if one not in without] == ["sex"]
    assert extract.columns_of(protocol, replace(plan, subgroups=())) == without


def test_free_text_is_refused_also_where_no_loader_stood_before() -> None:
    """The loader refuses such a covariate; a document of another origin meets the same rule where the columns are collected."""
    protocol = world.read("btheb")
    remark = Item("remark", "Remark", "text", max=200, optional=True)
    instruments = tuple(
        replace(one, items=(*one.items, remark)) if one.code == "background" else one for one in protocol.instruments
    )
    analysis = replace(protocol.analysis, covariates=(Covariate("said", "background", "remark"),))
    with pytest.raises(Refused, match=r"said \(free_text\)"):
        extract.columns_of(replace(protocol, instruments=instruments, analysis=analysis))


@pytest.mark.parametrize("field", ["participants_contact.name", "cleaning_dataquery.text", "unblinded_allocation.arm"])
def test_a_column_of_a_higher_class_is_refused(monkeypatch: Any, field: str) -> None:
    monkeypatch.setitem(extract.KEYS, "planted", field)
    with pytest.raises(Refused, match="planted"):
        extract.columns_of(world.read("imr"))
