"""Who took part in a run, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.runs.models import Run
from analysis.runs.people import EVERYBODY, WITHOUT_ERRORS, people_of
from trial.core.ui.tables import shown
from trial.core.ui.text import Text

PEOPLE: dict[str, Text] = {
    EVERYBODY: gettext_lazy("Everybody who was randomized"),
    WITHOUT_ERRORS: gettext_lazy("Sensitivity analysis: without errors of randomization"),
}
PEOPLE_HINTS: dict[str, Text] = {
    WITHOUT_ERRORS: gettext_lazy("Leaves out those of whom an error of randomization stands."),
}


def source_of(run: Run) -> str:
    """When a finished run was made, and of whom if not of everybody."""
    words = _("Run of %(at)s.") % {"at": shown(run.created_at)}
    if people_of(run.spec) == EVERYBODY:
        return words
    count = run.result["left_out"]
    left = ngettext(
        "Sensitivity analysis without errors of randomization: %(count)d participant left out.",
        "Sensitivity analysis without errors of randomization: %(count)d participants left out.",
        count,
    )
    return f"{words} {left % {'count': count}}"
