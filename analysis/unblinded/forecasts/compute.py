"""The computation of a forecast, for the executor."""

import functools
import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.methods.canonical import digest, encode
from analysis.methods.progress import Watch
from analysis.unblinded.forecasts.candidates import recruitment_of, schemes_of
from analysis.unblinded.models import ForecastRun
from trial.unblinded.randomization.forecast import forecast
from trial.unblinded.randomization.schemes import of_parameters


@functools.cache
def scheme_hash() -> str:
    """SHA-256 over the source that makes a forecast: the schemes and the simulation."""
    package = Path(inspect.getfile(of_parameters)).parent
    files = [*sorted(package.glob("*.py")), Path(inspect.getfile(forecast))]
    return digest(encode([[file.name, digest(file.read_bytes())] for file in files]))


def compute_forecast(run: ForecastRun, watch: Watch) -> dict[str, Any]:
    """Simulate each candidate in turn, with the same seed."""
    candidates = schemes_of(run.spec)
    recruitment = recruitment_of(run.spec)
    found = []
    for place, scheme in enumerate(candidates):

        def tell(share: float, done: int = place) -> None:
            watch.step("simulating", (done + share) / len(candidates))

        found.append(asdict(forecast(scheme, recruitment, trials=run.spec["trials"], seed=run.seed, tell=tell)))
    return {"forecasts": found}
