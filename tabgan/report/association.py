"""How strongly every two columns go together, in each of the two tables: what the heat maps show side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabgan.report.columns import Codes, ComparableTable, Numbers
from tabgan.report.pairs import correlations

MOST_ROWS = 20_000
"""Rows of each table that are looked at, at most."""

Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Associations:
    """Symmetric matrices over `columns`, None where undefined: Pearson's correlation in [-1, 1] for two numbers,
    Cramér's V for two labels, the correlation ratio for one of each, both in [0, 1]."""

    columns: tuple[str, ...]
    real: Matrix
    synthetic: Matrix


def associations(real: ComparableTable, synthetic: ComparableTable, seed: int) -> Associations:
    """The matrices of both tables, of at most 20,000 rows of each."""
    rng = np.random.default_rng(seed)
    one, other = (
        _rounded(association_matrix(table.take(rng.permutation(table.rows)[:MOST_ROWS]))) for table in (real, synthetic)
    )
    return Associations(columns=tuple(column.name for column in real.columns), real=one, synthetic=other)


def association_matrix(table: ComparableTable) -> Numbers:
    """`(columns, columns)` float64, NaN where undefined and 1 on the diagonal."""
    numbers = [i for i, column in enumerate(table.columns) if column.is_number]
    labels = [i for i, column in enumerate(table.columns) if not column.is_number]
    matrix = np.full((len(table.columns), len(table.columns)), np.nan)
    if numbers:
        matrix[np.ix_(numbers, numbers)] = correlations([table.numbers(i) for i in numbers])
    # Only codes that occur, so that labels of the other table take no place.
    codes = {i: np.unique(table.codes(i), return_inverse=True)[1] for i in labels}
    for at, i in enumerate(labels):
        for j in labels[at + 1 :]:
            matrix[i, j] = matrix[j, i] = cramers_v(codes[i], codes[j])
        for j in numbers:
            matrix[i, j] = matrix[j, i] = correlation_ratio(codes[i], table.numbers(j))
    np.fill_diagonal(matrix, 1.0)
    return matrix


def cramers_v(one: Codes, other: Codes) -> float:
    """Cramér's V of two columns of codes, `(n,)` each, with the correction of Bergsma 2013 for what chance gives; in
    [0, 1], NaN where either does not vary."""
    n, first, second = len(one), np.bincount(one), np.bincount(other)
    rows, columns = int((first > 0).sum()), int((second > 0).sum())
    if min(rows, columns) < 2:
        return float("nan")
    cells, counts = np.unique(one * len(second) + other, return_counts=True)
    expected = first[cells // len(second)] * second[cells % len(second)]
    phi = max(0.0, float((counts**2 / expected).sum()) - 1 - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return min(1.0, float(np.sqrt(phi / least))) if least > 0 else float("nan")


def correlation_ratio(labels: Codes, numbers: Numbers) -> float:
    """The root of the share of the variance of `numbers` that lies between the labels (Fisher 1925), both `(n,)`, over
    rows with a number; in [0, 1], NaN where the numbers do not vary."""
    known = ~np.isnan(numbers)
    labels, numbers = labels[known], numbers[known]
    if not len(numbers) or numbers.min() == numbers.max():
        return float("nan")
    numbers = numbers / np.abs(numbers).max()  # so that squares of very large values do not overflow
    counts = np.bincount(labels)
    seen = counts > 0
    means = np.bincount(labels, weights=numbers)[seen] / counts[seen]
    between = float((counts[seen] * (means - numbers.mean()) ** 2).sum())
    whole = float(((numbers - numbers.mean()) ** 2).sum())
    return min(1.0, float(np.sqrt(between / whole))) if whole > 0 else float("nan")


def _rounded(matrix: Numbers) -> Matrix:
    return tuple(tuple(None if np.isnan(value) else round(float(value), 4) for value in row) for row in matrix)
