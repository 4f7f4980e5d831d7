"""The roles of a trial, each a class with its side.

Source: the delegation of duties in a trial with blinded outcome assessment (ICH E6(R3) 4.1). Several roles of the same side may be held
by one person; nobody holds roles of both sides, and who has held an unblinded role gets no blind one.

This also keeps a clinician-rater out of every group: whoever leads, trains or supervises one is a therapist, of the other side, and a
trainer of a group must hold that role (the database refuses anybody else). To be told an arm, or to break a code, is no role.
"""

from typing import ClassVar, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RoleSide = Literal["open", "unblinded", "accounts"]


class Role:
    """A role: ``code`` in the database, ``title`` and ``description`` for people, ``side``, whether it belongs to a site, what it excludes."""

    code: ClassVar[str]
    title: ClassVar[str | Promise]
    description: ClassVar[str | Promise]
    side: ClassVar[RoleSide]
    site_scoped: ClassVar[bool] = False
    where_seen: ClassVar[bool | None] = None
    """True: only at sites whose coordinator sees the allocation (a setting of the protocol); False: only at the others."""
    excludes: ClassVar[frozenset[str]] = frozenset()
    """Codes of roles of the same side that nobody holds beside this one."""


class Coordinator(Role):
    code, side, site_scoped = "coordinator", "open", True
    where_seen = False
    title = _("Coordinator")
    description = _(
        "Screens, takes consent, registers, schedules interviews and asks for randomization. Never sees an arm."
    )


class Interviewer(Role):
    code, side, site_scoped = "interviewer", "open", True
    excludes = frozenset({"investigator", "rater"})
    title = _("Interviewer")
    description = _("Enters the assessments of assigned participants. Sees no earlier answer, no session and no arm.")


class ClinicianRater(Role):
    code, side, site_scoped = "rater", "open", True
    excludes = frozenset({"interviewer"})  # rates knowing the arm
    title = _("Clinician-rater")
    description = _("Completes the clinician-rated scales of both arms. Leads no group.")


class DataManager(Role):
    code, side = "datamanager", "open"
    title = _("Data manager")
    description = _("Cleans open data, answers queries, takes snapshots and locks the database. Never sees an arm.")


class Monitor(Role):
    code, side = "monitor", "open"
    title = _("Monitor")
    description = _("Reads and verifies open data and raises queries. Changes nothing.")


class TrialStatistician(Role):
    code, side = "statistician", "open"
    title = _("Trial statistician")
    description = _("Writes the plan, sees pooled figures, and rehearses the analysis on a fake arm.")


class Investigator(Role):
    code, side = "investigator", "open"
    excludes = frozenset({"interviewer"})  # whoever may break codes is an assessor nowhere
    title = _("Principal investigator")
    description = _("Oversees the trial, delegates, and may break the code of one participant in an emergency.")


class Sponsor(Role):
    code, side = "sponsor", "open"
    title = _("Sponsor's representative")
    description = _("Asks for planned unblinding after the database has been locked.")


class UnblindedCoordinator(Role):
    code, side, site_scoped = "coordinator_unblinded", "unblinded", True
    where_seen = True
    title = _("Coordinator, unblinded side")
    description = _(
        "Screens, takes consent, registers and asks for randomization at a site with one person, and sees its allocations. "
        "Assigns no interviewer and opens no outcome."
    )


class TreatmentCoordinator(Role):
    code, side, site_scoped = "treatment", "unblinded", True
    title = _("Treatment coordinator")
    description = _("Sees the allocations of the own site and arranges treatment. Screens nobody and opens no outcome.")


class Therapist(Role):
    code, side, site_scoped = "therapist", "unblinded", True
    title = _("Therapist")
    description = _("Records sessions and attendance of own groups.")


class FidelityRater(Role):
    code, side = "fidelity", "unblinded"
    title = _("Fidelity rater")
    description = _("Scores how faithfully groups follow the program.")


class Abstractor(Role):
    code, side = "abstractor", "unblinded"
    title = _("Record abstractor")
    description = _("Takes admissions from files that may mention the treatment. Interviews nobody.")


class UnblindedDataManager(Role):
    code, side = "datamanager_unblinded", "unblinded"
    title = _("Data manager, unblinded side")
    description = _("Cleans sessions, fidelity and allocation events.")


class IndependentStatistician(Role):
    code, side = "independent", "unblinded"
    title = _("Independent statistician")
    description = _("Runs comparative analyses behind the wall and confirms planned unblinding.")


class CommitteeMember(Role):
    code, side = "dmc", "unblinded"
    title = _("Data monitoring committee")
    description = _("Reads closed reports and recommends.")


class CommitteeChair(Role):
    code, side = "chair", "unblinded"
    title = _("Chair of the data monitoring committee")
    description = _("Reads closed reports and signs the committee's recommendation.")


class UnblindedMonitor(Role):
    code, side = "monitor_unblinded", "unblinded"
    title = _("Monitor, unblinded side")
    description = _("Reads and verifies allocations and hospital records. Changes nothing.")


class Administrator(Role):
    code, side = "admin", "accounts"
    title = _("Administrator")
    description = _("Makes accounts and gives roles. Sees no trial data.")


ALL: tuple[type[Role], ...] = (
    Coordinator, Interviewer, ClinicianRater, DataManager, Monitor, TrialStatistician, Investigator, Sponsor,
    UnblindedCoordinator, TreatmentCoordinator, Therapist, FidelityRater, Abstractor, UnblindedDataManager,
    IndependentStatistician, CommitteeMember, CommitteeChair, UnblindedMonitor, Administrator,
)  # fmt: skip

BY_CODE: dict[str, type[Role]] = {role.code: role for role in ALL}

OPEN_SIDE: tuple[type[Role], ...] = tuple(role for role in ALL if role.side == "open")
UNBLINDED_SIDE: tuple[type[Role], ...] = tuple(role for role in ALL if role.side == "unblinded")
EVERYBODY_AT_WORK: tuple[type[Role], ...] = OPEN_SIDE + UNBLINDED_SIDE
EVERYBODY: tuple[type[Role], ...] = ALL
