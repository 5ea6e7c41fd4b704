"""How often values of any two codes occur together: one table of all pairs, over pooled values so that it stays small.

It gives the mutual information that orders the rounds, and the statistic that the game matches.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.model.embedding import Layout


class Pooling:
    """All values of all codes -> fewer: ordered values are pooled with neighbours, rare labels with each other."""

    def __init__(self, codes: Sequence[Code], frequencies: Tensor, most: int, device: str = "cpu") -> None:
        """`frequencies`: `(total,)`; `most`: pooled values a code at most; `device`: of what is pooled."""
        fine = Layout([code.cardinality for code in codes])
        index, sizes, start = [], [], 0
        for code, part in zip(codes, fine.slices, strict=True):
            pooled = _pool(code, frequencies[part], most)
            size = int(pooled.max()) + 1
            index.append(pooled + start)
            sizes.append(size)
            start += size
        self.index = torch.cat(index).to(device)
        self.layout = Layout(sizes)
        self._starts = torch.tensor(fine.starts, device=device)

    def one_hot(self, codes: Tensor) -> Tensor:
        """`(rows, codes)` int64 to `(rows, pooled values)` float32."""
        index = self.index[codes + self._starts]
        return torch.zeros(len(codes), self.layout.total, device=codes.device).scatter_(1, index, 1.0)

    def pool(self, weights: Tensor) -> Tensor:
        """`(rows, total)` weights over all values to `(rows, pooled values)`; lets gradients pass."""
        pooled = torch.zeros(len(weights), self.layout.total, device=weights.device)
        return pooled.index_add(1, self.index, weights)


def _pool(code: Code, frequencies: Tensor, most: int) -> Tensor:
    """Where each value of a code goes, `(cardinality,)` int64 from 0 up; a missing cell (value 0) stays alone."""
    if code.cardinality <= most:
        return torch.arange(code.cardinality)
    if code.ordered:
        share = frequencies[1:] / frequencies[1:].sum().clamp(min=1e-9)
        middle = share.cumsum(0) - share / 2
        band = (middle * (most - 1)).long().clamp(0, most - 2)
        used = torch.unique(band, return_inverse=True)[1]
        return torch.cat([torch.zeros(1, dtype=torch.long), 1 + used])
    rank = frequencies[1:].argsort(descending=True, stable=True).argsort(stable=True)
    return torch.cat([torch.zeros(1, dtype=torch.long), 1 + rank.clamp(max=most - 2)])


def cooccurrence(codes: Tensor, pooling: Pooling, block_rows: int = 8_192) -> Tensor:
    """E[phi phi^T] of `(rows, codes)` int64 with phi the pooled one-hot row: `(pooled values, pooled values)`."""
    total = torch.zeros(pooling.layout.total, pooling.layout.total, device=codes.device)
    for block in codes.split(block_rows):
        phi = pooling.one_hot(block)
        total += phi.T @ phi
    return total / len(codes)


def mutual_information(table: Tensor, layout: Layout, rows: int) -> Tensor:
    """Of every two codes, in nats, `(codes, codes)`, from a co-occurrence table of `rows` rows.

    Chance alone gives about (K - 1)(L - 1) / 2n nats to independent codes of K and L values (Miller 1955): that is
    taken off, and what is left is at least zero. The diagonal is zero.
    """
    marginal = table.diagonal()
    cells = table * (table.clamp(min=1e-12).log() - (marginal[:, None] * marginal).clamp(min=1e-12).log())
    member = torch.zeros(layout.total, layout.count, device=table.device)
    for i, part in enumerate(layout.slices):
        member[part, i] = 1.0
    used = (marginal > 0).to(table.dtype) @ member
    chance = torch.outer(used - 1, used - 1) / (2 * rows)
    return (member.T @ cells @ member - chance).clamp(min=0).fill_diagonal_(0)


def split_by_dependence(information: Tensor, groups: int) -> list[list[int]]:
    """Deal the codes out to `groups` groups so that those that tell much about each other stand apart.

    Greedy: the codes with most ties choose first, each the group it has the least information about; ties go to the
    smaller group. Groups hold rising code numbers, and none is empty.
    """
    count = len(information)
    groups = min(groups, count)
    order = information.sum(dim=1).argsort(descending=True, stable=True).tolist()
    found: list[list[int]] = [[] for _ in range(groups)]
    for code in order:
        cost = [(float(information[code, group].sum()), len(group)) for group in found]
        found[cost.index(min(cost))].append(code)
    return [sorted(group) for group in found]
