"""The norm of each row's own gradient, without holding the gradients: they are clipped by weighing the rows' losses.

For a linear layer a row's gradient is the outer product of what went in and of the gradient that comes back, and its
norm is the product of theirs (Goodfellow 2015, "Efficient per-example gradient computations"). The same is true of the
tables of vectors, which are linear layers over one-hot codes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tabgan.model.embedding import CodeTable
from tabgan.model.generator import Block, Generator
from tabgan.model.losses import cross_entropies, masked_losses


class Linear(NamedTuple):
    """A layer with weights and a bias: what goes in, and what comes out, `(rows, features)` both."""

    inputs: Tensor
    outputs: Tensor

    def squares(self, slope: Tensor) -> Tensor:
        """The squared norm of each row's gradient, `(rows,)`; `slope` is that of the loss by `outputs`."""
        return slope.square().sum(dim=1) * (1 + self.inputs.square().sum(dim=1))


class Normed(NamedTuple):
    """A layer norm: its inputs without its own scale and shift, and its outputs, `(rows, features)` both."""

    inputs: Tensor
    outputs: Tensor

    def squares(self, slope: Tensor) -> Tensor:
        """As `Linear.squares`."""
        return (slope * self.inputs).square().sum(dim=1) + slope.square().sum(dim=1)


class Embedded(NamedTuple):
    """The sum of the vectors of known codes and of the marks of unknown ones."""

    table: CodeTable
    known: Tensor
    """The places of the known codes' values in the table, `(rows, codes)`; -1 where a code is unknown."""
    outputs: Tensor

    def squares(self, slope: Tensor) -> Tensor:
        """As `Linear.squares`."""
        # The features that a value shares with its neighbours are those of its own code alone.
        shared = torch.sparse.sum(self.table.basis.square().coalesce(), dim=1).to_dense()
        times = torch.where(self.known >= 0, 1 + shared[self.known.clamp(min=0)], 1.0).sum(dim=1)
        return slope.square().sum(dim=1) * times


class Headed(NamedTuple):
    """The heads: the features that they read, `(rows, width)`, and the logits, `(rows, total)`."""

    table: CodeTable
    inputs: Tensor
    outputs: Tensor

    def squares(self, slope: Tensor) -> Tensor:
        """As `Linear.squares`."""
        own = slope.square().sum(dim=1)
        shared = (self.table.basis.T @ slope.T).square().sum(dim=0) if self.table.shared.shape[0] else 0.0
        return own + (own + shared) * self.inputs.square().sum(dim=1)


Part = Linear | Normed | Embedded | Headed


def traced(generator: Generator, codes: Tensor, known: Tensor) -> tuple[Tensor, list[Part]]:
    """What `generator(codes, known)` gives, and every part with weights on the way there; its copula was not fitted,
    and adds nothing. `(rows, codes)` int64 and bool, `(rows, total)` logits."""
    embedded = generator.embed(codes, known)
    parts: list[Part] = [Embedded(generator.values, torch.where(known, codes + generator.starts, -1), embedded)]
    x = embedded * generator.layout.count**-0.5
    for block in generator.blocks:
        assert isinstance(block, Block)
        h = _normed(block.norm, x, parts)
        y = functional.silu(_linear(block.inner, h, parts))
        x = x + _linear(block.outer, y, parts)
    features = _normed(generator.norm, x, parts)
    logits = features @ generator.heads.rows().T + generator.bias
    parts.append(Headed(generator.heads, features, logits))
    return logits + generator.impossible, parts


def _normed(layer: nn.LayerNorm, x: Tensor, parts: list[Part]) -> Tensor:
    y: Tensor = layer(x)
    parts.append(Normed(functional.layer_norm(x.detach(), layer.normalized_shape, eps=layer.eps), y))
    return y


def _linear(layer: nn.Linear, x: Tensor, parts: list[Part]) -> Tensor:
    y: Tensor = layer(x)
    parts.append(Linear(x.detach(), y))
    return y


def row_losses(logits: Tensor, codes: Tensor, known: Tensor, generator: Generator) -> Tensor:
    """The losses of predicting each row's hidden codes, `(rows,)`."""
    return masked_losses(cross_entropies(logits, codes, generator.layout), ~known)


def add_clipped(generator: Generator, codes: Tensor, known: Tensor, clip: float) -> Tensor:
    """Add to the parameters' `grad` the sum over rows of their gradients, each scaled to a norm of `clip` at most.

    `(rows, codes)` int64 and bool, as in `traced`. Returns the rows' norms, `(rows,)`,
    which say something of the rows: they must not leave the fit."""
    logits, parts = traced(generator, codes, known)
    losses = row_losses(logits, codes, known, generator)
    slopes = torch.autograd.grad(losses.sum(), [part.outputs for part in parts], retain_graph=True)
    with torch.no_grad():
        norms = torch.stack([part.squares(slope) for part, slope in zip(parts, slopes, strict=True)]).sum(dim=0).sqrt()
        weights = (clip / norms.clamp(min=1e-12)).clamp(max=1.0)
    (losses * weights).sum().backward()
    return norms
