"""Links and forms of a page, and how a form is filled: rightly, and wrongly."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from trial.config.leakcheck.world import PASSWORD

SAMPLES = {
    "password": PASSWORD,
    "email": "somebody@example.org",
    "number": "1",
    "tel": "010 555 0100",
    "search": "0",
}
"""What is typed into an input, by its type."""
WORDS = "leakcheck"


@dataclass
class Form:
    """A form as a browser knows it. ``fields``: by name what may be sent, the first of it rightly."""

    method: str
    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    many: set[str] = field(default_factory=set)

    def right(self, today: str) -> dict[str, str]:
        """Each field with something that fits it."""
        return {name: (values[0] if values else WORDS).replace("TODAY", today) for name, values in self.fields.items()}

    def wrong(self) -> dict[str, str]:
        """The hidden fields as they are; of the others nothing, or what cannot be."""
        return {name: (values[0] if name in self.hidden and values else "") for name, values in self.fields.items()}

    def queries(self) -> list[str]:
        """The query strings of a form that is sent by GET: each value of each field alone, then the first of all."""
        single = [{name: value} for name, values in self.fields.items() for value in values]
        return [urlencode(one) for one in [*single, self.right("2025-01-06")] if one]


class Page(HTMLParser):
    """What stands in a page. ``links``: addresses of this server, without the place in the page."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address = address
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self._link(given["href"])
        elif tag == "form":
            action = urljoin(self.address, given.get("action") or self.address)
            self._form = Form(given.get("method", "get").lower(), action)
            self.forms.append(self._form)
        for attribute in ("hx-get", "src"):
            if attribute in given and not given[attribute].startswith("/static/"):
                self._link(given[attribute])
        if self._form is not None and given.get("name"):
            self._field(self._form, tag, given)
        if tag == "option" and self._form is not None and self._select and given.get("value"):
            self._form.fields[self._select].append(given["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _link(self, target: str) -> None:
        found = urljoin(self.address, target).partition("#")[0]
        if found.startswith("/") and not found.startswith(("//", "/static/")):
            self.links.append(found)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if tag == "select":
            self._select = name
            form.fields.setdefault(name, [])
        elif tag == "textarea":
            form.fields.setdefault(name, [WORDS])
        elif tag == "button" and kind != "button":
            form.fields.setdefault(name, [given.get("value", "")])
        elif tag == "input" and kind not in ("submit", "file"):
            form.fields.setdefault(name, []).append(self._sample(kind, given))
            if kind == "hidden":
                form.hidden.add(name)

    @staticmethod
    def _sample(kind: str, given: dict[str, str]) -> str:
        if kind in ("hidden", "radio", "checkbox"):
            return given.get("value", "on")
        if kind == "date":
            return given.get("value") or "TODAY"
        return given.get("value") or given.get("min") or SAMPLES.get(kind, WORDS)
