"""The candidates of a forecast as a specification, and back. Pure but for the words of refusals.

A specification is plain data that the database keeps: arms as pairs, strata with the number expected in each, factors with the shares
of their levels, candidates as name and parameters, the number of trials.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from trial.core.errors import Refused
from trial.protocol.definition import Protocol
from trial.unblinded.randomization.forecast import STRATUM, Recruitment
from trial.unblinded.randomization.schemes import Arms, Scheme, SchemeError, of_parameters

SEX = {"female": 0.5, "male": 0.5}
"""What is known of the levels of a second factor before anybody has come: nothing."""


def arms_of(protocol: Protocol) -> Arms:
    """The arms of a protocol with their ratio."""
    return Arms.of({arm.code: arm.ratio for arm in protocol.arms})


def spread_over(people: int, strata: Sequence[str]) -> dict[str, int]:
    """As many people in each stratum as in any other, the first ones taking what is left over."""
    each, more = divmod(people, len(strata))
    return {stratum: each + (place < more) for place, stratum in enumerate(strata)}


def usual(arms: Arms) -> list[tuple[str, dict[str, object]]]:
    """The candidates that a report sets side by side when nobody asks for others."""
    total, pairs = arms.total, arms.as_json()
    found: list[tuple[str, dict[str, object]]] = [
        ("permuted-blocks", {"arms": pairs, "block_sizes": [total]}),
        ("permuted-blocks", {"arms": pairs, "block_sizes": [total, 2 * total]}),
        ("permuted-blocks", {"arms": pairs, "block_sizes": [total, 2 * total, 3 * total]}),
        ("block-urn", {"arms": pairs, "balance": 2}),
        ("minimization", {"arms": pairs, "weights": [[STRATUM, 2], ["sex", 1]], "p": [4, 5]}),
        ("complete", {"arms": pairs}),
    ]
    if len(arms.codes) == 2 and arms.are_equal:
        found.insert(3, ("big-stick", {"arms": pairs, "limit": 3}))
    return found


def specification(protocol: Protocol, *, people: int, trials: int, blocks: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The specification of a forecast for this protocol; ``blocks`` are further sets of block sizes. Refused where one makes no scheme."""
    arms = arms_of(protocol)
    candidates = usual(arms)
    for sizes in blocks:
        wanted: tuple[str, dict[str, object]] = (
            "permuted-blocks",
            {"arms": arms.as_json(), "block_sizes": list(sizes)},
        )
        if wanted not in candidates:
            candidates.append(wanted)
    for name, parameters in candidates:
        try:
            of_parameters(name, parameters)
        except SchemeError as error:
            raise Refused("scheme", str(error)) from error
    return {
        "arms": arms.as_json(),
        "people": people,
        "strata": [list(pair) for pair in spread_over(people, protocol.strata).items()],
        "factors": {"sex": SEX},
        "trials": trials,
        "candidates": [[name, parameters] for name, parameters in candidates],
    }


def block_sets(text: str) -> list[list[int]]:
    """Sets of block sizes, one a line, numbers apart by spaces or commas. Refused for anything but whole numbers."""
    found = []
    for line in text.splitlines():
        parts = [part for part in re.split(r"[\s,;]+", line) if part]
        if any(not part.isdecimal() for part in parts):
            raise Refused("block_sizes", _("Block sizes are whole numbers: %(line)s is not.") % {"line": line.strip()})
        if parts:
            found.append([int(part) for part in parts])
    return found


def recruitment_of(spec: Mapping[str, Any]) -> Recruitment:
    """Who comes, from a specification."""
    return Recruitment(dict(spec["strata"]), spec["factors"])


def schemes_of(spec: Mapping[str, Any]) -> list[Scheme]:
    """The candidates of a specification as schemes."""
    return [of_parameters(name, parameters) for name, parameters in spec["candidates"]]
