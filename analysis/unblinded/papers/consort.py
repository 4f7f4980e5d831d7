"""The items of CONSORT 2025, each with where it is answered. Topics in our own words.

Source: Hopewell S, Chan AW, Collins GS, et al. CONSORT 2025 statement: updated guideline for reporting randomised trials. BMJ 2025;389:e081123.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.ui.tables import Column, Table
from trial.core.ui.text import Text

SOURCE = (
    "Hopewell S, Chan AW, Collins GS, et al. CONSORT 2025 statement. BMJ 2025;389:e081123, doi 10.1136/bmj-2024-081123."
)
NOWHERE = gettext_lazy("Not in this report")


@dataclass(frozen=True)
class Item:
    """An item. ``place``: the section of this report, or the page of the application, that answers it; nothing where none does."""

    number: str
    topic: Text
    place: Text = ""


METHODS = gettext_lazy("Section Methods")
FLOW = gettext_lazy("Section Flow of participants by arm")
RESULTS = gettext_lazy("Sections with the results, one for each analysis")
SUBGROUPS_TOO = gettext_lazy(
    "Subgroups: section Methods, and the result by the analysis plan; sections Sensitivity and Non-randomized comparisons"
)
PROTOCOL = gettext_lazy("Protocol, by its SHA-256")

ITEMS: tuple[Item, ...] = (
    Item("1a", gettext_lazy("Randomized trial, said in the title"), gettext_lazy("First page, title of the trial as the protocol has it")),
    Item("1b", gettext_lazy("Structured summary"), gettext_lazy("Section Summary, the result alone")),
    Item("2", gettext_lazy("Registration"), METHODS),
    Item("3", gettext_lazy("Where protocol and analysis plan can be read"), gettext_lazy("First page, by SHA-256; page Analysis plan")),
    Item("4", gettext_lazy("Sharing of data, dictionary and code")),
    Item("5a", gettext_lazy("Funding, and the funders' part")),
    Item("5b", gettext_lazy("Conflicts of interest")),
    Item("6", gettext_lazy("Background")),
    Item("7", gettext_lazy("Objectives, benefits and harms"), gettext_lazy("Section Methods, the estimand alone")),
    Item("8", gettext_lazy("Part of patients and the public")),
    Item("9", gettext_lazy("Design, ratio, framework"), METHODS),
    Item("10", gettext_lazy("Changes after the start"), gettext_lazy("Page Analysis plan, versions; section Methods, planned and published")),
    Item("11", gettext_lazy("Setting and places"), METHODS),
    Item("12a", gettext_lazy("Who could take part"), METHODS),
    Item("12b", gettext_lazy("Which sites and therapists could take part")),
    Item("13", gettext_lazy("Interventions, in enough detail to repeat them"), gettext_lazy("Section Methods, by name; content in the protocol")),
    Item("14", gettext_lazy("Outcomes as planned"), METHODS),
    Item("15", gettext_lazy("How harms were defined and assessed"), gettext_lazy("Section Serious events by arm")),
    Item("16a", gettext_lazy("Sample size and its reasons"), gettext_lazy("Section Methods, the number alone")),
    Item("16b", gettext_lazy("Interim analyses and rules for stopping"), gettext_lazy("Section Looks")),
    Item("17a", gettext_lazy("Who made the sequence, and how"), gettext_lazy("Pages Commitment and Verification")),
    Item("17b", gettext_lazy("Type of randomization, restrictions"), gettext_lazy("Section Methods, strata; restrictions on page Verification")),
    Item("18", gettext_lazy("Concealment"), gettext_lazy("Section Methods")),
    Item("19", gettext_lazy("Who could see the sequence while people were enrolled"), METHODS),
    Item("20a", gettext_lazy("Who was blind"), METHODS),
    Item("20b", gettext_lazy("How they were kept blind"), gettext_lazy("Sections Methods and Success of the blind")),
    Item("21a", gettext_lazy("Statistical methods"), METHODS),
    Item("21b", gettext_lazy("Who is in each analysis, and in which arm"), gettext_lazy("Section Methods, population; each result")),
    Item("21c", gettext_lazy("How missing data were handled"), gettext_lazy("Section Methods, model and sensitivity")),
    Item("21d", gettext_lazy("Further analyses, planned or not"), SUBGROUPS_TOO),
    Item("22a", gettext_lazy("Numbers allocated, treated, analyzed, by arm"), FLOW),
    Item("22b", gettext_lazy("Losses and exclusions with reasons, by arm"), FLOW),
    Item("23a", gettext_lazy("Dates of recruitment and follow-up"), gettext_lazy("Section Summary")),
    Item("23b", gettext_lazy("Why the trial ended")),
    Item("24a", gettext_lazy("Treatment as it was given, attendance and fidelity"), gettext_lazy("Section Treatment received")),
    Item("24b", gettext_lazy("Other care during the trial")),
    Item("25", gettext_lazy("Baseline table by arm"), gettext_lazy("Section Participants at baseline, by arm")),
    Item("26", gettext_lazy("Estimates with intervals, numbers analyzed"), RESULTS),
    Item("27", gettext_lazy("Harms by arm"), gettext_lazy("Section Serious events by arm")),
    Item("28", gettext_lazy("Other analyses, planned apart from the rest"), SUBGROUPS_TOO),
    Item("29", gettext_lazy("Interpretation")),
    Item("30", gettext_lazy("Limitations"), gettext_lazy("With each result, under how sure one can be; no discussion")),
)  # fmt: skip


def item_table() -> Table:
    """Every item, with where it is answered, or that this report does not."""
    rows = [[one.number, one.topic, one.place or NOWHERE] for one in ITEMS]
    columns = [Column(_("Item")), Column(_("Topic, in our words")), Column(_("Where"))]
    return Table(columns, rows, caption=_("CONSORT 2025"), note=SOURCE)
