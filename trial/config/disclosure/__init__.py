"""What each field may disclose: every table, every column, once.

A field that is not here fails a test that says what to do. The classes are explained in ``trial.core.disclosure``.
"""

from trial.config.disclosure import behind, framework
from trial.config.disclosure import open as open_side
from trial.core.disclosure import Fields

TABLES: dict[str, Fields] = {**open_side.TABLES, **behind.TABLES, **framework.TABLES}
