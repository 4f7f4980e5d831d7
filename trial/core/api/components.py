"""What the document of the API says about its answers, in JSON Schema."""

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}


def thing(description: str = "", /, **properties: Any) -> dict[str, Any]:
    """A JSON object with these properties, all of them present."""
    made: dict[str, Any] = {"type": "object", "properties": properties, "required": list(properties)}
    return {"description": description, **made} if description else made


def listed(schema: dict[str, Any]) -> dict[str, Any]:
    """A list of these."""
    return {"type": "array", "items": schema}


def _part(kind: str, description: str, **properties: Any) -> dict[str, Any]:
    return thing(description, kind={"const": kind}, name=TEXT, **properties)


_VALUE: dict[str, Any] = {
    "description": "A number, a text, a day or instant (ISO 8601), true or false, null, a link or a state.",
    "oneOf": [
        {"type": ["string", "number", "boolean", "null", "array"]},
        thing("A link: its words, and the address of the API where the page leads.", text=TEXT, address=TEXT_OR_NONE),
        thing("A state: its code and its words.", state=TEXT, text=TEXT),
    ],
}
_PAGE = thing(
    "A long list comes in pages: ask again with `?page=`.",
    number={"type": "integer"},
    pages={"type": "integer"},
    total={"type": "integer"},
    previous=TEXT_OR_NONE,
    next=TEXT_OR_NONE,
)
_COLUMN = thing(label=TEXT, unit=TEXT, kind={"enum": ["text", "number", "p", "code"]})
_TABLE: dict[str, Any] = {
    "caption": TEXT,
    "columns": listed(_COLUMN),
    "rows": listed(listed({"$ref": "#/components/schemas/Value"})),
    "note": TEXT,
    "empty": TEXT,
    "page": _PAGE,
    "csv": TEXT_OR_NONE,
}
_FACT = thing(label=TEXT, value={"$ref": "#/components/schemas/Value"})
_ITEM = thing(title=TEXT, detail=TEXT, state=TEXT, on=TEXT_OR_NONE, address=TEXT_OR_NONE)
_CHANGE = thing(at=TEXT, who=TEXT, what=TEXT, old={}, new={}, reason=TEXT)
_CHOICE = thing(value=TEXT, label=TEXT)
_REASON = thing(level={"enum": ["good", "caution", "poor"]}, text=TEXT)
_COUNT: dict[str, Any] = {"type": "integer"}
_PARTS = listed({"$ref": "#/components/schemas/Part"})

SCHEMAS: dict[str, Any] = {
    "Page": thing(
        "What a page shows: its head, and its parts in order.", title=TEXT, over=TEXT, lead=TEXT, parts=_PARTS
    ),
    "Part": {
        "oneOf": [
            _part("text", "A sentence or heading.", text=TEXT),
            _part("state", "A state word.", state=TEXT, text=TEXT),
            _part("facts", "Pairs of label and value.", facts=listed(_FACT)),
            _part("table", "A table.", **_TABLE),
            _part(
                "chart",
                "A figure: its specification in Vega-Lite, and its numbers.",
                title=TEXT,
                sentence=TEXT,
                vega_lite={"type": "object"},
                table={"oneOf": [{"type": "null"}, thing(**_TABLE)]},
            ),
            _part("result", "A result in words.", sentence=TEXT, marked=TEXT, source=TEXT, certainty=listed(_REASON)),
            _part("work", "A list of work that waits.", title=TEXT, empty=TEXT, items=listed(_ITEM)),
            _part(
                "filters",
                "What the list can be filtered by: names of the query, with the values that they take.",
                fields=listed(thing(name=TEXT, label=TEXT, choices=listed(_CHOICE))),
            ),
            _part("history", "Who changed what.", changes=listed(_CHANGE)),
            _part("progress", "How far long work is.", state=TEXT, done=_COUNT, total=_COUNT, title=TEXT, message=TEXT),
            _part("panel", "Parts under a title of their own.", title=TEXT, parts=_PARTS),
        ]
    },
    "Value": _VALUE,
    "Refusal": {
        "type": "object",
        "description": "Why nothing was done: a stable code, and what is wrong and what to do in words.",
        "properties": {"code": TEXT, "message": TEXT, "fields": {"type": "object"}},
        "required": ["code", "message"],
    },
}

TOKEN_SCHEME: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that the person made under My account, on their side.",
    }
}
