"""What can be wrong with a protocol, each problem with its place and with what is allowed there.

Pure: a problem is a code with data. `Problem.text` is the English sentence; a page may translate `TEXTS[code]`
and fill in the same data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TEXTS: Mapping[str, str] = {
    "no_folder": "this is not a folder; give the folder that holds trial.toml",
    "no_file": "this file is missing; a protocol folder needs it",
    "unknown_file": "no such file belongs to a protocol{suggestion}; allowed: {allowed}",
    "not_text": "this file is not UTF-8 text ({detail}); save it as UTF-8",
    "not_toml": "this file is not valid TOML: {detail}",
    "unreadable": "this file cannot be read: {detail}",
    "unknown_key": "no such setting{suggestion}; allowed: {allowed}",
    "secret_key": (
        "block sizes, seeds and allocation lists never stand in a protocol, because everybody may read it and "
        "could predict allocations; the person who makes the list enters them with `manage.py seal_allocation`"
    ),
    "missing": "this setting is missing; allowed: {allowed}",
    "wrong_type": "{found} is not allowed; allowed: {allowed}",
    "not_allowed": "{found} is not allowed{suggestion}; allowed: {allowed}",
    "out_of_range": "{found} is out of range; allowed: {allowed}",
    "bad_text": "this text is not allowed; allowed: {allowed}",
    "bad_code": "{found} is not a code; allowed: a letter, then up to 29 letters, digits or underscores",
    "duplicate": "{found} is used twice; each {what} needs a code of its own",
    "too_few": "{found} entries given; allowed: {allowed}",
    "unknown_reference": "{found} is not among the {what} of {where}{suggestion}; allowed: {allowed}",
    "wrong_name": "the code {found} does not fit the file's name; allowed: {allowed}",
    "not_blind": "{found} is not blind, but this trial measures outcomes blind; allowed: {allowed}",
    "conflict": "{detail}; allowed: {allowed}",
    "orphan": "{detail}; {advice}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the file (relative to the folder), the key's path in it, a code and its data.

    `data["similar"]`, where there is one, is the allowed name most like the one that was found.
    """

    file: str
    key: str
    code: str
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence for people, in English, without the place."""
        similar = self.data.get("similar", "")
        suggestion = f' (did you mean "{similar}"?)' if similar else ""
        return TEXTS[self.code].format(**{"allowed": "", **self.data, "suggestion": suggestion})

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.text}"


class ProtocolError(Exception):
    """A protocol is refused. `problems` lists everything that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
