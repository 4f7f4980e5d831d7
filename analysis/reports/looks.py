"""A stored look as people read it, and what the final analysis had left to spend. Nothing is computed anew."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from analysis.reports import planned
from analysis.reports.rendering import FAKE, fmt, rater_certainty, said, words
from trial.core.ui.charts import Chart, chart
from trial.core.ui.parts import Certainty, Result
from trial.core.ui.tables import Column, Table
from trial.core.ui.text import Text, p_words

CROSSED: dict[str, Text] = {
    "": _lazy("not crossed"),
    "experimental": _lazy("crossed, in favor of the experimental arm"),
    "control": _lazy("crossed, in favor of the control arm"),
}
Numbers = Mapping[str, Any]


def look_context(
    frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False, source: str = ""
) -> dict[str, Any]:
    """What the page of a look needs: the answer, the bounds of all looks so far, what is ahead, and what stopping could still save."""
    if "looks" in stored:
        return rehearsed_context(frozen, stored, source=source)
    look = stored["look"]
    drawn = _boundary_chart(look["held"], ahead=look["ahead"], fake=fake)
    return {
        "result": Result(
            sentence=said(look_sentence(frozen, stored), fake=fake),
            table=planned.fits_table(frozen, stored),
            charts=[drawn] if drawn else [],
            certainty=_certainty(frozen, stored),
            marked=FAKE if fake else "",
            source=source,
        ),
        "held": held_table(look["held"]),
        "ahead": _ahead_facts(look), "stopping": _stopping_facts(frozen["monitoring"]["stopping"]),
        "sections": planned.behind_the_answer(frozen, stored),
    }  # fmt: skip


def look_sentence(frozen: dict[str, Any], stored: dict[str, Any]) -> str:
    """Z against its bound, and the contrast in words; of a rehearsal of all looks what the final analysis says."""
    if "looks" in stored:
        return final_sentence(stored["final"])
    return f"{_judged_sentence(stored['look'])} {planned.planned_sentence(frozen, stored)}"


def _judged_sentence(look: Numbers) -> str:
    bound = fmt(look["bound"]) if look["bound"] is not None else _("none, as no alpha is spent here")
    return _("%(name)s: Z is %(z)s, the bound %(bound)s: it was %(crossed)s.") % {
        "name": look_name(look), "z": fmt(look["z"]), "bound": bound, "crossed": CROSSED[look["crossed"]],
    }  # fmt: skip


def look_name(look: Numbers) -> str:
    """Look 2 (half), or look 3 (not planned)."""
    inner = look["code"].replace("_", " ") if look["planned"] else _("not planned")
    return _("Look %(number)d (%(name)s)") % {"number": look["number"], "name": inner}


def held_table(held: Sequence[Numbers]) -> Table:
    """The looks in their order, each as it was judged then."""
    columns = [
        Column(_("Look")), Column(_("Information"), number=True), Column(_("Share of the maximum"), number=True, decimals=3),
        Column(_("Z"), number=True, decimals=3), Column(_("Bound"), number=True, decimals=3),
        Column(_("Alpha spent up to here"), number=True, decimals=5),
    ]  # fmt: skip
    rows = [
        [look_name(one), f"{one['information']:.4g}", one["fraction"], one["z"], one["bound"], one["alpha"]]
        for one in held
    ]
    note = _("Z is positive in favor of the experimental arm. Each look spends alpha at its actual information.")
    return Table(columns, rows, caption=_("Looks held so far"), note=note, empty=_("No look has been held."))


def _ahead_facts(look: Numbers) -> list[tuple[str, Any]]:
    """What is still to be expected if the next analysis is the final one."""
    found: list[tuple[str, Any]] = [(_("Alpha spent by this look"), f"{look['spent']:.5f}")]
    if look["costs"] == "price":
        found[0] = (_("Alpha spent by this look, the plan's price"), f"{look['spent']:.5f}")
    found.append(
        (_("Alpha left of %(alpha)g") % {"alpha": look["alpha"]}, f"{look['alpha'] - look['cumulative_alpha']:.5f}")
    )
    without, ahead = look["without"], look["ahead"]
    if without:
        found += [
            (_("Final bound with this unplanned look"), _bound(without["final_bound_with"])),
            (_("Final bound without it"), _bound(without["final_bound_without"])),
        ]
    if not ahead:
        return found
    found += [
        (_("Bound of a final analysis next"), _bound(ahead["final_bound"])),
        (_("Conditional power under the planned difference"), f"{ahead['design']:.3f}"),
        (_("Conditional power under no difference"), f"{ahead['null']:.3f}"),
        (_("Conditional power under the current trend"), f"{ahead['trend']:.3f}"),
        (_("Predictive power, flat prior"), f"{ahead['predictive']:.3f}"),
    ]
    futility = ahead["futility"]
    if futility:
        below = _("Z is below it") if futility["below"] else _("Z is not below it")
        line = _(
            "Z of %(z)s: conditional power of %(share)g under the planned difference. %(below)s. Advice, never binding."
        )
        found.append(
            (_("Line of futility"), line % {"z": fmt(futility["z"]), "share": futility["threshold"], "below": below})
        )
    return found


def _bound(value: float | None) -> str:
    return _("none") if value is None else fmt(value)


def _stopping_facts(stopping: Numbers | None) -> list[tuple[str, Any]]:
    """What stopping now could still save."""
    if stopping is None:
        return []
    left = ngettext("%(n)d of %(target)d planned", "%(n)d of %(target)d planned", stopping["to_randomize"])
    return [
        (_("Participants not randomized yet"), left % {"n": stopping["to_randomize"], "target": stopping["target"]}),
        (_("Follow-up visits of theirs"), stopping["visits_of_the_missing"]),
        (_("Follow-up visits still to come of those randomized"), stopping["visits"]),
    ]  # fmt: skip


def _certainty(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Certainty]:
    look, first = stored["look"], stored["fits"][0]
    found = [
        Certainty(
            "caution",
            _("Estimate, interval and p are the ordinary ones: after looks they are not those of a single analysis."),
        )
    ]
    if not look["planned"]:
        found.append(
            Certainty(
                "caution",
                _(
                    "This look was not in the plan. The final report names it, with the final bound with and without it."
                ),
            )
        )
    if look["maximum"] is None:
        found.append(
            Certainty("caution", _("The plan fixes no maximum information: nothing is said of what is ahead."))
        )
    return found + [Certainty("caution", words(problem)) for problem in first["problems"]] + rater_certainty(frozen)


# --- a rehearsal of all looks ----------------------------------------------------------------------------------------


def rehearsed_context(frozen: dict[str, Any], stored: dict[str, Any], *, source: str = "") -> dict[str, Any]:
    """What the page of a rehearsal needs: all looks and the final analysis together, then each look as it would have been read."""
    final = stored["final"]
    drawn = _boundary_chart(final["held"], None if final["problems"] else final, fake=True)
    return {
        "result": Result(
            sentence=said(final_sentence(final), fake=True),
            table=_rehearsed_table(stored),
            charts=[drawn] if drawn else [],
            certainty=_rehearsed_certainty(frozen, stored),
            marked=FAKE,
            source=source,
        ),
        "rehearsed": [_rehearsed_look(one) for one in stored["looks"]],
        "sections": planned.behind_the_answer(frozen, stored),
    }  # fmt: skip


def _rehearsed_table(stored: Numbers) -> Table:
    """A line a look, and the final analysis."""
    columns = [
        Column(_("Analysis")), Column(_("Participants"), number=True), Column(_("Share of the maximum"), number=True, decimals=3),
        Column(_("Difference"), number=True, decimals=3), Column(_("SE"), number=True, decimals=3), Column(_("Z"), number=True, decimals=3),
        Column(_("Bound"), number=True, decimals=3), Column(_("Alpha spent up to here"), number=True, decimals=5),
    ]  # fmt: skip
    rows = [_rehearsed_row(one) for one in stored["looks"]]
    last = stored["final"]
    rows.append([
        _("Final analysis"), _people(stored), 1.0, last["estimate"], last["se"], last["z"], last["bound"],
        None if last["problems"] else last["alpha"],
    ])  # fmt: skip
    note = _("Fake arms. Nothing of this counts as spent: what real looks spend is kept behind the wall, by itself.")
    return Table(columns, rows, caption=_("All looks of the plan, rehearsed"), note=note)


def _rehearsed_row(one: Numbers) -> list[Any]:
    look = one["look"]
    name = look_name({**one, "planned": True})
    if look is None:
        return [name, one["people"], *[None] * 6]
    numbers = [look[key] for key in ("fraction", "estimate", "se", "z", "bound", "cumulative_alpha")]
    return [name, one["people"], *numbers]


def _people(stored: Numbers) -> int | None:
    counts = stored["fits"][0]["answer"]["n_subjects"]
    return int(counts) if counts is not None else None


def _rehearsed_look(one: Numbers) -> dict[str, Any]:
    """One look, folded: what would have been read of it, or why there is none."""
    name = look_name({**one, "planned": True})
    if one["look"] is None:
        why = " ".join(words(problem) for problem in one["problems"])
        said_of = _("This look could not be computed, and spends nothing. %(why)s") % {"why": why}
        return {"title": name, "sentence": said(said_of, fake=True), "facts": []}
    return {
        "title": name,
        "sentence": said(_judged_sentence(one["look"]), fake=True),
        "facts": _ahead_facts(one["look"]),
    }


def _rehearsed_certainty(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Certainty]:
    how = _(
        "Rehearsed as if the people at hand were the whole trial: the maximum is the information that all of them hold, and each look takes the"
        " first of them in an order drawn by lot. A real look is measured against the maximum of the plan."
    )
    fewest = _(
        "%(look)s: the smaller arm has %(few)d people with the outcome at the primary visit. A real look would wait for more of them."
    )
    held_back = [
        Certainty("caution", fewest % {"look": look_name({**one, "planned": True}), "few": one["few"]})
        for one in stored["looks"]
        if one["few"] is not None
    ]
    model = [Certainty("caution", words(problem)) for problem in stored["fits"][0]["problems"]]
    return [Certainty("caution", how), *held_back, *model, *rater_certainty(frozen)]


# --- the final analysis ----------------------------------------------------------------------------------------------


def final_context(stored: dict[str, Any]) -> dict[str, Any]:
    """What the page of a final analysis says of the looks before it; nothing where there were none."""
    final = stored.get("final")
    if not final:
        return {}
    said_of = {
        "sentence": final_sentence(final), "facts": _final_facts(final), "held": held_table(final["held"]),
        "chart": _boundary_chart(final["held"], final),
    }  # fmt: skip
    return {"final": said_of}


def final_sentence(final: Numbers) -> str:
    """The decision, and what it would have been without the looks that nobody had planned."""
    if final["problems"]:
        why = " ".join(words(problem) for problem in final["problems"])
        return _("This analysis has no bound of its own. %(why)s") % {"why": why}
    spent = _("The looks before the end spent %(spent)s of %(alpha)g; the final analysis spends all that is left.") % {
        "spent": f"{final['spent_before']:.5f}", "alpha": final["alpha"],
    }  # fmt: skip
    judged = _("Z is %(z)s, the final bound %(bound)s: it was %(crossed)s (%(p)s in the order of stages).") % {
        "z": fmt(final["z"]), "bound": fmt(final["bound"]), "crossed": CROSSED[final["crossed"]], "p": p_words(final["p_stagewise"]),
    }  # fmt: skip
    without = final["without"]
    if not without:
        return f"{spent} {judged}"
    asked = [look_name(one) for one in final["held"] if not one["planned"]]
    rest = _("Without %(looks)s, which the plan had not, the final bound would be %(bound)s: %(crossed)s.") % {
        "looks": ", ".join(asked).replace(_("Look"), _("look")), "bound": fmt(without["bound"]), "crossed": CROSSED[without["crossed"]],
    }  # fmt: skip
    return f"{spent} {judged} {rest}"


def _final_facts(final: Numbers) -> list[tuple[str, Any]]:
    found = [
        (_("Information"), f"{final['information']:.4g}"), (_("Z"), fmt(final["z"])), (_("Final bound"), _bound(final["bound"])),
        (_("Nominal p of the bound"), p_words(final["nominal_p"])), (_("p in the order of stages"), p_words(final["p_stagewise"])),
    ]  # fmt: skip
    if final["without"]:
        found.append((_("Final bound without unplanned looks"), _bound(final["without"]["bound"])))
    return found


# --- the boundary plot -----------------------------------------------------------------------------------------------


def _boundary_chart(
    held: Sequence[Numbers], last: Numbers | None = None, ahead: Numbers | None = None, *, fake: bool = False
) -> Chart | None:
    """Z of each look against its bounds; by share of the maximum where the plan has one, else by information.

    ``last``: the final analysis. ``ahead``: what is known before it, with the bound that it would have next.
    """
    by_share = all(one["fraction"] is not None for one in held)
    place = "fraction" if by_share else "information"
    points = [{"at": one[place], "z": one["z"], "name": look_name(one)} for one in held]
    bounds = [{"at": one[place], "bound": one["bound"]} for one in held]
    if last is not None:
        end = 1.0 if by_share else last["information"]
        points.append({"at": end, "z": last["z"], "name": _("Final analysis")})
        bounds.append({"at": end, "bound": last["bound"]})
    elif ahead is not None:
        bounds.append({"at": 1.0, "bound": ahead["final_bound"]})
    if not points:
        return None
    known = [one for one in bounds if one["bound"] is not None]
    title = _("Looks and bounds (fake)") if fake else _("Looks and bounds")
    name = _("Share of the maximum information") if by_share else _("Information")
    sentence = _("Z of each look between its bounds; where Z lies outside them, the bound was crossed.")
    rows = [[one["name"], one["at"], one["z"]] for one in points]
    columns = [Column(_("Look")), Column(name, number=True, decimals=3), Column(_("Z"), number=True, decimals=3)]
    end = 1.0 if by_share else 1.08 * max(one["at"] for one in bounds)
    return chart(_boundary_figure(points, known, name, end), title, sentence, Table(columns, rows))


def _boundary_figure(points: Sequence[Numbers], bounds: Sequence[Numbers], name: str, end: float) -> dict[str, Any]:
    x = {"field": "at", "type": "quantitative", "title": name, "scale": {"domain": [0, end], "nice": False}}
    y = {"type": "quantitative", "title": _("Z, + in favor of the experimental arm")}
    rows = [{**one, "upper": one["bound"], "lower": -one["bound"], "name": _("bound")} for one in bounds]
    label = {"type": "text", "dx": -10, "align": "right", "baseline": "middle", "fontWeight": 600}
    here = {"x": x, "y": {**y, "field": "z"}}

    def line(field: str) -> list[dict[str, Any]]:
        drawn = {"x": x, "y": {**y, "field": field}}
        data = {"values": rows}
        return [
            {"data": data, "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.75, "style": "quiet"}, "encoding": drawn},
            {"data": data, "mark": {"type": "point", "shape": "stroke", "size": 320, "filled": False, "strokeWidth": 2}, "encoding": drawn},
        ]  # fmt: skip

    zero = {
        "mark": {"type": "rule", "style": "zero"},
        "data": {"values": [{}]},
        "encoding": {"y": {"datum": 0, "type": "quantitative"}},
    }
    ends = {
        "data": {"values": rows[:1]},
        "mark": {"type": "text", "dy": -10, "align": "center"},
        "encoding": {"x": x, "y": {**y, "field": "upper"}, "text": {"field": "name"}},
    }
    return {
        "width": 520,
        "height": 280,
        "data": {"values": list(points)},
        "layer": [
            zero, *line("upper"), *line("lower"), *([ends] if rows else []),
            {"mark": {"type": "point", "size": 110, "filled": True}, "encoding": here},
            {"mark": label, "encoding": {**here, "text": {"field": "name"}}},
        ],
    }  # fmt: skip


# --- without arms


def blinded_facts(frozen: dict[str, Any], stored: dict[str, Any]) -> list[tuple[str, Any]]:
    """Spread, information and sample size of pooled figures; nothing for figures that were made without a plan."""
    found = stored.get("blinded")
    if not found:
        return []
    if found["problems"]:
        return [(_("Not estimated"), " ".join(words(problem) for problem in found["problems"]))]
    facts: list[tuple[str, Any]] = [
        (_("Participants with the outcome at %(visit)s") % {"visit": _visit(frozen)}, found["people"]),
        (_("Residual standard deviation of the primary model, without arms"), f"{found['variance'] ** 0.5:.3f}"),
        (_("Information reached, without arms"), f"{found['information']:.4g}"),
    ]
    if found["maximum"] is None:
        return [*facts, (_("Participants needed"), _("The plan names no difference and no power: it plans no look."))]
    return [
        *facts,
        (_("Maximum information of the plan"), f"{found['maximum']:.4g}"),
        (_("Share of it"), f"{found['share']:.3f}"),
        (_("Participants needed with that outcome, at this spread"), found["needed"]),
        (_("Participants planned"), frozen["blinded"]["target"]),
    ]


def _visit(frozen: dict[str, Any]) -> str:
    visit = frozen["blinded"]["primary_visit"]
    return str(frozen["visits"].get(visit, visit))
