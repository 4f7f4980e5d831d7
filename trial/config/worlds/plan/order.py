"""Spreading things evenly, without a seed."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(given: Sequence[T], wanted: int) -> list[T]:
    """``wanted`` of ``given``, at even distances, in their order."""
    if wanted > len(given):
        raise ValueError(f"{wanted} of {len(given)} cannot be had.")
    return [given[(2 * n + 1) * len(given) // (2 * wanted)] for n in range(wanted)]


def in_turn(shares: Mapping[T, int]) -> list[T]:
    """Each key as often as it says, mixed as evenly as can be: next comes whoever is furthest behind its share."""
    total = sum(shares.values())
    given = dict.fromkeys(shares, 0)
    order: list[T] = []
    for place in range(1, total + 1):
        following = max(shares, key=lambda key: shares[key] * place - given[key] * total)
        given[following] += 1
        order.append(following)
    return order


def shuffled(shares: Mapping[T, int], name: str) -> list[T]:
    """Each key as often as it says, in an order that means nothing; the same on every machine."""
    order = [key for key, share in shares.items() for _time in range(share)]
    random.Random(f"plan/{name}").shuffle(order)  # noqa: S311 - synthetic data
    return order


def nearest(given: Sequence[T], at: dt.datetime, instants: Mapping[T, dt.datetime]) -> T:
    """The one of ``given`` whose instant lies nearest to ``at``; the first of equals."""
    return min(given, key=lambda one: abs(instants[one] - at))
