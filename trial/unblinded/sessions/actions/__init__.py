"""Changing the treatment side. The actions by what they are about; all of them can be called from here."""

from trial.unblinded.sessions.actions.fidelity import reach_consensus, save_rating, sign_rating
from trial.unblinded.sessions.actions.groups import change_group, change_stay, close_group, open_group, place
from trial.unblinded.sessions.actions.sessions import Content, Marked, correct_session, record_session
from trial.unblinded.sessions.actions.treatment import fix_completions, record_told, withdraw

__all__ = [
    "Content",
    "Marked",
    "change_group",
    "change_stay",
    "close_group",
    "correct_session",
    "fix_completions",
    "open_group",
    "place",
    "reach_consensus",
    "record_session",
    "record_told",
    "save_rating",
    "sign_rating",
    "withdraw",
]
