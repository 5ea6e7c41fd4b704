"""How far rows are from each other: one distance for all that the report says of neighbours.

It is the mean over the columns of the difference of ranks, or of whether labels differ (Gower 1971). Ranks are
places in the real table's distribution, in [0, 1], so that no column counts more because of its unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tabgan.report.columns import ComparableTable, Numbers

_BLOCK_CELLS = 1_000_000
"""So many distances are held at a time."""


@dataclass(frozen=True)
class Places:
    """Rows as places: `(rows, numbers)` ranks, -1 where missing, and `(rows, labels)` codes as floats."""

    ranks: Numbers
    labels: Numbers

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def columns(self) -> int:
        """The number of columns of the table."""
        return int(self.ranks.shape[1] + self.labels.shape[1])


class Ruler:
    """Turns tables into places, by the ranks of one of them."""

    def __init__(self, real: ComparableTable) -> None:
        self._sorted = [
            known_sorted(real.numbers(i)) if column.is_number else None for i, column in enumerate(real.columns)
        ]

    def places(self, table: ComparableTable) -> Places:
        """The rows of a table as places."""
        ranks, labels = [], []
        for i, order in enumerate(self._sorted):
            if order is None:
                labels.append(table.codes(i).astype(np.float64))
            else:
                ranks.append(np.nan_to_num(ranks_of(table.numbers(i), order), nan=-1.0))
        empty = np.zeros((table.rows, 0))
        return Places(np.column_stack(ranks) if ranks else empty, np.column_stack(labels) if labels else empty)


def known_sorted(numbers: Numbers) -> Numbers:
    """The values that are not missing, in order."""
    return np.sort(numbers[~np.isnan(numbers)])


def ranks_of(numbers: Numbers, order: Numbers) -> Numbers:
    """Where numbers stand among the sorted `order`: in [0, 1], the middle of equal values, NaN where missing."""
    low, high = (np.searchsorted(order, numbers, side=side) for side in ("left", "right"))
    return np.where(np.isnan(numbers), np.nan, (low + high) / 2 / max(1, len(order)))


def nearest(rows: Places, among: Places, count: int = 1, *, but_itself: bool = False) -> Numbers:
    """The distances in [0, 1] (2 beside missing numbers) of each row to its `count` nearest ones among others.

    Returns `(rows, count)`, nearest first; with `but_itself`, `among` holds the same rows, and none is its own
    neighbour. Where there are fewer than `count` others, the rest is infinite.
    """
    found = np.full((len(rows), count), np.inf)
    for part, distances in blocks(rows, among):
        if but_itself:
            distances[np.arange(len(distances)), np.arange(part.start, part.start + len(distances))] = np.inf
        kept = min(count, distances.shape[1])
        found[part, :kept] = np.sort(np.partition(distances, kept - 1, axis=1)[:, :kept], axis=1)
    return found


def blocks(rows: Places, among: Places) -> Iterator[tuple[slice, Numbers]]:
    """The distances of all rows to all others, some rows at a time: (which, `(some, others)`)."""
    from scipy.spatial.distance import cdist

    step = max(1, _BLOCK_CELLS // max(1, len(among)))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        distances = np.zeros((len(rows.ranks[part]), len(among)))
        if rows.ranks.shape[1]:
            distances += cdist(rows.ranks[part], among.ranks, "cityblock")
        if rows.labels.shape[1]:
            distances += cdist(rows.labels[part], among.labels, "hamming") * rows.labels.shape[1]
        yield part, distances / rows.columns
