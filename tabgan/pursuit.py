"""Which columns another one may be made of, by orthogonal least squares (Chen, Billings and Luo 1989) on covariances.

Columns are picked one by one: each time the one that, beside those that are picked, explains most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

LOOK_ROWS = 1_500
"""Rows on which most candidates already fail; what holds there is checked on all rows."""
WEAK_SHARE = 0.05
"""Columns that move the target by less than this share of its spread may stand for what is left of it: it is tried
without."""
TWIN = 1e-4
"""A column that leaves so small a share of the target's variance tells all of it, and is left out where the search
begins with another one: beside it no others would be seen."""
COLLINEAR = 1e-12
"""A column of whose variance those that are picked leave so small a share says nothing new."""


class Numbers(NamedTuple):
    """Numbers side by side: names, `(rows, columns)` float64, and some of these rows, evenly spread."""

    names: list[str]
    values: np.ndarray
    some: np.ndarray

    @classmethod
    def side_by_side(cls, names: Sequence[str], columns: Sequence[np.ndarray]) -> Numbers:
        values = np.asfortranarray(np.column_stack(columns)) if names else np.zeros((1, 0))
        return cls(list(names), values, values[:: -(-len(values) // LOOK_ROWS)])

    def without(self, names: set[str]) -> Numbers:
        """Those of other columns."""
        kept = [i for i, name in enumerate(self.names) if name not in names]
        if len(kept) == len(self.names):
            return self
        return Numbers.side_by_side([self.names[i] for i in kept], [self.values[:, i] for i in kept])


def pursue(covariance: np.ndarray, target: int, most: int, unexplained: float, starts: int = 1) -> Iterator[list[int]]:
    """The columns, at most `most`, that are picked for column `target` after each step: all, and those that are strong.

    The search begins with each of the `starts` likeliest, and of twins; what leaves more than `unexplained` of the
    target's variance is left out.
    """
    variance = np.diag(covariance)
    usable = variance > 0
    if not usable[target]:
        return
    usable[target] = False
    strength = np.where(usable, covariance[target] ** 2 / np.maximum(variance, 1e-300), -1)
    order = np.argsort(-strength, kind="stable")[: int(usable.sum())]
    is_twin = strength >= (1 - TWIN) * variance[target]
    for twins, others in ((True, usable), (False, usable & ~is_twin)):
        for first in order[is_twin[order] == twins][:starts]:
            yield from _path(covariance, target, others, int(first), most, unexplained)


def _path(
    covariance: np.ndarray, target: int, usable: np.ndarray, first: int, most: int, unexplained: float
) -> Iterator[list[int]]:
    variance = np.diag(covariance)
    chosen: list[int] = []
    known = np.empty((0, len(covariance)))  # rows of the Cholesky factor, pivoted by the choice
    new: int | None = first
    while new is not None:
        row = covariance[new] - known[:, new] @ known
        known = np.vstack([known, row / np.sqrt(row[new])])
        chosen.append(new)
        left = variance - (known**2).sum(axis=0)
        if left[target] <= unexplained * variance[target]:
            weights = np.linalg.lstsq(covariance[np.ix_(chosen, chosen)], covariance[chosen, target], rcond=1e-10)[0]
            moved = np.abs(weights) * np.sqrt(variance[chosen])
            strong = [i for i, each in zip(chosen, moved, strict=True) if each > WEAK_SHARE * np.sqrt(variance[target])]
            yield list(chosen)
            if 0 < len(strong) < len(chosen):
                yield strong
        open_ = usable & (left > COLLINEAR * variance)
        open_[chosen] = False
        common = covariance[target] - known[:, target] @ known
        gain = np.divide(common**2, left, out=np.full(len(left), -1.0), where=open_)
        new = int(gain.argmax()) if open_.any() and len(chosen) < most else None


def complete(values: np.ndarray, target: int, others: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The target's values and the other columns, of the rows that hold all of them."""
    rows = values[:, [target, *others]]
    rows = rows[~np.isnan(rows).any(axis=1)]
    return rows[:, 0], rows[:, 1:]


def covariance_of(values: np.ndarray) -> np.ndarray:
    """`(columns, columns)`, each pair over the rows that hold both."""
    known = ~np.isnan(values)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - mean, 0)
    both = known.T.astype(float) @ known.astype(float)
    covariance: np.ndarray = centred.T @ centred / np.maximum(both, 1)
    return covariance


def clipped(values: np.ndarray) -> np.ndarray:
    """Without what reaches far out, of which a few rows would hide what holds in all others."""
    held = ~np.isnan(values).all(axis=0)
    found = values.copy()
    if held.any():
        found[:, held] = np.clip(values[:, held], *np.nanquantile(values[:, held], [0.005, 0.995], axis=0))
    return found


def spread(values: np.ndarray) -> float:
    """How far apart the 10 and the 90 % quantiles are."""
    low, high = np.nanquantile(values, [0.1, 0.9])
    return float(high - low)
