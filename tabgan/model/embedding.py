"""Learned vectors for codes. Neighbouring codes of an ordered column share part of theirs, at several resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.encoding.base import Code

KNOTS = (4, 8)
"""Resolutions at which the codes of an ordered column share strength."""

OWN_SCALE = 0.1
"""How large the own part of a vector starts where there is a shared one: what is shared is learned first."""


class Layout:
    """Where each code's values lie when the values of all codes are laid side by side."""

    def __init__(self, cardinalities: Sequence[int]) -> None:
        self.cardinalities = list(cardinalities)
        self.starts = [0, *accumulate(self.cardinalities)][:-1]
        self.total = sum(self.cardinalities)
        self.count = len(self.cardinalities)
        self.slices = [slice(a, a + size) for a, size in zip(self.starts, self.cardinalities, strict=True)]


class CodeTable(nn.Module):
    """A vector for every value of every code: `rows()` is `(total, width)`.

    The vector of an ordered code's value is its own plus a piecewise linear function of its place, with 4 and with 8
    knots (the hat functions of Gorishniy et al. 2022, section 3.2, on places instead of raw values), plus a line over
    its normal score: what is learned about a value is learned about its neighbours. More knots were worse: they learn
    small tables by heart.
    """

    def __init__(self, codes: Sequence[Code], width: int, scale: float, rng: torch.Generator) -> None:
        super().__init__()
        basis = _basis(codes)
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("basis_turned", basis.t().coalesce(), persistent=False)
        own = torch.full((len(basis), 1), scale)
        own[basis.indices()[0]] = OWN_SCALE * scale
        self.own = nn.Parameter(torch.randn(basis.shape[0], width, generator=rng) * own)
        self.shared = nn.Parameter(torch.randn(basis.shape[1], width, generator=rng) * scale)

    basis: Tensor
    basis_turned: Tensor

    def rows(self) -> Tensor:
        """The vectors of all values, `(total, width)`."""
        if not self.shared.shape[0]:
            return self.own
        mixed: Tensor = _Mixed.apply(self.basis, self.basis_turned, self.shared)  # type: ignore[no-untyped-call]
        rows: Tensor = self.own + mixed
        return rows


class _Mixed(torch.autograd.Function):
    """The product of a constant sparse matrix and a dense one. Torch's own sorts the turned matrix at every gradient,
    for which a GPU has to wait."""

    @staticmethod
    def forward(context: Any, basis: Tensor, turned: Tensor, shared: Tensor) -> Tensor:
        context.turned = turned
        product: Tensor = torch.sparse.mm(basis, shared)
        return product

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, None, Tensor]:
        return None, None, torch.sparse.mm(context.turned, gradients[0])


def _basis(codes: Sequence[Code]) -> Tensor:
    """`(total, features)`, sparse: the hat functions of every ordered code's values; a missing cell has none."""
    rows, columns, weights = [], [], []
    start = features = 0
    for code in codes:
        places = code.cardinality - 1
        if code.ordered and places > min(KNOTS):
            place = torch.arange(places, dtype=torch.float32) / (places - 1)
            for knots in KNOTS:
                if knots > places:
                    break
                at = place * (knots - 1)
                left = at.floor().clamp(max=knots - 2)
                for side, weight in ((0, 1 - (at - left)), (1, at - left)):
                    rows.append(start + 1 + torch.arange(places))
                    columns.append(features + left.long() + side)
                    weights.append(weight)
                features += knots
            score = torch.special.ndtri((torch.arange(places) + 0.5) / places)
            rows.append(start + 1 + torch.arange(places))
            columns.append(torch.full((places,), features))
            weights.append(score)
            features += 1
        start += code.cardinality
    if not rows:
        return torch.zeros(start, 0).to_sparse()
    index = torch.stack([torch.cat(rows), torch.cat(columns)])
    return torch.sparse_coo_tensor(index, torch.cat(weights), (start, features), check_invariants=True).coalesce()
