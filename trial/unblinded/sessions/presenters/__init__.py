"""What pages show of the treatment side, and the work and panels of its first pages."""

from trial.unblinded.sessions.presenters.panels import panels_for
from trial.unblinded.sessions.presenters.words import member_label
from trial.unblinded.sessions.presenters.work import work_for

__all__ = ["member_label", "panels_for", "work_for"]
