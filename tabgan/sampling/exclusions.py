"""Values that exclude each other, as penalties on logits: what is known of a row forbids some values of the others."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tabgan.model.generator import IMPOSSIBLE


class Exclusions:
    """For each code, the other codes that forbid some of its values."""

    def __init__(self, impossible: Mapping[tuple[int, int], Tensor], device: str) -> None:
        """`impossible`: for codes a < b, `(cardinality of a, cardinality of b)` bool."""
        self.impossible = dict(impossible)
        self._of: dict[int, list[tuple[int, Tensor]]] = {}
        for (a, b), never in self.impossible.items():
            penalty = never.to(device, torch.float32) * IMPOSSIBLE
            self._of.setdefault(b, []).append((a, penalty))
            self._of.setdefault(a, []).append((b, penalty.T.contiguous()))

    def of(self, code: int) -> list[tuple[int, Tensor]]:
        """The codes that bear on `code`, each with `(its cardinality, cardinality of code)` penalties."""
        return self._of.get(code, [])
