"""Which rows in the making are alike so far: what is worked out for one of them holds for all."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

STEP = 128
"""Kinds are rounded up to so many: libraries of matrix products prepare, and keep, a program for each shape."""
MOST_KINDS = 0.9
"""Where the kinds are more than this share of the rows, finding them costs more than it saves."""
LARGEST = 2**62
"""Numbers of kinds stay below it; rows times a cardinality are far below."""


class Kinds(NamedTuple):
    """`first`, `(kinds,)`: the number of a row of each kind, and of row 0 up to a multiple of `STEP`; `of_row`,
    `(rows,)`: the kind of each row."""

    first: Tensor
    of_row: Tensor


class Alike:
    """Follows what is put into rows, and says which hold the same codes."""

    def __init__(self) -> None:
        self._ids: Tensor | None = None
        self._end = 1  # all ids are below
        self._worthwhile = True

    def put(self, values: Tensor, cardinality: int) -> None:
        """Take `values` of one code, `(rows,)` int64 below `cardinality`; rows of weights are never alike."""
        self._worthwhile &= not values.is_floating_point() and values.device.type == "cpu"  # a GPU would have to wait
        if not self._worthwhile:
            return
        if self._ids is None:
            self._ids = values
        else:
            if self._end * cardinality > LARGEST:
                self._renumber(self._ids)
            self._ids = self._ids * cardinality + values
        self._end *= cardinality

    def kinds(self) -> Kinds | None:
        """The kinds of rows so far; None where they are hardly fewer than the rows, now and in all that follows."""
        if self._ids is None or not self._worthwhile:
            return None
        of_row = self._renumber(self._ids)
        rows, kinds = len(of_row), -(-self._end // STEP) * STEP
        self._worthwhile = kinds <= MOST_KINDS * rows
        if not self._worthwhile:
            return None
        first = torch.zeros(kinds, dtype=torch.long)
        first[of_row] = torch.arange(rows)
        return Kinds(first, of_row)

    def _renumber(self, ids: Tensor) -> Tensor:
        found, self._ids = torch.unique(ids, return_inverse=True)
        self._end = len(found)
        return self._ids
