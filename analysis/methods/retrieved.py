"""Retrieved dropout: values that are missing after an intercurrent event, imputed by those of people who went on being seen after it.

The repeated-measures model gets a shift of the mean after the event, for each arm and visit, estimated from the values that were observed after
it; what is missing after the event is then imputed with that shift, given the person's own earlier values (missing at random within who is off
treatment). It follows the treatment policy: what would have been measured, treated on or not. Indicators of the event by arm and visit are those
of Guizzaro et al. (2021) and Bell et al. (2025), as the vignette on retrieved dropout of rbmi names them; Wang and Hu (2022), BMC Med Res
Methodol 22:82, impute by regression among the retrieved. Few retrieved values cost precision, and none make it impossible.

The extended case goes through `imputation` with the strategy ``mar``: the model is fitted to all that was observed, the shifts among its columns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .imputation import Case
from .likelihood import Array
from .problems import Refused, error

LEAST = 5
"""So many values must have been seen after the event at a visit, in an arm, before missing ones there may be imputed from them."""


def retrieved(case: Case, event: npt.NDArray[np.intp]) -> Case:
    """`case` with one more column of the design for each arm and visit at which values are missing after the event.

    event (n,): the first visit (from 0) after the event, T where there was none, in either arm (`case.ice` counts in the experimental arm alone).
    Refused: a visit of an arm where values are missing after the event and fewer than five were seen; an event at no visit.
    """
    people, visits = case.outcomes.shape
    if event.shape != (people,) or ((event < 0) | (event > visits)).any():
        raise Refused([error("imputation_event")])
    after = np.arange(visits)[None, :] >= event[:, None]
    columns = []
    for name, arm in (("experimental", case.experimental), ("reference", ~case.experimental)):
        for visit in range(visits):
            there = after[:, visit] & arm
            seen = int((there & ~np.isnan(case.outcomes[:, visit])).sum())
            missing = int((there & case.imputed[:, visit]).sum())
            if missing and seen < LEAST:
                raise Refused([error("retrieved_too_few", arm=name, visit=visit + 1, seen=seen, least=LEAST)])
            if seen >= LEAST:
                columns.append(_shift(there, visit, visits))
    if not columns:
        return case
    shifts = np.stack(columns, axis=2)
    return replace(
        case, own=np.concatenate([case.own, shifts], axis=2), reference=np.concatenate([case.reference, shifts], axis=2)
    )


def _shift(there: npt.NDArray[np.bool_], visit: int, visits: int) -> Array:
    """The column (n, T) that is 1 at one visit for whoever is after the event there."""
    found = np.zeros((len(there), visits))
    found[:, visit] = there
    return found
