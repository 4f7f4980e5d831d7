"""Reading one file of the folder `instruments`: a form with its items and scales.

Items may be written one by one or as a series (`prefix` and `count`: prefix01, prefix02, ... with `topics`, or `topic` 1,
`topic` 2, ...). A scale names its items
one by one or as a range of the file's order ("bsi_01..bsi_53"). A check (`[[checks]]`) names the answers that are odd together:
`when = { admissions = [0, 0] }`, `expect = { hospital = [0, 0] }`, or `differ = ["sers_pos_01..sers_neg_10"]`.
"""

import re
from collections.abc import Sequence
from typing import Any

from trial.protocol.definition import (
    Anchor,
    Bounds,
    Check,
    Direction,
    Instrument,
    Item,
    ItemKind,
    Method,
    MissingRule,
    Rater,
    Scale,
    ScaleRole,
    Strength,
)
from trial.protocol.reader import Table, show, similar

MOST = 1_000_000
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,26}\Z")


def instrument(table: Table) -> tuple[int, Instrument]:
    """The instrument with its place in the order of forms."""
    order = table.integer("order", 0, 10_000, default=100)
    items = tuple(item for row in table.tables("items") for item in _items(row))
    codes = [item.code for item in items]
    found = Instrument(
        code=table.code(),
        name=table.text("name"),
        topic=table.text("topic", most=60),
        rater=table.one_of("rater", Rater),
        rater_blind=table.flag("rater_blind"),
        visits=table.codes("visits"),
        items=items,
        scales=tuple(_scale(row, codes) for row in table.tables("scales", least=0)),
        notice=table.text("notice", most=500, default=""),
        checks=tuple(_check(row, codes) for row in table.tables("checks", least=0)),
    )
    table.close()
    return order, found


def _items(row: Table) -> list[Item]:
    """One item, or the items of a series."""
    shape: dict[str, Any] = _shape(row)
    if not row.has("prefix"):
        items = [Item(code=row.code(), topic=row.text("topic", most=60), **shape)]
        row.close()
        return items
    prefix = row.text("prefix", most=27)
    if not PREFIX.match(prefix):
        row.problem("prefix", "bad_code", found=show(prefix))
        prefix = "x"
    count = row.integer("count", 1, 300)
    stem = row.text("topic", most=50, default="Item")
    topics = row.texts("topics", most=60) if row.has("topics") else tuple(f"{stem} {n}" for n in range(1, count + 1))
    if len(topics) != count:
        row.problem("topics", "too_few", found=str(len(topics)), allowed=f"{count}, one for each item of the series")
    width = max(2, len(str(count)))
    row.close()
    return [Item(code=f"{prefix}{n:0{width}}", topic=topic, **shape) for n, topic in enumerate(topics, start=1)]


def _shape(row: Table) -> dict[str, Any]:
    """What an item of this kind must and may say. A key that its kind does not know is unknown."""
    kind = row.one_of("kind", ItemKind)
    shape: dict[str, Any] = {"kind": kind, "optional": row.flag("optional", default=False)}
    if kind in ("integer", "decimal"):
        read = row.integer if kind == "integer" else row.number
        shape |= {"min": read("min", -MOST, MOST), "max": read("max", -MOST, MOST)}
        shape["unit"] = row.text("unit", most=30, default="")
        if shape["min"] >= shape["max"]:
            row.problem("max", "out_of_range", found=show(shape["max"]), allowed=f"more than min = {shape['min']}")
    if kind == "text":
        shape["max"] = row.integer("max", 1, 2000)
    if kind in ("integer", "choice"):
        shape["anchors"] = _anchors(row, shape)
    return shape


