"""Noisy counts of every two codes, and rows of a tree of the strongest ties among them (Chow and Liu 1968).

A row counts once in the table of each pair, so that all tables together move by the square root of their number. The
tree's rows owe the real ones nothing but these counts: the networks may learn them as long as they like.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.model.cooccurrence import Pooling, cooccurrence
from tabgan.model.embedding import Layout

CELL = 4.0
"""Values are pooled until a cell of two codes would hold so many times the noise, if they were independent."""
MOST_POOLED = 32
FITTED = 50
"""Rounds of fitting a table to its margins."""


class Pairs:
    """The tables of all pairs of codes, side by side in one: `(pooled values, pooled values)` shares, on the CPU."""

    table: Tensor
    """Above the diagonal the pairs, on it the margins; 0 elsewhere."""
    is_pair: Tensor
    """1 where the table holds pairs."""

    def __init__(
        self, codes: Tensor, layout: Sequence[Code], frequencies: Tensor, rows: int, noise: float, rng: torch.Generator
    ) -> None:
        """Count the pairs of `(rows, codes)` int64; `rows`: about how many there are; `noise`: the standard deviation
        on each count, in units of what one row moves all of them."""
        count = len(layout)
        self.noise = noise * (count * (count - 1) / 2) ** 0.5
        most = int(min(MOST_POOLED, max(2.0, (rows / (CELL * self.noise)) ** 0.5)))
        self.pooling = Pooling(layout, frequencies, most)
        self.frequencies, self.rows = frequencies, rows
        self._fine_slices = Layout([code.cardinality for code in layout]).slices
        self.slices = self.pooling.layout.slices
        counts = cooccurrence(codes, self.pooling) * len(codes)
        counts += self.noise * torch.randn(counts.shape, generator=rng)
        margins = torch.zeros(self.pooling.layout.total).index_add(0, self.pooling.index, frequencies)
        self.table, self.is_pair = torch.diag(margins), torch.zeros_like(counts)
        for left, right in combinations(self.slices, 2):
            self.table[left, right] = _fitted(counts[left, right], margins[left], margins[right])
            self.is_pair[left, right] = 1.0

    def between(self, one: int, other: int) -> Tensor:
        """The table of two codes, `(pooled values of one, of other)`."""
        low, high = sorted((one, other))
        found: Tensor = self.table[self.slices[low], self.slices[high]]
        return found if one < other else found.T

    def information(self) -> Tensor:
        """The mutual information of every two codes in nats, `(codes, codes)`, less what chance and noise add."""
        count = len(self.slices)
        found = torch.zeros(count, count)
        for a, b in combinations(range(count), 2):
            table = self.between(a, b)
            due = torch.outer(table.sum(1), table.sum(0))
            nats = (table * (table.clamp(min=1e-12) / due.clamp(min=1e-12)).log()).sum()
            high, wide = table.shape
            # Noise adds to chance what its variance is to that of a count.
            chance = (high - 1) * (wide - 1) / (2 * self.rows) * (1 + self.noise**2 * high * wide / self.rows)
            found[a, b] = found[b, a] = (nats - chance).clamp(min=0)
        return found

    def tree(self) -> list[tuple[int, int]]:
        """(parent, child), parents first; ties that tell nothing are left out, so that there may be several trees."""
        from scipy.sparse.csgraph import minimum_spanning_tree

        information = self.information().numpy()
        kept = minimum_spanning_tree(-information).toarray() != 0
        kept |= kept.T
        found, seen = [], set()
        for root in np.argsort(-information.sum(axis=1), kind="stable").tolist():
            todo = [] if root in seen else [root]
            seen.add(root)
            while todo:
                parent = todo.pop(0)
                for child in np.flatnonzero(kept[parent]).tolist():
                    if child not in seen:
                        seen.add(child)
                        todo.append(child)
                        found.append((parent, child))
        return found

    def tree_rows(self, rows: int, rng: torch.Generator) -> Tensor:
        """`(rows, codes)` int64 drawn along the tree."""
        count, tree = len(self.slices), self.tree()
        pooled = torch.zeros(rows, count, dtype=torch.long)
        parents = {child: parent for parent, child in tree}
        for code in [code for code in range(count) if code not in parents] + list(parents):
            if code in parents:
                shares = (self.between(parents[code], code) + 1e-9)[pooled[:, parents[code]]]
            else:
                part = self.slices[code]
                shares = self.table.diagonal()[part].expand(rows, -1)
            pooled[:, code] = torch.multinomial(shares, 1, generator=rng).squeeze(1)
        return self._fine(pooled, rng)

    def _fine(self, pooled: Tensor, rng: torch.Generator) -> Tensor:
        """For pooled values one of those that they stand for, as often as these occur."""
        fine = torch.empty_like(pooled)
        for code, (part, values) in enumerate(zip(self.slices, self._fine_slices, strict=True)):
            index = self.pooling.index[values] - part.start
            shares = torch.zeros(part.stop - part.start, len(index))
            shares[index, torch.arange(len(index))] = self.frequencies[values] + 1e-12
            fine[:, code] = torch.multinomial(shares[pooled[:, code]], 1, generator=rng).squeeze(1)
        return fine


def _fitted(counts: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Counts of two codes as shares with these margins: iterative proportional fitting (Deming and Stephan 1940)."""
    table = counts.clamp(min=0) + 1e-6
    for _ in range(FITTED):
        table = table * (left / table.sum(dim=1).clamp(min=1e-12))[:, None]
        table = table * (right / table.sum(dim=0).clamp(min=1e-12))
    return table
