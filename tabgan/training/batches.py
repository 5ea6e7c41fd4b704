"""The encoded table on the device, as the narrowest integers; batches are drawn there."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor


class Rows:
    """`(rows, codes)` codes in random order, split into training rows and held-out rows."""

    def __init__(self, train: Tensor, held_out: Tensor, device: str) -> None:
        self.train = train
        self.held_out = held_out.long()
        self.device = device

    @classmethod
    def split(cls, codes: Tensor, holdout: int, device: str, rng: torch.Generator) -> Self:
        """Hold back `holdout` of the rows, drawn by `rng`."""
        narrow = torch.int16 if int(codes.max()) < 2**15 else torch.int32
        shuffled = codes[torch.randperm(len(codes), generator=rng)].to(narrow).to(device)
        return cls(shuffled[holdout:], shuffled[:holdout], device)

    def folds(self, count: int) -> list[Rows]:
        """All rows so many times, each time with another part of them held out."""
        rows = torch.cat([self.held_out.to(self.train.dtype), self.train])
        part = torch.arange(len(rows), device=self.device) % count
        return [Rows(rows[part != i], rows[part == i], self.device) for i in range(count)]

    def some(self, most: int) -> Tensor:
        """At most so many real rows, `(rows, codes)` int64: held-out ones first, then training rows."""
        missing = max(most - len(self.held_out), 0)
        return torch.cat([self.held_out[:most], self.train[:missing].long()])

    def draw(self, rows: int, rng: torch.Generator) -> Tensor:
        """`(rows, codes)` int64 training rows, drawn with replacement."""
        return _drawn(self.train, rows, rng)

    def draw_held_out(self, rows: int, rng: torch.Generator) -> Tensor:
        """As `draw`, of the rows held out."""
        return _drawn(self.held_out, rows, rng)


def _drawn(among: Tensor, rows: int, rng: torch.Generator) -> Tensor:
    picked = torch.randint(len(among), (rows,), generator=rng, device=among.device)
    return among[picked].long()
