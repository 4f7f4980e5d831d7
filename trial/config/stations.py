"""What each role finds on the left: the stations, by role and side; and small facts for the shell."""

from django.utils.translation import gettext_lazy as _

from trial.core.access import roles as r
from trial.core.ui.stations import Station
from trial.protocol import queries
from trial.protocol.models import Site


def _codes(*roles: type[r.Role]) -> tuple[str, ...]:
    return tuple(role.code for role in roles)


STATIONS: list[Station] = [
    Station("home", _("Work"), _codes(*r.OPEN_SIDE), "default", "home"),
    Station(
        "participants",
        _("Participants"),
        _codes(r.Coordinator, r.DataManager, r.Monitor, r.Investigator),
        "default",
        "users",
    ),
    Station(
        "screening_log",
        _("Screening"),
        _codes(r.Coordinator, r.DataManager, r.Monitor, r.Investigator),
        "default",
        "clipboard-list",
    ),
    Station(
        "recruitment",
        _("Recruitment"),
        _codes(r.Coordinator, r.DataManager, r.TrialStatistician, r.Investigator, r.Monitor, r.Sponsor),
        "default",
        "chart-line",
    ),
    Station(
        "flow",
        _("Flow"),
        _codes(r.Coordinator, r.DataManager, r.TrialStatistician, r.Investigator, r.Monitor, r.Sponsor),
        "default",
        "route",
    ),
    Station(
        "serious_events",
        _("Serious events"),
        _codes(r.Coordinator, r.DataManager, r.Monitor, r.Investigator),
        "default",
        "alert-triangle",
    ),
    Station("readings", _("Readings"), _codes(r.DataManager, r.Monitor, r.Investigator), "default", "eye-off"),
    Station("interviews", _("Interviews"), _codes(r.Interviewer), "default", "calendar-event"),
    Station("ratings", _("Ratings"), _codes(r.ClinicianRater), "default", "calendar-event"),
    Station(
        "visits",
        _("Visits"),
        _codes(r.Coordinator, r.ClinicianRater, r.DataManager, r.Monitor, r.Investigator),
        "default",
        "calendar-event",
    ),
    Station(
        "data_queries",
        _("Queries"),
        _codes(r.Interviewer, r.ClinicianRater, r.Coordinator, r.DataManager, r.Monitor),
        "default",
        "message-report",
    ),
    Station("records", _("Forms"), _codes(r.DataManager, r.Monitor), "default", "file-text"),
    Station(
        "completeness",
        _("Completeness"),
        _codes(r.DataManager, r.Monitor, r.TrialStatistician, r.Investigator),
        "default",
        "clipboard-check",
    ),
    Station("codebook", _("Codebook"), _codes(r.DataManager, r.Monitor, r.TrialStatistician), "default", "database"),
    Station(
        "runs",
        _("Analyses"),
        _codes(r.TrialStatistician, r.DataManager, r.Monitor, r.Investigator),
        "default",
        "chart-dots",
    ),
    Station(
        "reports",
        _("Reports"),
        _codes(r.TrialStatistician, r.DataManager, r.Monitor, r.Investigator, r.Sponsor),
        "default",
        "report-analytics",
    ),
    Station(
        "plan",
        _("Analysis plan"),
        _codes(r.TrialStatistician, r.Investigator, r.DataManager, r.Monitor, r.Sponsor),
        "default",
        "clipboard-list",
    ),
    Station("snapshots", _("Snapshots"), _codes(r.TrialStatistician, r.DataManager), "default", "report-analytics"),
    Station("lock", _("Database lock"), _codes(r.DataManager), "default", "lock"),
    Station("request_unblinding", _("Planned unblinding"), _codes(r.Sponsor), "default", "key"),
    Station("history", _("History"), _codes(r.DataManager, r.Monitor), "default", "history"),
    Station("redactions", _("Redactions"), _codes(r.Investigator), "default", "history"),
    Station("roles", _("Roles"), _codes(r.Monitor, r.Investigator), "default", "shield-check"),
    # of the open side, through the one gate
    Station("code_break", _("Code-break"), _codes(r.Investigator), "default", "alert-triangle"),
    Station("unblinded_home", _("Work"), _codes(*r.UNBLINDED_SIDE, r.Administrator), "unblinded", "home"),
    Station("unblinded_participants", _("Registration"), _codes(r.UnblindedCoordinator), "unblinded", "users"),
    Station("unblinded_screening_log", _("Screening"), _codes(r.UnblindedCoordinator), "unblinded", "clipboard-list"),
    Station(
        "allocations",
        _("Allocations"),
        _codes(
            r.UnblindedCoordinator,
            r.TreatmentCoordinator,
            r.UnblindedDataManager,
            r.UnblindedMonitor,
            r.IndependentStatistician,
        ),
        "unblinded",
        "arrows-shuffle",
    ),
    Station(
        "treatment_groups",
        _("Groups"),
        _codes(r.TreatmentCoordinator, r.Therapist, r.UnblindedDataManager),
        "unblinded",
        "users",
    ),
    Station(
        "treatment_people",
        _("Treatment"),
        _codes(r.TreatmentCoordinator, r.UnblindedDataManager),
        "unblinded",
        "stethoscope",
    ),
    Station(
        "fidelity",
        _("Fidelity"),
        _codes(r.FidelityRater, r.TreatmentCoordinator, r.UnblindedDataManager, r.IndependentStatistician),
        "unblinded",
        "clipboard-check",
    ),
    Station(
        "admissions",
        _("Records"),
        _codes(r.Abstractor, r.UnblindedDataManager, r.UnblindedMonitor, r.IndependentStatistician),
        "unblinded",
        "building-hospital",
    ),
    Station(
        "events",
        _("Serious events"),
        _codes(r.UnblindedCoordinator, r.TreatmentCoordinator, r.UnblindedDataManager, r.UnblindedMonitor),
        "unblinded",
        "alert-triangle",
    ),
    Station(
        "events_by_arm",
        _("Serious events by arm"),
        _codes(r.IndependentStatistician, r.CommitteeMember, r.CommitteeChair),
        "unblinded",
        "alert-triangle",
    ),
    Station("people", _("Participants"), _codes(r.TreatmentCoordinator), "unblinded", "users"),
    Station("unblinded_readings", _("Readings"), _codes(r.UnblindedDataManager), "unblinded", "eye-off"),
    Station("planned_unblinding", _("Planned unblinding"), _codes(r.IndependentStatistician), "unblinded", "key"),
    Station(
        "comparative_runs", _("Comparative analyses"), _codes(r.IndependentStatistician), "unblinded", "chart-dots"
    ),
    Station(
        "unblinded_plan",
        _("Analysis plan"),
        _codes(r.IndependentStatistician, r.CommitteeMember, r.CommitteeChair, r.UnblindedMonitor),
        "unblinded",
        "clipboard-list",
    ),
    Station(
        "looks",
        _("Looks before the end"),
        _codes(r.IndependentStatistician, r.CommitteeMember, r.CommitteeChair),
        "unblinded",
        "eye-off",
    ),
    Station(
        "closed_reports",
        _("Reports"),
        _codes(r.IndependentStatistician, r.CommitteeMember, r.CommitteeChair),
        "unblinded",
        "report-analytics",
    ),
    Station("forecasts", _("Forecasts"), _codes(r.IndependentStatistician), "unblinded", "calculator"),
    Station(
        "flow_by_arm",
        _("Flow by arm"),
        _codes(r.UnblindedDataManager, r.IndependentStatistician),
        "unblinded",
        "route",
    ),
    Station(
        "blinding_success",
        _("Guesses"),
        _codes(r.UnblindedDataManager, r.IndependentStatistician),
        "unblinded",
        "eye-off",
    ),
    Station(
        "unblinding_reports",
        _("Unblinding reports"),
        _codes(r.UnblindedDataManager, r.IndependentStatistician),
        "unblinded",
        "message-report",
    ),
    Station(
        "handovers", _("Hand-overs"), _codes(r.UnblindedDataManager, r.IndependentStatistician), "unblinded", "route"
    ),
    Station("ledger", _("Ledger"), _codes(r.UnblindedDataManager, r.IndependentStatistician), "unblinded", "history"),
    Station(
        "unblinded_history", _("History"), _codes(r.UnblindedDataManager, r.UnblindedMonitor), "unblinded", "history"
    ),
    Station("unblinded_history_seal", _("Seal"), _codes(r.IndependentStatistician), "unblinded", "lock"),
    Station("unblinded_redactions", _("Redactions"), _codes(r.IndependentStatistician), "unblinded", "history"),
    Station("accounts", _("Accounts"), _codes(r.Administrator), "unblinded", "users"),
    Station("role_matrix", _("Roles"), _codes(r.Administrator), "unblinded", "shield-check"),
    Station("refusals", _("Refused attempts"), _codes(r.Administrator), "unblinded", "ban"),
]


def trial_name() -> str:
    """The trial's short name, from the protocol in force."""
    found = queries.version_or_none()
    return queries.protocol_of(found).short_name if found else "Equipoise"


def trial_notice() -> str:
    """A notice on every page while an import is under way."""
    state = queries.import_under_way()
    return (
        str(_("Import under way: %(source)s. Numbers on this page are not complete.") % {"source": state.source})
        if state
        else ""
    )


def trial_band() -> str:
    """What the band of a demo world says about its data."""
    found = queries.version_or_none()
    return queries.protocol_of(found).notice if found else ""


def site_names() -> dict[str, str]:
    """The name of each site, by code."""
    return dict(Site.objects.order_by("name").values_list("code", "name"))
