"""Tokens of the unblinded side: that they exist, and when they are used, is nobody's business on the open side."""

from trial.core.tokens.models import TokenBase


class UnblindedToken(TokenBase):
    """A token of an unblinded person or an administrator; valid below ``/unblinded/api/`` only."""

    class Meta(TokenBase.Meta):
        abstract = False
        db_table = "unblinded_token"
