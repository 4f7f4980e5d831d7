"""What the gallery shows: made-up people, answers and figures, one of each state of each component."""

import datetime
import uuid
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.access import Person
from trial.core.ui import figures, forms
from trial.core.ui.charts import Chart, chart
from trial.core.ui.parts import Certainty, Progress, Result
from trial.core.ui.stations import StationLink
from trial.core.ui.tables import Column, Link, Page, State, Table
from trial.core.ui.work import WorkItem, WorkList

TODAY = datetime.date(2026, 11, 23)
NOW = datetime.datetime(2026, 11, 23, 9, 42, tzinfo=datetime.UTC)
ANCHORS = {
    1: gettext_lazy("Never"),
    2: gettext_lazy("Rarely"),
    3: gettext_lazy("Sometimes"),
    4: gettext_lazy("Often"),
    5: gettext_lazy("Always"),
}
ITEMS = [
    gettext_lazy("I have goals in life that I want to reach."),
    gettext_lazy("I believe I can meet my current personal goals."),
    gettext_lazy("I have a purpose in life."),
    gettext_lazy("Even when I do not care about myself, other people do."),
    gettext_lazy("I can handle what happens in my life."),
    gettext_lazy("I ask for help when I need it."),
    gettext_lazy("I know what helps me when I feel worse."),
    gettext_lazy(
        "Coping with my illness is not the main focus of my life, although it takes up more of my time than I would like."
    ),
]


class SampleForm(forms.Form):
    """One field of each kind."""

    number = forms.TextField(gettext_lazy("Study number"), hint=gettext_lazy("The eight digits on the card."), width=10)
    seen = forms.DateField(
        gettext_lazy("Date of the interview"),
        not_after=TODAY,
        aside=gettext_lazy("Window: 26 Oct to 7 Dec 2026"),
    )
    place = forms.ChoiceField(
        gettext_lazy("Where was it?"),
        choices=[
            ("home", gettext_lazy("At home")),
            ("clinic", gettext_lazy("At the clinic")),
            ("phone", gettext_lazy("By telephone")),
        ],
        hints={"phone": gettext_lazy("Allowed when a visit is not possible.")},
    )
    alone = forms.YesNoField(gettext_lazy("Was the participant alone?"))
    minutes = forms.IntegerField(gettext_lazy("How long did it take?"), unit=gettext_lazy("minutes"), min_value=1)
    dose = forms.DecimalField(gettext_lazy("Daily dose"), unit=gettext_lazy("mg"), required=False)
    team = forms.SelectField(gettext_lazy("Team"), choices=[("a", "Noord 1"), ("b", "Noord 2"), ("c", "West")])
    remark = forms.TextAreaField(
        gettext_lazy("Remark"), hint=gettext_lazy("No names, nothing about treatment."), required=False
    )
    sure = forms.CheckField(gettext_lazy("I have asked every question myself."))
    sections = [
        forms.Section(gettext_lazy("The interview"), ["number", "seen", "place", "alone", "minutes"]),
        forms.Section(
            gettext_lazy("The rest"),
            ["dose", "team", "remark", "sure"],
            gettext_lazy("Short and coded, where it can be."),
        ),
    ]


