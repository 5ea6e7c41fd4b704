"""The rows of a batch that one of several processes works on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """Every `step`-th row of a batch of `rows` rows, from row `first` on; all of them by default."""

    rows: int
    first: int = 0
    step: int = 1

    @property
    def share(self) -> float:
        """The share of the batch's rows that are here."""
        return self.before(self.rows) / self.rows

    def before(self, row: int) -> int:
        """How many of the batch's first `row` rows are here."""
        return len(range(self.first, row, self.step))

    def of(self, batch: Tensor) -> Tensor:
        """The part of `(rows, ...)`."""
        return batch if self.step == 1 else batch[self.first :: self.step]

    def masks(self, masks: Tensor) -> Tensor:
        """Of masks that the batch's rows have in turn, `(masks, codes)`, those that the rows here have in turn."""
        if self.step == 1:
            return masks
        count = len(masks)
        turns = torch.arange(count // math.gcd(count, self.step), device=masks.device)
        return masks[(self.first + self.step * turns) % count]
