"""Forms, their items, and the scales that are scored from them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from trial.core.disclosure import Disclosure

Number = int | float
Rater = Literal["participant", "interviewer", "clinician", "record"]
ItemKind = Literal["integer", "decimal", "choice", "text", "date", "yesno"]
Method = Literal["sum", "mean", "weighted", "difference", "present_count", "present_mean"]
Direction = Literal["higher_is_better", "higher_is_worse"]
ScaleRole = Literal["primary", "secondary", "exploratory", "subscale", "descriptive"]
Strength = Literal["hard", "soft"]

YES_NO: tuple[tuple[int, str], ...] = ((0, "No"), (1, "Yes"))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A value of an item with its short label."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `topic` is a short word of our own, never the item's licensed text.

    integer, decimal: `min`..`max`, both inclusive. choice: one of the anchors' values. yesno: 0 or 1. text: at most
    `max` characters. date: ISO date. `optional` items may stay empty without a reason.
    """

    code: str
    topic: str
    kind: ItemKind
    min: Number | None = None
    max: Number | None = None
    anchors: tuple[Anchor, ...] = ()
    optional: bool = False
    unit: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether a scale may count this item."""
        return self.kind in ("integer", "decimal", "choice", "yesno")

    @property
    def discloses(self) -> Disclosure:
        """What an answer may disclose: a text may hold anything, other answers are numbers, days or codes."""
        return Disclosure.FREE_TEXT if self.kind == "text" else Disclosure.SAFE

    @property
    def levels(self) -> tuple[tuple[int, str], ...]:
        """The values to choose from with their labels: of a choice or yesno item; empty for any other."""
        if self.kind == "yesno":
            return YES_NO
        return tuple((a.value, a.label) for a in self.anchors) if self.kind == "choice" else ()

    @property
    def limits(self) -> tuple[Number, Number]:
        """Lowest and highest number this item can hold. Only for numeric items: else ValueError."""
        if self.levels:
            return min(v for v, _ in self.levels), max(v for v, _ in self.levels)
        if not self.is_numeric or self.min is None or self.max is None:
            raise ValueError(f"item {self.code} has no numeric limits")
        return self.min, self.max


@dataclass(frozen=True, slots=True)
class MissingRule:
    """When a scale has a score although items are missing.

    At least the share `min_answered` (above 0, at most 1) of its items must be answered; the missing ones then get the
    person's mean of the answered ones. `min_answered = 1`: no missing item is allowed.
    """

    min_answered: float = 1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A score of one instrument.

    sum, mean: over `items`. weighted: sum of item x weight (`weights` as long as `items`). difference: sum of `items`
    minus sum of `negative_items`. present_count: how many items lie above their lowest answer; present_mean: the mean of
    those. Items in `reversed_items` count as (lowest + highest - answer).
    `min`, `max`: the range that the score can have, which the loader checks against the items.
    """

    code: str
    name: str
    method: Method
    items: tuple[str, ...]
    direction: Direction
    min: Number
    max: Number
    role: ScaleRole
    reversed_items: tuple[str, ...] = ()
    negative_items: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    missing: MissingRule = field(default_factory=MissingRule)

    @property
    def is_primary(self) -> bool:
        """Whether this is the primary outcome of the trial. Exactly one scale is."""
        return self.role == "primary"

    @property
    def all_items(self) -> tuple[str, ...]:
        """Every item that the score counts."""
        return self.items + self.negative_items


@dataclass(frozen=True, slots=True)
class Bounds:
    """An item with the range, both ends inclusive, that a check speaks of."""

    item: str
    min: Number
    max: Number


@dataclass(frozen=True, slots=True)
class Check:
    """A check between the answers of one form, beyond the range of each item. `text` says what is odd.

    It fails when every item of `when` is answered within its bounds and an answered item of `expect` is not; and when all
    items of `differ` are answered and all alike. hard: such a form is not signed. soft: somebody confirms it first.
    """

    code: str
    text: str
    strength: Strength
    when: tuple[Bounds, ...] = ()
    expect: tuple[Bounds, ...] = ()
    differ: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The items that the check looks at."""
        return (*(one.item for one in self.when), *(one.item for one in self.expect), *self.differ)


@dataclass(frozen=True)
class Instrument:
    """A form: who rates, whether the rater is blind, at which visits, its items, scales made from them, and checks."""

    code: str
    name: str
    topic: str
    rater: Rater
    rater_blind: bool
    visits: tuple[str, ...]
    items: tuple[Item, ...]
    scales: tuple[Scale, ...] = ()
    notice: str = ""
    checks: tuple[Check, ...] = ()

    @cached_property
    def _by_code(self) -> dict[str, Item]:
        return {item.code: item for item in self.items}

    def item(self, code: str) -> Item:
        """The item with this code; KeyError if there is none."""
        return self._by_code[code]
