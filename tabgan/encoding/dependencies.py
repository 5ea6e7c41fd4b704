"""Hard facts of a table: pairs of values that never meet although chance alone would bring them together many times.

They say, without naming each case: one column fixes another (product -> class -> department), one is missing exactly
where another is, no tip with cash, no duration without a visit. What never happened in the table is kept from happening
in rows that are made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from tabgan.encoding.base import Code

LEAST_EXPECTED = 15.0
"""Meetings that chance must have brought for their lack to count: with so many due, none happens once in 3 million."""
LEAST_MISMATCHES = 20.0
"""Mismatches that chance must have brought for a mapping without any to count."""
MAX_PAIRS = 2_000_000_000
"""Pairs of cells that are counted: of a large or wide table, some of the rows."""


@dataclass(frozen=True)
class Dependencies:
    """What was found among the codes of a table."""

    impossible: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    """For two codes a < b, `(cardinality of a, cardinality of b)` bool: which of their values exclude each other."""
    determined: tuple[tuple[int, int], ...] = ()
    """Pairs (a, b) in which every value of code a goes with one value of code b."""


def find_dependencies(codes: np.ndarray, layout: Sequence[Code]) -> Dependencies:
    """Look at `(rows, codes)` int64, whose columns `layout` describes; of a large table, at evenly spread rows."""
    count = len(layout)
    if not count:
        return Dependencies()
    step = -(-len(codes) * count**2 // MAX_PAIRS) or 1
    some = codes[::step]
    rows = len(some)
    often = [np.bincount(column, minlength=code.cardinality) for column, code in zip(some.T, layout, strict=True)]
    impossible: dict[tuple[int, int], np.ndarray] = {}
    determined: list[tuple[int, int]] = []
    for a, b in combinations(range(count), 2):
        size_a, size_b = often[a], often[b]
        cells = np.bincount(some[:, a] * len(size_b) + some[:, b], minlength=len(size_a) * len(size_b))
        block = cells.reshape(len(size_a), len(size_b))
        never = (block == 0) & (np.outer(size_a, size_b) >= LEAST_EXPECTED * rows)
        if _determines(block, size_a, size_b):
            determined.append((a, b))
            never |= (block == 0) & (size_a > 0)[:, None]
        if _determines(block.T, size_b, size_a):
            determined.append((b, a))
            never |= (block == 0) & (size_b > 0)[None, :]
        if step > 1 and never.any():
            never[codes[:, a], codes[:, b]] = False  # what the other rows hold is not impossible
        if never.any():
            impossible[a, b] = never
    return Dependencies(impossible, tuple(determined))


def _determines(block: np.ndarray, size_left: np.ndarray, size_right: np.ndarray) -> bool:
    """Whether each row of a table of counts has one cell that is not empty, and chance would hardly have done that.

    Within the rows of one left value every row after the first may differ from it in the right value: by chance about
    (n - values) (1 - sum p^2) do. Left values of one row each prove nothing, so they must be few.
    """
    used = size_left > 0
    if ((block[used] > 0).sum(axis=1) != 1).any():
        return False
    rows = size_left.sum()
    mismatches = (rows - used.sum()) * (1 - ((size_right / rows) ** 2).sum())
    return bool(mismatches >= LEAST_MISMATCHES and 2 * (size_left == 1).sum() <= rows)
