"""Lists made elsewhere: read row by row, then looked at as a whole before they are sealed.

What cannot be right is refused: gaps, a stratum without a row, a declared scheme that the list contradicts. What is unlikely is a
warning, which whoever imports the list accepts or does not. No sentence names an arm.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import sqrt

from django.utils.translation import gettext as _

from trial.protocol.definition import Protocol
from trial.unblinded.randomization.schemes import Arms, ListScheme

Rows = list[tuple[str, int, str, int | None]]
"""Slots as stratum, position, arm, block."""

UNLIKELY = 0.001
"""Expected number of runs that long, below which a run is named."""
FAR = 3.0
"""Standard deviations of complete randomization, beyond which a share is named."""


@dataclass
class Findings:
    """What is wrong with a list, and what is unlikely."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_list(text: str, protocol: Protocol) -> tuple[Rows, list[str]]:
    """The rows of an imported list, and what is wrong with it, row by row."""
    reader = csv.DictReader(io.StringIO(text))
    if reader.fieldnames is None or not {"stratum", "position", "arm"} <= set(reader.fieldnames):
        return [], [_("The list needs the columns stratum, position and arm.")]
    arms, strata = {arm.code for arm in protocol.arms}, set(protocol.strata)
    rows: Rows = []
    problems: list[str] = []
    seen: Counter[tuple[str, int]] = Counter()
    for line, row in enumerate(reader, start=2):
        stratum, position, arm = row["stratum"] or "", row["position"] or "", row["arm"] or ""
        if stratum not in strata:
            problems.append(_("Row %(line)d: no stratum %(value)s.") % {"line": line, "value": stratum})
        if arm not in arms:
            problems.append(_("Row %(line)d: no such arm in the protocol.") % {"line": line})
        if not position.isdecimal() or int(position) < 1:
            problems.append(_("Row %(line)d: the position is a whole number from 1.") % {"line": line})
            continue
        seen[stratum, int(position)] += 1
        if seen[stratum, int(position)] > 1:
            problems.append(
                _("Row %(line)d: position %(value)s stands twice in its stratum.") % {"line": line, "value": position}
            )
        rows.append((stratum, int(position), arm, None))
    return rows, problems


def looked_at(
    rows: Rows, *, arms: Arms, strata: Sequence[str], needed: int, declared: ListScheme | None = None
) -> Findings:
    """What the list as a whole says. ``needed``: how many people the trial wants, over all strata."""
    lists = by_stratum(rows)
    found = Findings()
    for stratum in strata:
        if stratum not in lists:
            found.problems.append(_("Stratum %(name)s has no row: nobody could be randomized.") % {"name": stratum})
    for stratum, positions in _positions(rows).items():
        if positions != list(range(1, len(positions) + 1)):
            found.problems.append(_("Stratum %(name)s: the positions are not 1, 2, 3 and so on.") % {"name": stratum})
    if declared is not None:
        found.problems += _contradictions(lists, declared)
    found.warnings += [*_short(lists, strata, needed), *_twins(lists), *_shares(lists, arms), *_runs(lists, arms)]
    return found


def by_stratum(rows: Rows) -> dict[str, list[str]]:
    """The arms of each stratum in the order of their positions."""
    lists: dict[str, list[str]] = {}
    for stratum, _position, arm, _block in sorted(rows, key=lambda row: (row[0], row[1])):
        lists.setdefault(stratum, []).append(arm)
    return lists


def _positions(rows: Rows) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for stratum, position, _arm, _block in rows:
        found.setdefault(stratum, []).append(position)
    return {stratum: sorted(positions) for stratum, positions in found.items()}


def _contradictions(lists: Mapping[str, Sequence[str]], declared: ListScheme) -> list[str]:
    """The first place of each stratum at which the declared scheme could not have given what stands there."""
    found = []
    for stratum, arms in lists.items():
        watcher = declared.watcher()
        for position, arm in enumerate(arms, start=1):
            if not watcher.next()[arm]:
                found.append(
                    _("Stratum %(name)s, position %(position)d: the declared scheme %(scheme)s does not allow this.")
                    % {"name": stratum, "position": position, "scheme": declared.algorithm.partition("/")[0]}
                )
                break
            watcher.saw(arm)
    return found


def _short(lists: Mapping[str, Sequence[str]], strata: Sequence[str], needed: int) -> list[str]:
    total, share = sum(len(arms) for arms in lists.values()), needed / len(strata)
    found = []
    if total < needed:
        found.append(
            _("The list has %(rows)d rows; the trial wants %(needed)d people.") % {"rows": total, "needed": needed}
        )
    short = [stratum for stratum, arms in lists.items() if len(arms) < share]
    if short and len(strata) > 1:
        found.append(
            _("These strata are shorter than an even share of the trial (%(share).0f): %(names)s.")
            % {"share": share, "names": ", ".join(sorted(short))}
        )
    return found


def _twins(lists: Mapping[str, Sequence[str]]) -> list[str]:
    names = sorted(lists)
    return [
        _("Strata %(one)s and %(other)s have the same list.") % {"one": one, "other": other}
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if len(lists[one]) > 1 and list(lists[one]) == list(lists[other])
    ]


def _shares(lists: Mapping[str, Sequence[str]], arms: Arms) -> list[str]:
    """The ratio, over the list as a whole and in each stratum."""
    found = []
    everything = [arm for stratum in lists.values() for arm in stratum]
    for name, listed in [(_("The list"), everything), *((_("Stratum %s") % key, one) for key, one in lists.items())]:
        counts = Counter(listed)
        if any(_is_far(counts[arm], len(listed), share) for arm, share in arms.shares().items()):
            found.append(_("%(name)s: the ratio is far from that of the protocol.") % {"name": name})
    return found


def _is_far(count: int, of: int, share: float) -> bool:
    return of > 0 and abs(count - of * share) > FAR * sqrt(of * share * (1 - share))


def _runs(lists: Mapping[str, Sequence[str]], arms: Arms) -> list[str]:
    """Strata with a run of one arm that is longer than chance makes likely in so many rows."""
    shares = arms.shares()
    return [
        _("Stratum %(name)s: a run of %(length)d is longer than chance makes likely.")
        % {"name": stratum, "length": length}
        for stratum, listed in lists.items()
        for length in _long_runs(listed, shares)[:1]
    ]


def _long_runs(listed: Iterable[str], shares: Mapping[str, float]) -> list[int]:
    arms = list(listed)
    runs = [(arm, len(list(same))) for arm, same in groupby(arms)]
    return [n for arm, n in runs if len(arms) * (1 - shares[arm]) * shares[arm] ** n < UNLIKELY]
