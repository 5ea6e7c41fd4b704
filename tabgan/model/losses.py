"""Losses as pure functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tabgan.model.embedding import Layout
from tabgan.model.part import Part

LEAST_LOG = -80.0
"""Of a probability whose size still matters; exponentials that leave the range of floats take ten times as long."""
LEAST_SHARE = 0.005
"""Values rarer than this weigh as if they were as common: a batch holds too few of them to judge."""


def cross_entropies(logits: Tensor, codes: Tensor, layout: Layout) -> Tensor:
    """-log p of each code, `(rows, codes)`, from logits `(rows, total)` and the true codes `(rows, codes)`."""
    found: Tensor = _CrossEntropies.apply(logits, codes, layout)  # type: ignore[no-untyped-call]
    return found


class _CrossEntropies(torch.autograd.Function):
    """As torch's own, one code after the other, but that gradients of all codes are written into one tensor, a column a
    row, as `Generator` makes its logits: of wide tables most of a step was the copying of pieces of them."""

    @staticmethod
    def forward(context: Any, logits: Tensor, codes: Tensor, layout: Layout) -> Tensor:
        turned, codes = logits.T.contiguous(), codes.T.contiguous()
        logs = torch.empty_like(turned)
        picked = []
        for part, code in zip(layout.slices, codes, strict=True):
            torch.log_softmax(turned[part], dim=0, out=logs[part])
            picked.append(logs[part].gather(0, code[None]))
        context.save_for_backward(logs, codes)
        context.layout = layout
        return -torch.cat(picked).T

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        logs, codes = context.saved_tensors
        found = logs.clamp(min=LEAST_LOG).exp_()
        for part, code, slope in zip(context.layout.slices, codes, slopes[0].T.contiguous(), strict=True):
            found[part].mul_(slope).scatter_add_(0, code[None], -slope[None])
        return found.T, None, None


def taught_cross_entropies(logits: Tensor, taught: Tensor, layout: Layout) -> Tensor:
    """The cross-entropy of what `logits` say of each code from what `taught` ones do, `(rows, codes)`; both are
    `(rows, total)`, and only the first get gradients."""
    found: Tensor = _TaughtCrossEntropies.apply(logits, taught, layout)  # type: ignore[no-untyped-call]
    return found


class _TaughtCrossEntropies(torch.autograd.Function):
    """As `_CrossEntropies`, for shares of values instead of a value."""

    @staticmethod
    def forward(context: Any, logits: Tensor, taught: Tensor, layout: Layout) -> Tensor:
        turned, shares = logits.T.contiguous(), taught.T.contiguous()
        logs, wanted = torch.empty_like(turned), torch.empty_like(shares)
        found = []
        for part in layout.slices:
            torch.log_softmax(turned[part], dim=0, out=logs[part])
            torch.softmax(shares[part], dim=0, out=wanted[part])
            found.append((wanted[part] * logs[part]).sum(dim=0))
        context.save_for_backward(logs, wanted)
        context.layout = layout
        return -torch.stack(found, dim=1)

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        logs, wanted = context.saved_tensors
        found = logs.clamp(min=LEAST_LOG).exp_().sub_(wanted)
        for part, slope in zip(context.layout.slices, slopes[0].T.contiguous(), strict=True):
            found[part].mul_(slope)
        return found.T, None, None


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
