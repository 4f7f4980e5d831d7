"""Refusals: errors that are written for the person who reads them."""


class Refused(Exception):
    """An action was refused; nothing was changed.

    ``message`` is a translated sentence: what is wrong, where, and what to do. ``code`` is stable and safe to log.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message


class NotAllowed(Refused):
    """The person may not do this; their roles do not include it."""


class Conflict(Refused):
    """Somebody else changed the record in the meantime; what was typed is still with the caller."""