def _anchors(row: Table, shape: dict[str, Any]) -> tuple[Anchor, ...]:
    is_choice = shape["kind"] == "choice"
    if not is_choice and not row.has("anchors"):
        return ()
    table = row.table("anchors")
    anchors = []
    for key in table.data:
        if not re.fullmatch(r"-?[0-9]{1,6}", key) or str(int(key)) != key:
            table.problem(key, "bad_text", allowed='a whole number as key, such as 1 = "never"')
            table.asked.append(key)
        else:
            anchors.append(Anchor(int(key), table.text(key, most=60)))
    table.close()
    if is_choice and len(anchors) < 2:
        row.problem("anchors", "too_few", found=str(len(anchors)), allowed="2 or more")
    for anchor in anchors:
        if not is_choice and not shape["min"] <= anchor.value <= shape["max"]:
            row.problem("anchors", "out_of_range", found=str(anchor.value), allowed=f"{shape['min']} to {shape['max']}")
    return tuple(sorted(anchors, key=lambda anchor: anchor.value))


def _scale(row: Table, codes: Sequence[str]) -> Scale:
    method = row.one_of("method", Method)
    items = _item_codes(row, "items", codes)
    weights = row.numbers("weights") if method == "weighted" else ()
    if method == "weighted" and len(weights) != len(items):
        row.problem("weights", "too_few", found=str(len(weights)), allowed=f"{len(items)}, one for each item")
    negative = _item_codes(row, "negative_items", codes) if method == "difference" else ()
    scale = Scale(
        code=row.code(),
        name=row.text("name"),
        method=method,
        items=items,
        direction=row.one_of("direction", Direction),
        min=row.number("min", -MOST, MOST),
        max=row.number("max", -MOST, MOST),
        role=row.one_of("role", ScaleRole),
        reversed_items=_item_codes(row, "reversed_items", codes) if row.has("reversed_items") else (),
        negative_items=negative,
        weights=weights,
        missing=MissingRule(row.number("min_answered", 0.01, 1)),
    )
    row.close()
    return scale


def _check(row: Table, codes: Sequence[str]) -> Check:
    """A check needs something to look at: bounds that are expected, or items that differ."""
    check = Check(
        code=row.code(),
        text=row.text("text", most=200),
        strength=row.one_of("strength", Strength),
        when=_bounds(row, "when"),
        expect=_bounds(row, "expect"),
        differ=_item_codes(row, "differ", codes) if row.has("differ") else (),
    )
    if bool(check.expect) == bool(check.differ):
        row.problem("expect", "conflict", detail="a check names either expect or differ", allowed="one of the two")
    if check.when and not check.expect:
        row.problem("when", "conflict", detail="when says in which case expect holds", allowed="expect beside it")
    row.close()
    return check


def _bounds(row: Table, key: str) -> tuple[Bounds, ...]:
    """Items with the lowest and highest answer that is meant: `{ admissions = [1, 2] }`."""
    if not row.has(key):
        return ()
    table, found = row.table(key), []
    for item in table.data:
        ends = table.numbers(item)
        if len(ends) != 2 or ends[0] > ends[1]:
            table.problem(item, "bad_text", allowed="the lowest and the highest answer, such as [0, 2]")
            continue
        found.append(Bounds(item, *ends))
    table.close()
    return tuple(found)


def _item_codes(row: Table, key: str, codes: Sequence[str]) -> tuple[str, ...]:
    """Items of the form, ranges written out. Unknown and repeated ones are refused."""
    found: list[str] = []
    for entry in row.codes(key):
        ends = entry.split("..") if entry.count("..") == 1 else [entry, entry]
        unknown = [end for end in ends if end not in codes]
        for end in unknown:
            row.problem(
                key, "unknown_reference", found=show(end), what="items", where=row.file, similar=similar(end, codes),
                allowed=", ".join(codes[:20]) + (", ..." if len(codes) > 20 else ""),
            )  # fmt: skip
        if unknown:
            continue
        first, last = codes.index(ends[0]), codes.index(ends[1])
        if first > last:
            row.problem(key, "bad_text", allowed=f"a range in the order of the file, such as {ends[1]}..{ends[0]}")
        found += codes[first : last + 1]
    for code in dict.fromkeys(code for code in found if found.count(code) > 1):
        row.problem(key, "duplicate", found=show(code), what="entry")
    return tuple(dict.fromkeys(found))
