"""What a protocol may not let flow: from behind the wall to the open side, or from who people are into data. Pure.

Scales, checks and covariates look at answers of the open side alone, since nothing else has a code there. So what is left to refuse are answers
and names that hold a higher class themselves. A protocol has no branching and no alerts; whoever adds them adds their rule here.
"""

import re
from collections.abc import Iterable, Iterator

from trial.core.disclosure import VAULT, Disclosure
from trial.protocol.definition import Arm, Instrument, Item, Protocol
from trial.protocol.reader import Problems

WORD = re.compile(r"[^\W_]+")
KNOWN_BEHIND = frozenset(
    {
        *("arm", "allocation", "group", "attended", "completed", "fidelity_band", "wrong_treatment"),
        *("admitted_before", "days_before", "admitted_after", "days_after", "event_visit", "dead_from", "entry"),
    }
)
"""What an analysis joins to the data behind the wall, by the names of its columns."""
WHO = frozenset({"name", "surname", "telephone", "phone", "email", "mail", "address", "birth", "birthday", "postcode"})
"""Words of a question that asks who somebody is."""


def check_flows(protocol: Protocol, problems: Problems) -> None:
    """Refuse whatever would show something of a higher class where a lower one is seen."""
    for one in (_codes, _behind):
        one(protocol, problems)
    baseline = {visit.code for visit in protocol.visits if visit.is_baseline}
    for instrument in protocol.instruments:
        later = [code for code in instrument.visits if code not in baseline]
        if later:
            _words(instrument, later[0], problems)
            _arms(protocol, instrument, problems)
        _people(instrument, problems)


def _file(instrument: Instrument) -> str:
    return f"instruments/{instrument.code}.toml"


def _refuse(problems: Problems, file: str, key: str, detail: str, allowed: str) -> None:
    problems.add(file, key, "conflict", detail=detail, allowed=allowed)


def _parts(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _holds(text: str, words: str) -> bool:
    """Whether the words stand in the text as whole words, one after the other."""
    here, wanted = _parts(text), _parts(words)
    return bool(wanted) and any(here[at : at + len(wanted)] == wanted for at in range(len(here)))


def _codes(protocol: Protocol, problems: Problems) -> None:
    """Codes become addresses, columns and names of files, which everybody sees: none holds an arm."""
    named: list[tuple[str, str, Iterable[str]]] = [
        ("sites.toml", "sites", [one.code for one in protocol.sites]),
        ("sites.toml", "teams", [one.code for one in protocol.teams]),
        ("visits.toml", "visits", [one.code for one in protocol.visits]),
        ("consent.toml", "parts", [one.code for one in protocol.consent_parts]),
    ]
    for instrument in protocol.instruments:
        named += [
            (_file(instrument), "code", [instrument.code]),
            (_file(instrument), "scales", [one.code for one in instrument.scales]),
        ]
    for file, key, codes in named:
        for code in codes:
            arm = next((arm for arm in protocol.arms if _holds(code, arm.code) or _holds(code, arm.name)), None)
            if arm:
                detail = (
                    f"the code {code} holds the name of the arm {arm.code}; codes stand in addresses and names of files"
                )
                _refuse(problems, file, key, detail, "a code without an arm")


def _behind(protocol: Protocol, problems: Problems) -> None:
    """What is recorded behind the wall has no answer, score or covariate of the same code on the open side."""
    known = dict.fromkeys(KNOWN_BEHIND, "joined behind the wall") | {
        arm.code: "an arm of trial.toml" for arm in protocol.arms
    }
    if protocol.sessions:
        known |= {one.code: "a module of sessions.toml" for one in protocol.sessions.modules}
    for scale in protocol.fidelity:
        known |= dict.fromkeys((scale.code, *(one.code for one in scale.items)), "fidelity of sessions.toml")
    allowed = "answers of the open side, under codes of their own"
    for file, key, code in _open_codes(protocol):
        if code in known:
            _refuse(problems, file, key, f"{code} is {known[code]}, which blinded people do not know", allowed)


def _open_codes(protocol: Protocol) -> Iterator[tuple[str, str, str]]:
    """Every code that an answer, a score or the analysis goes by or refers to, with its place."""
    for instrument in protocol.instruments:
        file = _file(instrument)
        yield from ((file, f"items.{one.code}", one.code) for one in instrument.items)
        yield from ((file, f"scales.{one.code}", one.code) for one in instrument.scales)
        for number, one in enumerate(instrument.checks, start=1):
            yield from ((file, f"checks[{number}]", code) for code in one.items)
    yield "analysis.toml", "outcome", protocol.analysis.outcome
    for number, covariate in enumerate(protocol.analysis.covariates, start=1):
        for key, code in (("code", covariate.code), ("instrument", covariate.instrument), ("item", covariate.item)):
            yield "analysis.toml", f"covariates[{number}].{key}", code


def _words(instrument: Instrument, visit: str, problems: Problems) -> None:
    """Free text is typed before randomization only: later it could name the arm, and blinded people read it."""
    for item in instrument.items:
        if item.discloses == Disclosure.FREE_TEXT:
            detail = f"free text at the visit {visit}, after randomization, could name the arm to whoever reads it"
            allowed = "text at the baseline visit only; choices at every visit"
            _refuse(problems, _file(instrument), f"items.{item.code}.kind", detail, allowed)


def _arms(protocol: Protocol, instrument: Instrument, problems: Problems) -> None:
    """After randomization no question, answer or check speaks of an arm: what is answered to it would tell."""
    said = [(f"items.{item.code}", text) for item in instrument.items for text in _texts(item)]
    said += [(f"checks.{one.code}.text", one.text) for one in instrument.checks]
    for key, text in said:
        arm = next((arm for arm in protocol.arms if _speaks_of(text, arm)), None)
        if arm:
            detail = f'"{text}" speaks of the arm {arm.code} at a visit after randomization, where the answer tells it'
            allowed = "no arm in the open forms; what an interviewer guesses or was told goes into a drop box"
            _refuse(problems, _file(instrument), key, detail, allowed)


def _texts(item: Item) -> tuple[str, ...]:
    return (item.topic, *(anchor.label for anchor in item.anchors))


def _speaks_of(text: str, arm: Arm) -> bool:
    """Whether a text names the arm. A code or name of one word may be an ordinary word ("control"): it counts where it is the whole text,
    or is written like an abbreviation ("IMR").
    """
    return any(
        _holds(text, name) if len(_parts(name)) > 1 else _parts(text) == _parts(name) or _abbreviates(text, name)
        for name in (arm.code, arm.name)
    )


def _abbreviates(text: str, name: str) -> bool:
    return any(_parts(word) == _parts(name) and not _is_ordinary(word) for word in WORD.findall(text))


def _is_ordinary(word: str) -> bool:
    return word in (word.lower(), word.capitalize())


def _people(instrument: Instrument, problems: Problems) -> None:
    """Who a participant is stands in the contact data alone. A choice from a list ("has a telephone") says nothing of it."""
    for item in instrument.items:
        asked = next((word for word in VAULT if _holds(item.code, word)), None)
        asked = asked or next((word for word in _parts(item.topic) if word in WHO), None)
        if asked and not item.levels:
            detail = f"the item {item.code} would hold who the participant is ({asked})"
            allowed = "the contact data, which are kept apart; an age or a region in a form"
            _refuse(problems, _file(instrument), f"items.{item.code}", detail, allowed)
