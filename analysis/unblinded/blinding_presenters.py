"""How well the blind of the assessors held: guesses by arm, and the indices of James and of Bang, behind the wall alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.methods.blinding import DONT_KNOW, Blinding, Index, blinding
from analysis.methods.problems import Problem, Refused
from analysis.methods.words import SENTENCES, arguments
from analysis.unblinded.assembly import Guessed
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Table
from trial.protocol.definition import Protocol


def guess_table(found: Sequence[Guessed], protocol: Protocol) -> Table:
    """How many of each arm were guessed to be in which, with the rater."""
    counts = Counter((one.arm, one.guess) for one in found)
    guesses = [
        *((arm.code, _("Guess: %(arm)s") % {"arm": arm.name}) for arm in protocol.arms),
        ("", _("Does not know")),
    ]
    columns = [
        Column(_("Arm")), *(Column(name, number=True) for _code, name in guesses), Column(_("All"), number=True), Column(_("Rater")),
    ]  # fmt: skip
    rows = []
    for arm in protocol.arms:
        listed = [counts[arm.code, code] for code, _name in guesses]
        rows.append([arm.name, *listed, sum(listed), _("Interviewer, blind")])
    caption = _("Guesses at the end of follow-up, by arm")
    return Table(columns, rows, caption=caption, csv_url="?format=csv")


def index_table(found: Iterable[Guessed], protocol: Protocol) -> tuple[Table, str]:
    """The indices with standard error and 95 % limits, and why there are none."""
    arms = [arm.code for arm in protocol.arms]
    columns = [
        Column(_("Index")), Column(_("Of")), Column(_("Estimate"), number=True, decimals=2), Column(_("SE"), number=True, decimals=3),
        Column(_("95 % from"), number=True, decimals=2), Column(_("to"), number=True, decimals=2), Column(_("Remark")),
    ]  # fmt: skip
    caption = _("Indices of blinding")
    try:
        done = blinding(Counter((one.arm, one.guess or DONT_KNOW) for one in found), arms)
    except Refused as refusal:
        return Table(columns, [], caption=caption, empty=_said(refusal.problems[0])), _said(refusal.problems[0])
    names = {arm.code: arm.name for arm in protocol.arms}
    rows = [_row("James", _("all"), done.james), *(_row("Bang", names[arm], done.bang[arm]) for arm in arms)]
    note = _(
        "James: 0 everybody knows, 0.5 guesses at random, 1 nobody has an opinion. Bang: 1 all know, 0 at random, −1 all guess the other arm."
    )
    return Table(columns, rows, caption=caption, note=note), _sentence(done)


def rater_table(found: Iterable[Guessed]) -> Table:
    """Who guessed, and how often; not whether it was right: a person is not ranked."""
    counts = Counter(one.assessor for one in found)
    names = names_of(counts)
    rows = sorted([names.get(key, key), n] for key, n in counts.items())
    columns = [Column(_("Interviewer")), Column(_("Guesses"), number=True)]
    empty = _("Guesses appear here when interviewers close the last visit of a participant.")
    return Table(columns, rows, caption=_("Who guessed"), empty=empty)


def _row(name: str, of: str, index: Index) -> list[Any]:
    remark = _said(Problem(index.reason)) if index.reason else ""
    return [name, of, index.estimate, index.se, index.lower, index.upper, remark]


def _sentence(done: Blinding) -> str:
    n = ngettext("%(n)d participant's arm was guessed", "%(n)d participants' arms were guessed", done.guesses) % {
        "n": done.guesses
    }
    james = done.james
    if james.estimate is None or james.lower is None or james.upper is None:
        return n + "; " + _("James' index is not estimable.")
    values = {"n": n, "value": f"{james.estimate:.2f}", "low": f"{james.lower:.2f}", "high": f"{james.upper:.2f}"}
    return (
        _("%(n)s; James' index is %(value)s (95 %% limits %(low)s to %(high)s), where 0.5 means guesses at random.")
        % values
    )


def _said(problem: Problem) -> str:
    return _(SENTENCES[problem.code]) % arguments(problem)
