"""Rows as vectors, for what needs a space with directions: the Fréchet distance and logistic regression."""

from __future__ import annotations

import numpy as np

from tabgan.report.columns import ComparableTable, Numbers
from tabgan.report.distance import known_sorted, ranks_of

MOST_DIRECTIONS = 300
"""About so many numbers stand for a row; the more columns, the fewer labels of each have a number of their own."""
MOST_LABELS = 30


class Embedding:
    """A number becomes its rank in the real table, in [0, 1], and whether it is missing; a label one-hot over the most
    frequent ones (and one for the others), divided by sqrt(2), so that unequal labels are one apart."""

    def __init__(self, real: ComparableTable) -> None:
        labels = min(MOST_LABELS, max(1, MOST_DIRECTIONS // max(1, len(real.columns))))
        self._sorted = [
            known_sorted(real.numbers(i)) if column.is_number else None for i, column in enumerate(real.columns)
        ]
        self._labels = [min(labels, column.cardinality) for column in real.columns]

    def of(self, table: ComparableTable) -> Numbers:
        """`(rows, directions)` float64."""
        parts = []
        for i, order in enumerate(self._sorted):
            if order is None:
                # The most frequent labels have the smallest codes; all others share the last direction.
                codes = np.minimum(table.codes(i), self._labels[i])
                parts.append(np.eye(self._labels[i] + 1)[codes] / np.sqrt(2))
            else:
                ranks = ranks_of(table.numbers(i), order)
                missing = np.isnan(ranks)
                parts += [np.where(missing, 0.5, ranks)[:, None], missing[:, None].astype(np.float64)]
        return np.hstack(parts)
