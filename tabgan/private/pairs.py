"""Noisy counts of every two codes, and rows of a tree of the strongest ties among them (Chow and Liu 1968).

A row counts once in the table of each pair, so that all tables together move by the square root of their number. The
tree's rows owe the real ones nothing but these counts: the networks may learn them as long as they like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.model.cooccurrence import Pooling, cooccurrence

CELL = 4.0
"""Values are pooled until a cell of two codes would hold so many times the noise, if they were independent."""
MOST_POOLED = 32
FITTED = 50
"""Rounds of fitting a table to its margins."""


class Pairs:
    """The tables of all pairs of codes, `tables[a, b]` for a < b: `(pooled values, pooled values)` shares."""

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
        counts = cooccurrence(codes, self.pooling) * len(codes)
        counts = torch.triu(counts + self.noise * torch.randn(counts.shape, generator=rng))
        self.slices = self.pooling.layout.slices
        index = self.pooling.index
        self.margins = torch.zeros(self.pooling.layout.total).index_add(0, index, frequencies)
        self.tables: dict[tuple[int, int], Tensor] = {}
        for a, left in enumerate(self.slices):
            for b, right in enumerate(self.slices[a + 1 :], start=a + 1):
                self.tables[a, b] = _fitted(counts[left, right], self.margins[left], self.margins[right])

    def table(self) -> tuple[Tensor, Tensor]:
        """All tables as one, `(pooled values, pooled values)`, with margins on its diagonal, and where pairs are."""
        found, is_pair = torch.diag(self.margins), torch.zeros(len(self.margins), len(self.margins))
        for (a, b), table in self.tables.items():
            found[self.slices[a], self.slices[b]] = table
            is_pair[self.slices[a], self.slices[b]] = 1.0
        return found, is_pair

    def information(self) -> Tensor:
        """The mutual information of every two codes in nats, `(codes, codes)`, less what chance and noise add."""
        count = len(self.slices)
        found = torch.zeros(count, count)
        for (a, b), table in self.tables.items():
            due = torch.outer(table.sum(1), table.sum(0))
            nats = (table * (table.clamp(min=1e-12) / due.clamp(min=1e-12)).log()).sum()
            high, wide = table.shape
            chance = (high - 1) * (wide - 1) / (2 * self.rows) * (1 + self.noise**2 * high * wide / self.rows)
            found[a, b] = found[b, a] = (nats - chance).clamp(min=0)
        return found

    def tree(self) -> list[tuple[int, int]]:
        """(parent, child), parents first; ties that tell nothing are left out, so that there may be several trees."""
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
        count = len(self.slices)
        pooled = torch.zeros(rows, count, dtype=torch.long)
        parents = {child: parent for parent, child in self.tree()}
        order = [code for code in range(count) if code not in parents] + [child for _, child in self.tree()]
        for code in order:
            if code in parents:
                parent = parents[code]
                table = self.tables[parent, code] if parent < code else self.tables[code, parent].T
                shares = (table + 1e-9)[pooled[:, parent]]
            else:
                shares = self.margins[self.slices[code]].expand(rows, -1)
            pooled[:, code] = torch.multinomial(shares, 1, generator=rng).squeeze(1)
        return self._fine(pooled, rng)

    def _fine(self, pooled: Tensor, rng: torch.Generator) -> Tensor:
        """For pooled values one of those that they stand for, as often as these occur."""
        fine = torch.empty_like(pooled)
        start = 0
        for code, part in enumerate(self.slices):
            size = int((self.pooling.index >= part.start).logical_and(self.pooling.index < part.stop).sum())
            index = self.pooling.index[start : start + size] - part.start
            shares = torch.zeros(part.stop - part.start, size)
            shares[index, torch.arange(size)] = self.frequencies[start : start + size] + 1e-12
            fine[:, code] = torch.multinomial(shares[pooled[:, code]], 1, generator=rng).squeeze(1)
            start += size
        return fine


def _fitted(counts: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Counts of two codes as shares with these margins: iterative proportional fitting (Deming and Stephan 1940)."""
    table = counts.clamp(min=0) + 1e-6
    for _ in range(FITTED):
        table = table * (left / table.sum(dim=1).clamp(min=1e-12))[:, None]
        table = table * (right / table.sum(dim=0).clamp(min=1e-12))
    return table
