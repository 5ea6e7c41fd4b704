"""Losses as pure functions of tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tabgan.model.embedding import Layout
from tabgan.model.part import Part

LEAST_SHARE = 0.005
"""Values rarer than this weigh as if they were as common: a batch holds too few of them to judge."""


def cross_entropies(logits: Tensor, codes: Tensor, layout: Layout) -> Tensor:
    """-log p of each code, `(rows, codes)`, from logits `(rows, total)` and the true codes `(rows, codes)`."""
    heads = logits.split(layout.cardinalities, dim=1)
    found = [functional.cross_entropy(head, code, reduction="none") for head, code in zip(heads, codes.T, strict=True)]
    return torch.stack(found, dim=1)


def masked_losses(entropies: Tensor, hidden: Tensor) -> Tensor:
    """The mean over each row's hidden codes, `(rows,)`, of `(rows, codes)` both: with the number of hidden codes
    uniform this is, over the number of codes, an unbiased estimate of -log p(row) (Uria et al. 2014, equation 6)."""
    share = hidden / hidden.sum(dim=1, keepdim=True).clamp(min=1)
    return (entropies * share).sum(dim=1)


def masked_loss(entropies: Tensor, hidden: Tensor) -> Tensor:
    """The mean of `masked_losses` over the rows."""
    return masked_losses(entropies, hidden).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, rng: torch.Generator, part: Part | None = None
) -> Tensor:
    """(|grad critic| - 1)^2 at random points between real and fake embedded rows, `(rows, features)` each; the mean.

    Gulrajani et al. 2017, equation 3, without its weight. `part`: of which batch the rows are a part.
    """
    part = part or Part(real.shape[0])
    along = part.of(torch.rand(part.rows, 1, generator=rng, device=real.device))
    between = (real + along * (fake - real)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty: Tensor = (slope.norm(dim=1) - 1).square().mean()
    return penalty


def second_moments(rows: Tensor) -> Tensor:
    """E[phi phi^T] of `(rows, values)`: `(values, values)`."""
    return rows.T @ rows / rows.shape[0]


def cooccurrence_loss(
    first: Tensor,
    second: Tensor,
    target: Tensor,
    count: int,
    moments: Callable[[Tensor], Tensor] = second_moments,
) -> Tensor:
    """The squared distance of the co-occurrence table of made rows from the real one, a pair of codes on the average.

    `first` and `second` are two independent halves of a batch, `(rows, values)` one-hot over `count` codes; `target` is
    E[phi phi^T] of the real rows, `(values, values)`. Errors are measured against what independence would give, as in
    the contingency coefficient phi^2. The product of the two halves' errors has no bias from the batch's own sampling
    noise, which the square of one batch's error has. `moments`: as `second_moments`, of rows of which some are here.
    """
    share = target.diagonal().clamp(min=LEAST_SHARE).sqrt()
    one, other = ((moments(half) - target) / torch.outer(share, share) for half in (first, second))
    return (one * other).sum() / count**2
