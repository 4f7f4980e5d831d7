"""THE one join of outcomes and arms. No other module of this project may do it."""

import uuid
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Protocol

from analysis.runs.joined import Joined, as_csv
from trial.participants.models import Participant
from trial.unblinded.randomization.queries import arms_of


class Exposed(Protocol):
    """What the sessions say of one person."""

    @property
    def group(self) -> str | None: ...

    @property
    def attended(self) -> int: ...

    @property
    def completed(self) -> bool | None: ...


class Faithful(Protocol):
    """How faithfully a group followed the program."""

    @property
    def band(self) -> str: ...


class Admitted(Protocol):
    """What the records say of one person."""

    @property
    def before_any(self) -> bool: ...

    @property
    def before_days(self) -> int: ...

    @property
    def after_any(self) -> bool: ...

    @property
    def after_days(self) -> int: ...


def join(numbers: Iterable[str]) -> dict[str, Joined]:
    """The allocated arm of each of these study numbers, and what followed from it."""
    people = dict(Participant.objects.filter(number__in=list(numbers)).values_list("pk", "number"))
    exposed, faithful, admitted = followed()
    return {
        people[key]: joined(arm, exposed.get(key), faithful, admitted.get(key)) for key, arm in arms_of(people).items()
    }


def followed() -> tuple[Mapping[uuid.UUID, Exposed], Mapping[str, Faithful], Mapping[uuid.UUID, Admitted]]:
    """What followed from the arms: sessions of each person, fidelity of each group, admissions of each person."""
    return {}, {}, {}


def joined(arm: str, exposed: Exposed | None, faithful: Mapping[str, Faithful], admitted: Admitted | None) -> Joined:
    """One person. Whose sessions or records are not known has None there, never 0."""
    group = exposed.group if exposed else None
    return Joined(
        arm=arm,
        group=group,
        attended=exposed.attended if exposed else None,
        completed=exposed.completed if exposed else None,
        fidelity_band=faithful[group].band if group is not None and group in faithful else None,
        admitted_before=admitted.before_any if admitted else None,
        days_before=admitted.before_days if admitted else None,
        admitted_after=admitted.after_any if admitted else None,
        days_after=admitted.after_days if admitted else None,
    )


def as_extract(joined_people: Mapping[str, Joined]) -> tuple[bytes, str]:
    """The join as CSV in the order of numbers, and its SHA-256: what a comparative run keeps."""
    content = as_csv(joined_people)
    return content, sha256(content).hexdigest()
