"""Can boosted trees tell synthetic rows from real ones?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabgan.c2st import FOLDS, MOST_LABELS, c2st_auc
from tabgan.report.columns import ComparableTable

MOST_ROWS = 5_000
"""Rows of each table that the trees see, at most."""

Matrix = npt.NDArray[np.float64]


def detection_auc(real: ComparableTable, other: ComparableTable, seed: int) -> float | None:
    """`c2st_auc` of as many rows of each table; None where there are too few to cross-validate."""
    rng = np.random.default_rng(seed)
    rows = min(real.rows, other.rows, MOST_ROWS)
    if rows < 2 * FOLDS:
        return None
    one, two = (matrix(table.take(rng.permutation(table.rows)[:rows])) for table in (real, other))
    return c2st_auc(one, two, is_label(real), seed)


def is_label(table: ComparableTable) -> list[bool]:
    """Which columns trees may split by sets of labels."""
    return [not column.is_number and column.cardinality <= MOST_LABELS for column in table.columns]


def matrix(table: ComparableTable) -> Matrix:
    """`(rows, columns)` float64: numbers as they are, labels as their codes."""
    columns = [values.astype(np.float64) for values in table.values]
    return np.column_stack(columns) if columns else np.zeros((table.rows, 0))
