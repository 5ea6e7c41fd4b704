"""Muon, an optimizer beside others: steps of momentum that move a matrix in all of its directions alike.

Of Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks". Directions in which gradients are
small are learned as quickly as those in which they are large; a rate for each number, as Adam has it, cannot give that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ITERATIONS = 3
"""Of Newton and Schulz. Five, as in the paper, cost more and learned as much."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the polynomial that the paper iterates: it takes singular values to about 1, small ones as fast as can be."""


class Muon(torch.optim.Optimizer):
    """For matrices of one shape, which are worked on together. Torch's own works in bfloat16 on every machine, which
    takes many times as long where a processor has no instructions for it."""

    def __init__(
        self,
        weights: Sequence[Tensor],
        lr: float,
        *,
        momentum: float = MOMENTUM,
        every: int = 1,
        precision: torch.dtype = torch.float32,
    ) -> None:
        """`every`: one of so many calls of `step` moves the weights, the others only add to the momentum; `precision`:
        of the products."""
        super().__init__(weights, {"lr": lr, "calls": 0})
        self.momentum, self.every, self.precision = momentum, every, precision
        for weight in weights:
            self.state[weight]["momentum"] = torch.zeros_like(weight)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move the weights by `lr` in every direction. `closure` is not used."""
        for group in self.param_groups:
            group["calls"] += 1
            weights: list[Tensor] = group["params"]
            gradients = torch.stack([weight.grad for weight in weights if weight.grad is not None])
            momenta = [self.state[weight]["momentum"] for weight in weights]
            for momentum, gradient in zip(momenta, gradients, strict=True):
                momentum.lerp_(gradient, 1 - self.momentum)
            if group["calls"] % self.every:
                continue
            ahead = gradients.lerp(torch.stack(momenta), self.momentum)  # Nesterov's momentum
            for weight, direction in zip(weights, orthogonal(ahead, self.precision), strict=True):
                weight.sub_(direction, alpha=group["lr"])


def orthogonal(matrices: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """About the nearest orthogonal matrix of each of `(matrices, rows, columns)`: its singular vectors with
    singular values of 0.68 to 1.21. Those below a fiftieth of the matrix's norm come out smaller."""
    a, b, c = COEFFICIENTS
    x = (matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)).to(precision)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    found: Tensor = x.to(matrices.dtype)
    return found


def besides(network: nn.Module, others: Iterable[Tensor]) -> list[nn.Parameter]:
    """The weights of `network` that are not among `others`."""
    taken = {id(weight) for weight in others}
    return [weight for weight in network.parameters() if id(weight) not in taken]


def set_rates(rates: Mapping[torch.optim.Optimizer, float], share: float) -> None:
    """Let each optimizer go on at this share of its rate."""
    for optimizer, rate in rates.items():
        for group in optimizer.param_groups:
            group["lr"] = share * rate