class SampleScale(forms.Form):
    """A block of scale items."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, text in enumerate(ITEMS, start=1):
            self.fields[f"item_{place}"] = forms.ScaleField(
                text, anchors=ANCHORS, number=str(place), required=place != 4
            )


class SampleFilter(forms.Form):
    """A form on one line."""

    state = forms.SelectField(gettext_lazy("State"), choices=[("due", gettext_lazy("Due"))], required=False)
    find = forms.TextField(gettext_lazy("Study number"), required=False, width=10)


def people(request: HttpRequest) -> dict[str, Any]:
    """Somebody and some stations, so that the shell is seen."""
    other = request.GET.get("side") == "unblinded"
    labels = [
        ("home", _("Work")),
        ("users", _("Participants")),
        ("calendar-event", _("Interviews")),
        ("chart-dots", _("Pooled figures")),
    ]
    return {
        "side": "unblinded" if other else "default",
        "side_label": _("Unblinded side") if other else _("Open side"),
        "person": Person(uuid.UUID(int=0), "anna", "Anna de Vries"),
        "role_label": _("Treatment coordinator") if other else _("Coordinator"),
        "site_label": _("Institution North"),
        "trial_name": _("Sample trial"),
        "demo": True,
        "demo_text": _("Synthetic data: nobody in this trial exists"),
        "stations": [
            StationLink(reverse("gallery") if place == 0 else f"#{icon}", label, icon, place == 0, place == 0)
            for place, (icon, label) in enumerate(labels)
        ],
        "notice": "",
    }


def work_lists() -> list[WorkList]:
    """Work in each state, and an empty list."""
    day = datetime.timedelta(days=1)
    items = [
        WorkItem(_("Interview 0147 2231 at 12 months"), "#a", _("Window ends 30 Nov 2026"), "due", TODAY),
        WorkItem(_("Interview 0093 8810 at 6 months"), "#b", _("Window ended 19 Nov 2026"), "overdue", TODAY - 4 * day),
        WorkItem(_("Randomize participant 0201 7754"), "#c", _("Baseline signed by two people"), "due", TODAY),
        WorkItem(
            _("Register participant 0211"), "#d", _("Eligibility waits for the diagnosis"), "blocked", TODAY - 2 * day
        ),
        WorkItem(_("Reply to a query about 0093 8810"), "#e", _("Asked by the data manager"), "waiting", TODAY - day),
    ]
    return [
        WorkList(_("Waiting for you"), items),
        WorkList(
            _("Queries"), [], _("No open query. When the data manager asks about an answer, the question stands here.")
        ),
    ]


def tables() -> dict[str, Table]:
    """A table with everything that a table can have, and an empty one."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Visit")),
        Column(_("Day"), number=False),
        Column(_("Score"), number=True, unit=_("points"), decimals=1),
        Column(_("State")),
    ]
    rows: list[list[Any]] = [
        [Link("0093 8810", "#b"), "T2", TODAY - datetime.timedelta(days=4), 3.25, State("overdue")],
        [Link("0147 2231", "#a"), "T3", TODAY, None, State("due")],
        [Link("0151 0020", "#f"), "T1", datetime.date(2026, 10, 2), 11.5, State("done")],
        [Link("0163 9904", "#g"), "T3", datetime.date(2026, 12, 1), -2.0, State("upcoming")],
    ]
    full = Table(
        columns,
        rows,
        _("Visits of this month"),
        csv_url="?format=csv",
        page=Page(2, 5, 231, "?page=1", "?page=3"),
        note=_("Scores of signed forms only."),
    )
    return {
        "full": full,
        "empty": Table(
            columns, [], _("Missed visits"), _("No visit has been missed. A missed visit appears here with its reason.")
        ),
    }


