"""The one error of the supervisor: a message for the person at the terminal."""


class SupervisorError(Exception):
    """Something that the person who typed the command can act on.

    The text is one or two lines: what is wrong, where, and what to do. It is printed without a traceback.
    """
