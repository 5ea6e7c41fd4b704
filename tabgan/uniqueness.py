"""The search for composite keys: pairs of columns that repeat one by one, but never together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from tabgan.chance import LEAST_CHANCES
from tabgan.column import Column
from tabgan.facts import Fact

LOOK_ROWS = 1_500
"""Rows on which most pairs already repeat; what does not is checked on all rows."""


def find_unique(columns: Sequence[Column], labels: Mapping[str, np.ndarray], others: Sequence[Fact]) -> list[Fact]:
    """Pairs of columns, each in one pair at most, that hold no two equal rows although chance would have made some.

    `labels`: `(rows,)` whole numbers of the columns' values. Columns with missing cells, decimals and columns that
    follow from `others` take no part.
    """
    follow = {fact.column for fact in others if fact.kind in ("fixed", "sum", "product", "linear")}
    names = [
        column.name
        for column in columns
        if column.name in labels
        and column.name not in follow
        and not column.nullable
        and not (column.kind == "number" and column.precision != 0)
    ]
    counts = {name: np.bincount(labels[name]) for name in names}
    likely = []
    for one, two in combinations(names, 2):
        # The rows of a value differ in the other column, so that it has as many values.
        if counts[one].max() > len(counts[two]) or counts[two].max() > len(counts[one]):
            continue
        due = _repeats_by_chance(counts[one], counts[two])
        if due >= LEAST_CHANCES and not _repeats(labels[one][:LOOK_ROWS], labels[two][:LOOK_ROWS]):
            likely.append((due, one, two))
    found: list[Fact] = []
    taken: set[str] = set()
    for _, one, two in sorted(likely, key=lambda pair: -pair[0]):
        if not taken & {one, two} and not _repeats(labels[one], labels[two]):
            many, few = (one, two) if len(counts[one]) >= len(counts[two]) else (two, one)
            found.append(Fact(kind="unique", column=many, of=(few,)))
            taken |= {one, two}
    return found


def _repeats_by_chance(one: np.ndarray, two: np.ndarray) -> float:
    """How many pairs of rows would be equal in both columns if these had nothing to do with each other."""
    pairs = float(one.sum()) * (one.sum() - 1) / 2
    equal = [float((counts * (counts - 1.0)).sum()) / 2 for counts in (one, two)]
    return float(equal[0] * equal[1] / max(pairs, 1))


def _repeats(one: np.ndarray, two: np.ndarray) -> bool:
    both = np.sort(one * (int(two.max(initial=0)) + 1) + two)  # NumPy's `unique` takes 15 to 35 times as long
    return bool((both[1:] == both[:-1]).any())
