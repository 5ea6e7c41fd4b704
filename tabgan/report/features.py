"""What boosted trees see of a table: numbers as they are, labels as codes, and dates with their weekday and hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tabgan.c2st import MOST_LABELS
from tabgan.report.columns import ComparableColumn, ComparableTable, Numbers, hours, weekdays


@dataclass(frozen=True, kw_only=True)
class Features:
    """`values`: `(rows, features)` float64; `labels`, `(features,)`: which trees may split by sets of values; `owner`,
    `(features,)`: the number of the column that each comes from."""

    values: Numbers
    labels: npt.NDArray[np.bool_]
    owner: npt.NDArray[np.int64]

    def but(self, column: int) -> Features:
        """All that do not come from a column."""
        kept = self.owner != column
        return Features(values=self.values[:, kept], labels=self.labels[kept], owner=self.owner[kept])

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Features:
        """The features of some rows."""
        return replace(self, values=self.values[rows])

    def falls(self, score: Callable[[Numbers], float], rng: np.random.Generator) -> Numbers:
        """By how much the `score` of the values falls when those of each column are shuffled, `(columns,)` (permutation
        importance, Breiman 2001)."""
        whole = score(self.values)
        return np.array([whole - score(self.shuffled(column, rng)) for column in np.unique(self.owner)])

    def shuffled(self, column: int, rng: np.random.Generator) -> Numbers:
        """The values, in which those of a column are shuffled together."""
        found = self.values.copy()
        own = self.owner == column
        found[:, own] = rng.permutation(found[:, own])
        return found


def features(table: ComparableTable) -> Features:
    """The features of all columns. More labels than trees take are ordered: as numbers, or by how frequent they are."""
    parts = [_of(table, i, column) for i, column in enumerate(table.columns)]
    return Features(
        values=np.column_stack([np.zeros((table.rows, 0)), *(values for part in parts for values in part)]),
        labels=np.array([_is_label(table.columns[i]) for i, part in enumerate(parts) for _ in part], dtype=bool),
        owner=np.array([i for i, part in enumerate(parts) for _ in part], dtype=np.int64),
    )


def _is_label(column: ComparableColumn) -> bool:
    return not column.is_number and column.cardinality <= MOST_LABELS


def _of(table: ComparableTable, i: int, column: ComparableColumn) -> list[Numbers]:
    if not column.is_number:
        return [_places(column)[table.codes(i)]]
    numbers = table.values[i].astype(np.float64)
    if column.kind != "datetime":
        return [numbers]
    return [numbers, weekdays(numbers), hours(numbers)]


def _places(column: ComparableColumn) -> Numbers:
    """What stands for each code, `(cardinality,)`: the code, or the number that each of very many labels is."""
    if column.cardinality > MOST_LABELS:
        try:
            numbers = np.array([*map(float, column.labels)])
        except ValueError:
            numbers = np.array([np.nan])
        if np.isfinite(numbers).all():
            return np.append(numbers, np.nan)
        # No numbers: the more frequent ones come first.
    return np.arange(column.cardinality, dtype=np.float64)
