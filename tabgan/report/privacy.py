"""Do synthetic rows lie nearer to the rows they were learned from than other real rows do? And how many are copies?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabgan.report.columns import ComparableTable

MOST_ROWS = 4_000
"""Rows of each table whose distances are worked out, at most."""
BLOCK_ROWS = 256


def dcr_share(real: ComparableTable, holdout: ComparableTable, synthetic: ComparableTable, seed: int) -> float:
    """The share of synthetic rows whose distance to the closest record of `real` is smaller than to that of `holdout`,
    of which as many rows are looked at; ties count half. 0.5 where nothing is remembered, 1 where rows are copied.

    The distance is the mean over the columns of the difference of ranks, or of whether labels differ (Gower 1971).
    """
    rng = np.random.default_rng(seed)
    rows, places = min(real.rows, holdout.rows, MOST_ROWS), _Places(real)
    some = places.of(synthetic.take(rng.permutation(synthetic.rows)[:MOST_ROWS]))
    near = [_closest(some, places.of(table.take(rng.permutation(table.rows)[:rows]))) for table in (real, holdout)]
    return float((near[0] < near[1]).mean() + (near[0] == near[1]).mean() / 2)


def copies(real: ComparableTable, other: ComparableTable) -> float:
    """The share of rows of `other` that are in `real`, cell by cell."""
    known = set(map(bytes, _bytes(real)))
    return float(np.mean([row in known for row in map(bytes, _bytes(other))]))


def _bytes(table: ComparableTable) -> npt.NDArray[np.void]:
    values = np.ascontiguousarray(np.column_stack([np.nan_to_num(v.astype(float), nan=-1e308) for v in table.values]))
    return values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()


class _Places:
    """Rows as places in a space of ranks and labels; what the ranks are comes from one table."""

    def __init__(self, real: ComparableTable) -> None:
        self._sorted = [
            np.sort(real.numbers(i)[~np.isnan(real.numbers(i))]) if column.is_number else None
            for i, column in enumerate(real.columns)
        ]

    def of(self, table: ComparableTable) -> tuple[np.ndarray, np.ndarray]:
        """`(rows, numbers)` ranks in [0, 1], -1 where missing, and `(rows, labels)` codes."""
        ranks, labels = [], []
        for i, order in enumerate(self._sorted):
            if order is None:
                labels.append(table.codes(i))
                continue
            numbers = table.numbers(i)
            low, high = (np.searchsorted(order, numbers, side=side) for side in ("left", "right"))
            ranks.append(np.where(np.isnan(numbers), -1.0, (low + high) / 2 / max(1, len(order))))
        empty = np.zeros((table.rows, 0))
        return np.column_stack(ranks) if ranks else empty, np.column_stack(labels) if labels else empty


def _closest(rows: tuple[np.ndarray, np.ndarray], among: tuple[np.ndarray, np.ndarray]) -> npt.NDArray[np.float64]:
    """The distance of each row to its closest one among others, `(rows,)`, times the number of columns."""
    from scipy.spatial.distance import cdist

    found = np.empty(len(rows[0]))
    for start in range(0, len(found), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        distance = np.zeros((len(rows[0][part]), len(among[0])))
        if rows[0].shape[1]:
            distance += cdist(rows[0][part], among[0], "cityblock")
        if rows[1].shape[1]:
            distance += cdist(rows[1][part].astype(float), among[1].astype(float), "hamming") * rows[1].shape[1]
        found[part] = distance.min(axis=1)
    return found
