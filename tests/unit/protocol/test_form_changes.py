"""Forms with answers: what a new version may still do with them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trial.protocol.changes import Used, compare
from trial.protocol.definition import Anchor, Instrument, Item, Protocol
from trial.protocol.loader import load

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"
ANSWERED = Used(answers=frozenset({("bdi", "M2", "bdi_total"), ("background", "M0", "length")}))


@pytest.fixture(scope="module")
def blues() -> Protocol:
    return load(SHIPPED / "btheb")


def with_form(protocol: Protocol, form: str, **changes: Any) -> Protocol:
    """The protocol with one form changed."""
    forms = tuple(replace(i, **changes) if i.code == form else i for i in protocol.instruments)
    return replace(protocol, instruments=forms)


def with_item(protocol: Protocol, form: str, code: str, **changes: Any) -> Protocol:
    """The protocol with one item changed."""
    items: tuple[Item, ...] = tuple(
        replace(i, **changes) if i.code == code else i for i in protocol.instrument(form).items
    )
    return with_form(protocol, form, items=items)


def keys(old: Protocol, new: Protocol) -> list[tuple[str, str]]:
    assert compare(old, new, Used()) == ()
    return [(p.file, p.key) for p in compare(old, new, ANSWERED)]


@pytest.mark.parametrize(
    ("form", "item", "changes", "key"),
    [
        ("bdi", "bdi_total", {"max": 60}, "items.bdi_total.max"),
        ("bdi", "bdi_total", {"min": 1}, "items.bdi_total.min"),
        ("bdi", "bdi_total", {"kind": "decimal"}, "items.bdi_total.kind"),
        ("bdi", "bdi_total", {"unit": "points"}, "items.bdi_total.unit"),
        ("background", "length", {"anchors": (Anchor(0, "<6m"), Anchor(2, ">6m"))}, "items.length.anchors"),
    ],
)
def test_an_item_with_answers_keeps_its_kind_and_range(
    blues: Protocol, form: str, item: str, changes: dict[str, Any], key: str
) -> None:
    assert keys(blues, with_item(blues, form, item, **changes)) == [(f"instruments/{form}.toml", key)]


@pytest.mark.parametrize(
    ("form", "item", "changes"),
    [
        ("bdi", "bdi_total", {"max": 70}),
        ("bdi", "bdi_total", {"topic": "Total"}),
        ("background", "length", {"anchors": (Anchor(0, "under 6 months"), Anchor(1, "over"), Anchor(2, "unknown"))}),
        ("background", "drug", {"kind": "integer", "min": 0, "max": 9}),
    ],
)
def test_rewording_widening_and_unanswered_items_are_free(
    blues: Protocol, form: str, item: str, changes: dict[str, Any]
) -> None:
    assert keys(blues, with_item(blues, form, item, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rater": "clinician"}, "rater"),
        ({"rater_blind": True}, "rater_blind"),
        ({"visits": ("M0", "M3", "M5", "M8")}, "visits"),
        ({"scales": ()}, "scales"),
        ({"code": "bdi2"}, "code"),
    ],
)
def test_a_form_with_answers_keeps_rater_visits_and_scales(blues: Protocol, changes: dict[str, Any], key: str) -> None:
    assert keys(blues, with_form(blues, "bdi", **changes)) == [("instruments/bdi.toml", key)]


def test_a_score_keeps_its_range(blues: Protocol) -> None:
    scale = blues.scale("bdi")
    assert keys(blues, with_form(blues, "bdi", scales=(replace(scale, max=60),)))
    assert not keys(blues, with_form(blues, "bdi", scales=(replace(scale, max=70, name="BDI"),)))


def test_a_renamed_item_is_recognized(blues: Protocol) -> None:
    form: Instrument = blues.instrument("bdi")
    renamed = with_form(blues, "bdi", items=(replace(form.items[0], code="bdi_total1"),), scales=form.scales)
    texts = [problem.text for problem in compare(blues, renamed, ANSWERED)]
    assert any("was it renamed to bdi_total1" in text for text in texts)


def test_a_visit_with_data_stays_and_stays_what_it_is(blues: Protocol) -> None:
    visits = tuple(replace(v, is_baseline=not v.is_baseline) if v.code == "M2" else v for v in blues.visits)
    assert keys(blues, replace(blues, visits=visits)) == [("visits.toml", "visits")]
    later = tuple(replace(v, offset=9, after=60) if v.code == "M8" else v for v in blues.visits)
    assert keys(blues, replace(blues, visits=later)) == []
