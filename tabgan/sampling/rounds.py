"""Rows in the making: what is drawn of them so far, and the logits of what is to come."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tabgan.model.generator import Generator, Tables
from tabgan.sampling.exclusions import Exclusions


class Rounds:
    """The walk over the rounds that sampling and the game share: look, draw some codes, look again.

    Drawn codes are whole numbers `(rows,)` or weights `(rows, cardinality)`, through which gradients pass.
    """

    def __init__(
        self,
        network: Generator,
        tables: Tables,
        exclusions: Exclusions,
        rows: int,
        z: Tensor | None,
        known: Mapping[int, Tensor] | None = None,
    ) -> None:
        """`tables`: those of `network`, worked out once; `z`: `(rows, noise)`, None where rounds share no noise;
        `known`: codes that are not drawn, `(rows,)` each."""
        self.network, self.tables, self.exclusions, self.z = network, tables, exclusions, z
        self.drawn: dict[int, Tensor] = {}
        self._embedded = tables.unknown.sum(dim=0).expand(rows, -1)
        features = network.copula.features
        self._x = torch.zeros(rows, features.shape[1], device=features.device)
        self._known = torch.zeros(network.layout.count, dtype=torch.bool, device=features.device)
        for code, values in (known or {}).items():
            self.put(code, values)
        self.look()

    def look(self) -> None:
        """Begin a round: what has been drawn until now bears on what is drawn next."""
        self._features = self.network.trunk(self._embedded, self.z)
        self._tilts = self.network.copula(self._x, self._known)

    def logits(self, code: int) -> Tensor:
        """Of one code, `(rows, cardinality)`."""
        part = self.network.layout.slices[code]
        logits = torch.addmm(self.tables.bias[part], self._features, self.tables.heads[part].T)
        logits = self.network.copula.tilt_code(logits, self._tilts, code)
        for other, penalty in self.exclusions.of(code):
            if other in self.drawn:
                logits = logits + pick(self.drawn[other].detach(), penalty)
        return logits

    def put(self, code: int, values: Tensor) -> None:
        """Take `values` for the code."""
        part = self.network.layout.slices[code]
        self.drawn[code] = values
        self._embedded = self._embedded + pick(values, self.tables.values[part]) - self.tables.unknown[code]
        self._x = self._x + pick(values, self.network.copula.features[part])
        self._known[code] = True


def pick(values: Tensor, table: Tensor) -> Tensor:
    """Rows of `table` by number, or their sums by weight."""
    return values @ table if values.is_floating_point() else table[values]
