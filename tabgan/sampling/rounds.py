"""Rows in the making: what is drawn of them so far, and the logits of what is to come."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tabgan.model.generator import Tables
from tabgan.sampling.exclusions import Exclusions


class Rounds:
    """The walk over the rounds that sampling and the game share: look, draw some codes, look again.

    Drawn codes are whole numbers `(rows,)` or weights `(rows, cardinality)`, through which gradients pass. As long as
    nothing tells rows apart, the logits of one row, `(1, cardinality)`, stand for all.
    """

    def __init__(
        self,
        tables: Tables,
        exclusions: Exclusions,
        z: Tensor | None = None,
        known: Mapping[int, Tensor] | None = None,
    ) -> None:
        """`z`: `(rows, noise)`, None where rounds share no noise; `known`: codes that are not drawn, `(rows,)` each."""
        self.tables, self.exclusions, self.z = tables, exclusions, z
        self.layout, self.copula = tables.network.layout, tables.network.copula
        self.drawn: dict[int, Tensor] = {}
        self._embedded = tables.nothing[None]
        self._x = torch.zeros(1, self.copula.features.shape[1], device=tables.bias.device)
        self._known = bytearray(self.layout.count)
        for code, values in (known or {}).items():
            self.put(code, values)
        self.look()

    def look(self) -> None:
        """Begin a round: what has been drawn until now bears on what is drawn next."""
        self._features = self.tables.features(self._embedded, self.z)
        self._told = self._x
        self._solution = self.tables.solution(bytes(self._known))

    def logits(self, code: int) -> Tensor:
        """Of one code, `(rows, cardinality)`."""
        part = self.layout.slices[code]
        logits = torch.addmm(self.tables.bias[part], self._features, self.tables.heads[part].T)
        logits = self.copula.tilt_code(logits, self._told, self._solution, code)
        for other, penalty in self.exclusions.of(code):
            if other in self.drawn:
                logits = logits + pick(self.drawn[other].detach(), penalty)
        return logits

    def put(self, code: int, values: Tensor) -> None:
        """Take `values` for the code."""
        part = self.layout.slices[code]
        self.drawn[code] = values
        self._embedded = self._embedded + pick(values, self.tables.values[part])
        self._x = self._x + pick(values, self.copula.features[part])
        self._known[code] = True


def pick(values: Tensor, table: Tensor) -> Tensor:
    """Rows of `table` by number, or their sums by weight."""
    return values @ table if values.is_floating_point() else table[values]
