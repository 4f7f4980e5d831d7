"""How a command answers: JSON on standard output, or one plain sentence on standard error with status 2."""

from __future__ import annotations

import difflib
import json
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from analysis.methods.canonical import plain
from analysis.methods.problems import Refused, Value, error
from analysis.methods.words import in_words


def unusable(code: str, **data: Value) -> Refused:
    """What is given cannot be used; to be raised."""
    return Refused([error(code, **data)])


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed word that is most like the given one; the empty text if none is like it."""
    found = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return found[0] if found else ""


def answer(work: Callable[[], object], out: Path | None = None) -> int:
    """Do the work and write its result, to `out` if given; 2 with a sentence where it is refused."""
    try:
        text = json.dumps(plain(work()), indent=1, ensure_ascii=False, allow_nan=False)
        if out is None:
            sys.stdout.write(f"{text}\n")
        else:
            out.write_text(f"{text}\n", encoding="utf-8")
    except Refused as refusal:
        sys.stderr.writelines(f"{in_words(problem)}\n" for problem in refusal.problems[:1])
        return 2
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 2
    return 0
