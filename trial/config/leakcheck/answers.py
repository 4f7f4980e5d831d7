"""One answer of the application, with everything that a blinded person could read off it, and what is new in every answer taken out."""

import difflib
import re
from dataclasses import dataclass

from django.http import HttpResponseBase

CHANCE: dict[str, tuple[re.Pattern[str], str]] = {
    "the token of a form": (re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*'), r"\1TOKEN"),
    "the token of a request by script": (
        re.compile(r"""(X-CSRFToken(?:&quot;|")?: ?(?:&quot;|"))[^"&]*"""),
        r"\1TOKEN",
    ),
    "the nonce of a script": (re.compile(r"""(nonce(?:="|-))[A-Za-z0-9+/=_-]+"""), r"\1NONCE"),
}
"""What is drawn from the system's source for each answer, and is no event of a trial. Nothing else is rewritten."""
COOKIES = {
    "csrftoken": "drawn for each browser",
    "sessionid": "drawn at each sign-in",
    "messages": "its words are compared, its signature holds the server's clock",
}
"""Cookies whose values are left out, of messages the signature alone; that they are set is compared."""

CHANNELS = ("status", "headers", "body", "queries", "log", "mail", "broker")


@dataclass(frozen=True)
class Answer:
    """Status, headers and cookies, text, the statements that it took, records of the log, e-mails, and messages on the open queues."""

    status: int
    headers: tuple[str, ...]
    body: str
    queries: tuple[str, ...]
    log: tuple[str, ...]
    mail: tuple[str, ...]
    broker: tuple[str, ...]

    def differences(self, other: "Answer") -> dict[str, str]:
        """By channel, what differs, for the eye."""
        return {
            name: shown(getattr(self, name), getattr(other, name)) for name in CHANNELS if self._differs(other, name)
        }

    def _differs(self, other: "Answer", channel: str) -> bool:
        return bool(getattr(self, channel) != getattr(other, channel))


def shown(one: object, other: object) -> str:
    """The lines in which two observations differ, a few of them."""
    found = difflib.unified_diff(_lines(one), _lines(other), "world one", "world two", lineterm="", n=0)
    return "\n".join(line[:300] for line, _n in zip(found, range(40), strict=False))


def _lines(one: object) -> list[str]:
    return [str(part) for part in one] if isinstance(one, tuple | list) else str(one).splitlines()


def without_chance(text: str) -> str:
    """The text without what is new in every answer."""
    for pattern, kept in CHANCE.values():
        text = pattern.sub(kept, text)
    return text


def headers_of(response: HttpResponseBase) -> tuple[str, ...]:
    """Headers and cookies, each as a line."""
    plain = [f"{name}: {without_chance(value)}" for name, value in sorted(response.headers.items())]
    cookies = []
    for name, morsel in sorted(response.cookies.items()):
        words = morsel.value.partition(":")[0] if name == "messages" else ""
        value = f"{words}CHANCE" if name in COOKIES else morsel.value
        kept = [f"{key}={morsel[key]}" for key in ("path", "samesite", "httponly", "max-age") if morsel[key]]
        cookies.append(f"Set-Cookie: {name}={value}; {'; '.join(kept)}")
    return (*plain, *cookies)


def body_of(response: HttpResponseBase) -> str:
    """The text of an answer; of a file its bytes, one character each."""
    content: bytes = getattr(response, "content", b"")
    is_text = str(response.headers.get("Content-Type", "")).startswith(("text/", "application/json"))
    return without_chance(content.decode("utf-8", "backslashreplace")) if is_text else content.decode("latin-1")
