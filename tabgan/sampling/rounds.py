"""Rows in the making: what is drawn of them so far, and the logits of what is to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tabgan.model.generator import Tables
from tabgan.sampling.alike import Alike
from tabgan.sampling.exclusions import Exclusions

Take = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""As `draw`."""


def draw(logits: Tensor, uniforms: Tensor, order: Tensor | None = None) -> Tensor:
    """One value a row by inverse CDF: `(rows, values)` logits and `(rows, 1)` uniforms in [0, 1) to `(rows,)` int64.

    The logits may be of one row that stands for all. `order`: in which values follow each other."""
    if order is not None:
        logits = logits.index_select(1, order)
    edges = logits.softmax(dim=1).cumsum(dim=1)
    # Scaled by the last edge, which rounding leaves near 1: no draw can fall past the end.
    scaled = uniforms * edges[:, -1:]
    below = torch.searchsorted(edges[0] if len(edges) == 1 else edges, scaled, right=True).squeeze(1)
    found = below.clamp(max=logits.shape[1] - 1)
    return found if order is None else order[found]


class Rounds:
    """The walk over the rounds that sampling and the game share: look, draw some codes, look again.

    Drawn codes are whole numbers `(rows,)` or weights `(rows, cardinality)`, through which gradients pass. The trunk
    sees rows that are alike so far as one; as long as nothing tells any apart, the logits of one, `(1, cardinality)`,
    stand for all.
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
        self._x = torch.zeros(1, self.copula.features.count, device=tables.nothing.device)
        self._known = bytearray(self.layout.count)
        self._new: list[int] = []
        self._alike = Alike()
        self._features = self._embedded[:0]
        for code, values in (known or {}).items():
            self.put(code, values)

    def look(self) -> None:
        """Begin a round: what has been drawn until now bears on what is drawn next."""
        look([self])

    def _begin(self) -> Tensor:
        """What the trunk reads of the kinds of rows, `(kinds, width)`; all else that a round needs is kept."""
        if self._new:
            self._embed(self._new)
            self._new = []
        embedded, x = self._embedded, self._x
        self._kinds = self._alike.kinds() if self.z is None else None  # with z no row is like another
        if self._kinds is not None:
            embedded, x = (each.index_select(0, self._kinds.first) for each in (embedded, x))
        self._solution = self.tables.solution(bytes(self._known))
        self._told = self.copula.read(x, self._solution)
        return embedded if self.z is None else embedded.expand(len(self.z), -1)

    def logits(self, code: int) -> Tensor:
        """Of one code, `(rows, cardinality)`."""
        logits = self._features @ self.tables.heads_of[code].T + self.tables.bias_of[code]
        logits = self.copula.tilt_code(logits, self._told, self._solution, code)
        if self._kinds is not None:
            logits = logits.index_select(0, self._kinds.of_row)
        for other, penalty in self.exclusions.of(code):
            if other in self.drawn:
                logits = logits + pick(self.drawn[other].detach(), penalty)
        return logits

    def draw(self, codes: Sequence[int], uniforms: Tensor, take: Take = draw) -> None:
        """Draw the codes of the round, each from its own logits, by `(rows, all codes)` independent numbers in [0, 1).

        Without shared noise the round's copula ties them; the game has taught that noise to."""
        tie = self.tables.tie(bytes(self._known), codes) if self.z is None else None
        uniforms = uniforms if tie is None else tie.tied(uniforms)
        for code in codes:
            order = None if tie is None else tie.orders.get(code)
            self.put(code, take(self.logits(code), uniforms[:, code : code + 1], order))

    def put(self, code: int, values: Tensor) -> None:
        """Take `values` for the code; between two looks all are whole numbers, or all weights."""
        self.drawn[code] = values
        self._new.append(code)
        self._known[code] = True
        self._alike.put(values, self.layout.cardinalities[code])

    def _embed(self, codes: Sequence[int]) -> None:
        """Add what is drawn of some codes to what the trunk and the copula read."""
        values = [self.drawn[code] for code in codes]
        if values[0].is_floating_point():
            weights = torch.cat(values, dim=1)
            vectors = weights @ torch.cat([self.tables.values_of[code] for code in codes])
        else:
            starts = [self.layout.starts[code] for code in codes]
            places = torch.stack([each + start for each, start in zip(values, starts, strict=True)], dim=1)
            vectors = functional.embedding_bag(places, self.tables.values, mode="sum")
        self._embedded = self._embedded + vectors
        self._x = self.copula.features.put(self._x, codes, values)


def look(walks: Sequence[Rounds]) -> None:
    """Begin a round of walks over the same tables: the trunk is asked once for the rows of all."""
    kinds = [walk._begin() for walk in walks]
    z = [walk.z for walk in walks if walk.z is not None]
    features = walks[0].tables.features(torch.cat(kinds), torch.cat(z) if z else None)
    for walk, own in zip(walks, features.split([len(kind) for kind in kinds]), strict=True):
        walk._features = own


def pick(values: Tensor, table: Tensor) -> Tensor:
    """Rows of `table` by number, or their sums by weight."""
    return values @ table if values.is_floating_point() else table.index_select(0, values)