def charts() -> list[Chart]:
    """One figure of each kind; the first belongs to the result."""
    shape = [(0, 3.10, 3.08), (6, 3.34, 3.18), (12, 3.46, 3.21), (18, 3.52, 3.24)]
    points = [
        figures.Point(arm, month, value, value - 0.11, value + 0.11)
        for month, first, second in shape
        for arm, value in ((_("Program"), first), (_("Usual care"), second))
    ]
    visits = [
        figures.VisitPoint(arm, visit, value, value - 0.3, value + 0.3)
        for visit, first, second in (
            (_("T1"), -0.2, 0.1),
            (_("T2, 12 months"), 0.4, 0.2),
            (_("T3, 18 months"), 0.5, 0.46),
        )
        for arm, value in ((_("Program"), first), (_("Usual care"), second))
    ]
    rows = [[p.group, int(p.at), p.value, p.low, p.high] for p in points]
    columns = [
        Column(_("Group")),
        Column(_("Month"), number=True),
        Column(_("Mean"), number=True, decimals=2),
        Column(_("From"), number=True, decimals=2),
        Column(_("To"), number=True, decimals=2),
    ]
    months = [datetime.date(2025 + m // 12, m % 12 + 1, 1) for m in range(22)]
    recruited = [(day, round(m * 8.1 + (m % 3) * 1.5)) for m, day in enumerate(months)]
    estimates = [
        figures.Estimate(_("As planned"), 0.34, 0.05, 0.63, is_total=True),
        figures.Estimate(_("Per protocol"), 0.41, 0.08, 0.74),
        figures.Estimate(_("Worst case for missing"), 0.22, -0.09, 0.53),
    ]
    missing = [
        (i, v, m, 187)
        for i, row in (("IMRS", (0, 17, 21, 31)), ("SFS", (2, 19, 24, 33)), ("RSES", (1, 18, 60, 90)))
        for v, m in zip(("T1", "T2", "T3", "T4"), row, strict=True)
    ]
    return [
        chart(
            figures.trajectories(points, _("Months since randomization"), _("Mean score (points)")),
            _("Illness management over time"),
            _("Both groups rise; the program group rises by 0.28 points more by month 18. Made-up numbers."),
            Table(columns, rows, _("Means with 95 % intervals")),
        ),
        chart(
            figures.by_visit(visits, _("Change since baseline (points)")),
            _("Change by visit"),
            _("The program group is ahead from 12 months on; the intervals overlap. Made-up numbers."),
        ),
        chart(
            figures.recruitment(recruited, [(months[0], 0), (months[-1], 187)]),
            _("Recruitment against target"),
            _("170 of 187 participants by month 21, a little behind the target."),
        ),
        chart(
            figures.forest(
                estimates, _("Standardized difference at 18 months"), favors=(_("usual care"), _("program"))
            ),
            _("How the result depends on what was missing"),
            _("The estimate stays above zero in all three analyses; in one the interval reaches below it."),
        ),
        chart(
            figures.missingness(missing),
            _("What is missing"),
            _("Most is missing at the last visit of the RSES: 90 of 187."),
        ),
    ]


def result(drawn: list[Chart]) -> Result:
    """A result with its table, figure and certainty."""
    columns = [
        Column(_("Term")),
        Column(_("Estimate"), number=True, decimals=2),
        Column(_("SE"), number=True, decimals=2),
        Column(_("95 % interval"), number=True),
        Column("p", number=True),
    ]
    return Result(
        sentence=_(
            "At 18 months the program group scored 0.28 points higher than usual care (95 % interval 0.04 to 0.52, p = .022)."
        ),
        table=Table(
            columns,
            [
                [_("Difference at 12 months"), 0.25, 0.12, "0.02 to 0.48", ".037"],
                [_("Difference at 18 months"), 0.28, 0.12, "0.04 to 0.52", ".022"],
            ],
        ),
        charts=drawn[:1],
        certainty=[
            Certainty("good", _("The model converged; two starting points gave the same estimate.")),
            Certainty("caution", _("29 of 187 have no score at 18 months.")),
            Certainty("poor", _("The residuals of three participants are far out; see the sensitivity analysis.")),
        ],
        marked=_("Fake arm: drawn at random from the participants' numbers. Nothing here is a result of the trial."),
        source=_("Snapshot 4f1c 22ab, plan version 3, run 23 Nov 2026, 10:42"),
    )


def jobs() -> list[Progress]:
    """Long work in each state."""
    soon = datetime.timedelta(minutes=3)
    return [
        Progress(
            "running",
            340,
            1000,
            _("Fits the mixed model"),
            remaining=soon,
            poll_url=reverse("gallery_progress"),
            cancel_url=reverse("gallery_progress"),
        ),
        Progress(
            "failed",
            0,
            0,
            _("Fits the mixed model"),
            _("The model did not converge within 500 steps. Nothing was stored; look at the missing values of T4."),
        ),
    ]
