"""Hard facts of a table: pairs of values that never meet although chance alone would bring them together many times.

They say, without naming each case: one column fixes another (product -> class -> department), one is missing exactly
where another is, no tip with cash, no duration without a visit. What never happened in the table is kept from happening
in rows that are made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np

from tabgan.chance import LEAST_CHANCES, LOG_CHANCE, log_apart
from tabgan.encoding.base import Code

MOST_CODES = 600
"""Of more codes than this only pairs are looked at of which something is known: all would take minutes."""
MAX_PAIRS = 2_000_000_000
"""Pairs of cells that are counted: of a large or wide table, some of the rows."""


def find_dependencies(
    codes: np.ndarray,
    layout: Sequence[Code],
    *,
    linked: Collection[tuple[int, int]] = (),
    closed: Collection[tuple[int, int]] = (),
    exempt: Collection[tuple[int, int]] = (),
) -> dict[tuple[int, int], np.ndarray]:
    """Which values of two codes a < b exclude each other, `(cardinality of a, cardinality of b)` bool.

    Looks at `(rows, codes)` int64, whose columns `layout` describes; of a large table, at evenly spread rows. Pairs of
    codes a < b may be `linked` (a missing cell never seen with a value, or with another missing cell, is impossible
    without more proof), `closed` (so is every pair of values never seen) or `exempt` (nothing is).
    """
    count = len(layout)
    step = -(-len(codes) * count**2 // MAX_PAIRS) or 1
    some = codes[::step].astype(np.int64, copy=False)
    often = [np.bincount(column, minlength=code.cardinality) for column, code in zip(some.T, layout, strict=True)]
    impossible: dict[tuple[int, int], np.ndarray] = {}
    told = sorted({*linked, *closed})
    for a, b in combinations(range(count), 2) if count <= MOST_CODES else told:
        if (a, b) in exempt:
            continue
        size_a, size_b = often[a], often[b]
        cells = np.bincount(some[:, a] * len(size_b) + some[:, b], minlength=len(size_a) * len(size_b))
        block = cells.reshape(len(size_a), len(size_b))
        never = _never(block, size_a, size_b)
        if (a, b) in closed:
            never |= (block == 0) & (size_a > 0)[:, None] & (size_b > 0)
        if (a, b) in linked:
            never |= _never_missing(block)
        if step > 1 and never.any():
            never[codes[:, a], codes[:, b]] = False  # what the other rows hold is not impossible
        if never.any():
            impossible[a, b] = never
    return impossible


def _never(block: np.ndarray, size_a: np.ndarray, size_b: np.ndarray) -> np.ndarray:
    """What a table of counts lacks although chance would have brought it."""
    rows = size_a.sum()
    empty = block == 0
    if not empty[np.ix_(size_a > 0, size_b > 0)].any():
        return np.zeros(block.shape, dtype=bool)
    never: np.ndarray = empty & (np.outer(size_a, size_b) >= -LOG_CHANCE * rows)
    for counts, sizes, others, out in ((block, size_a, size_b, never), (block.T, size_b, size_a, never.T)):
        if _determines(counts, sizes, others):
            out |= (counts == 0) & (sizes > 0)[:, None]
            continue
        # A value that always goes with the same one; or always with some value, never a missing one.
        only = (counts > 0).sum(axis=1) == 1
        mate = counts.argmax(axis=1)
        only &= log_apart(sizes, rows - others[mate], rows) <= LOG_CHANCE
        out |= only[:, None] & (counts == 0)
        missing = (counts[:, 0] == sizes) & (log_apart(sizes, rows - others[:1], rows) <= LOG_CHANCE)
        out[missing, 1:] = True
        present = (counts[:, 0] == 0) & (log_apart(sizes, others[:1], rows) <= LOG_CHANCE)
        out[present, 0] = True
    return never


def _never_missing(block: np.ndarray) -> np.ndarray:
    """Missing cells that never meet: another missing one, or any value at all."""
    never = np.zeros(block.shape, dtype=bool)
    never[0, 0] = block[0, 0] == 0
    never[0, 1:] = not block[0, 1:].any()
    never[1:, 0] = not block[1:, 0].any()
    return never


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
    return bool(mismatches >= LEAST_CHANCES and 2 * (size_left == 1).sum() <= rows)
