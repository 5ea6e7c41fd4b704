"""The encoded table on the device, as the narrowest integers; batches are drawn there."""

from __future__ import annotations

import torch
from torch import Tensor


class Rows:
    """`(rows, codes)` codes, split into training rows and held-out rows."""

    def __init__(self, codes: Tensor, holdout: int, device: str, rng: torch.Generator) -> None:
        """`holdout`: how many rows are held back."""
        narrow = torch.int16 if int(codes.max()) < 2**15 else torch.int32
        shuffled = codes[torch.randperm(len(codes), generator=rng)].to(narrow).to(device)
        self.held_out = shuffled[:holdout].long()
        self.train = shuffled[holdout:]
        self.device = device

    def some(self, most: int) -> Tensor:
        """At most so many real rows, `(rows, codes)` int64: held-out ones first, then training rows."""
        missing = max(most - len(self.held_out), 0)
        return torch.cat([self.held_out[:most], self.train[:missing].long()])

    def draw(self, rows: int, rng: torch.Generator) -> Tensor:
        """`(rows, codes)` int64 training rows, drawn with replacement."""
        picked = torch.randint(len(self.train), (rows,), generator=rng, device=self.device)
        return self.train[picked].long()
