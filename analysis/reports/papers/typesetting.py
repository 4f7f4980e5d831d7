"""A document as a PDF: set by Typst from one template of ours. The document reaches it as JSON, so that nothing in it is markup.

The same document, digest and instant give the same bytes: the fonts are those that Typst brings along, and the instant is given.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from analysis.methods.canonical import encode
from trial.core.ui.charts import svg

TEMPLATE = Path(__file__).with_name("paper.typ")
WIDTHS = {False: 481.0, True: 728.0}
"""The room between the margins of an A4 page, upright and on its side, in points."""
HIGHEST = {False: 590.0, True: 360.0}
SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
POINTS = 0.75
"""A pixel of a figure in points: its letters are then a little smaller than those of the text."""


def pdf(document: Mapping[str, Any], *, sha256: str, made_at: dt.datetime) -> bytes:
    """The document as a tagged PDF (PDF/UA-1). ``sha256``: its digest, which stands on each page."""
    import typst

    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs=inputs(document, sha256=sha256),
        ignore_system_fonts=True,
        pdf_standards="ua-1",
        timestamp=int(made_at.timestamp()),
    )
    return _pages(made)[0]


def pictures(document: Mapping[str, Any], *, sha256: str) -> list[bytes]:
    """The pages as PNG, for eyes that look over the layout."""
    import typst

    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="png",
        ppi=80,
        sys_inputs=inputs(document, sha256=sha256),
        ignore_system_fonts=True,
        timestamp=0,
    )
    return _pages(made)


def _pages(made: bytes | list[bytes] | None) -> list[bytes]:
    """What Typst gives: one file, or one for each page."""
    return made if isinstance(made, list) else [made or b""]


def inputs(document: Mapping[str, Any], *, sha256: str) -> dict[str, str]:
    """What the template is given: the document with its figures drawn, and the words of its own."""
    sections = [
        {**one, "blocks": [_drawn(block, bool(one["wide"])) for block in one["blocks"]]} for one in document["sections"]
    ]
    said = {
        "document": _("Document, SHA-256"),
        "page": _("Page"),
        "of": _("of"),
        "contents": _("Contents"),
        "record": _("What makes this report reproducible"),
        "digest": sha256,
    }
    return {"paper": json.dumps({**document, "sections": sections}, sort_keys=True), "said": json.dumps(said)}


def _drawn(block: Mapping[str, Any], wide: bool) -> Mapping[str, Any]:
    """A block with its figure as SVG, and as wide as the page allows."""
    if block["kind"] != "figure":
        return block
    drawn = svg(
        json.loads(encode(block["spec"]))
    )  # the database keeps no order of keys, and a drawing may depend on it
    size = SIZE.search(drawn)
    width, height = (POINTS * float(size[1]), POINTS * float(size[2])) if size else (WIDTHS[wide], 1.0)
    scale = min(1.0, WIDTHS[wide] / width, HIGHEST[wide] / height)
    return {**block, "svg": drawn, "width": round(scale * width, 2), "spec": None}
