"""DP-SGD: every step sees a random batch through a noisy sum of clipped gradients.

Abadi et al. 2016, "Deep learning with differential privacy", algorithm 1, with Adam for the descent and an average of
the weights for the result, neither of which looks at the rows again. Nothing else does: no held-out rows say when to
stop, no loss is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tabgan.model.generator import Generator
from tabgan.private.budget import Spending
from tabgan.private.gradients import add_clipped
from tabgan.training.average import Average
from tabgan.training.warmup import random_masks

BATCH_ROWS, MOST_SHARE = 4_096, 0.5
"""Rows of a batch on the average; of small tables no more than this share."""
STEPS = 600
LEARNING_RATE, LAST_RATE, RISE = 2e-3, 0.1, 0.05
"""It rises over a share of the steps and falls along a half cosine to a share of the first."""
CLIP = 1.0
"""The norm to which a row's gradient is clipped. Nearly all are longer, so that it scales with the learning rate."""
HIDDEN_SHARE = 0.1
"""Of rows of which nothing is shown."""
AVERAGED = 0.1
"""The average of the weights reaches back over about this share of the steps."""
CHUNK_ROWS = 1_024
"""Rows whose gradients are worked out together."""


def batch_share(rows: int) -> float:
    """The chance of each of about so many rows to be in a batch."""
    return min(MOST_SHARE, BATCH_ROWS / rows)


class Descent:
    """Adam on noisy gradients, and the average of the weights."""

    def __init__(
        self, generator: Generator, codes: Tensor, spending: Spending, rows: int, rng: torch.Generator
    ) -> None:
        """`(rows, codes)` int64; `rows`: about how many there are; `rng`: for batches, masks and noise, secret."""
        self.generator, self.codes, self.spending, self.rng = generator, codes, spending, rng
        self.average = Average(generator, half_life_rows=max(1, round(AVERAGED * spending.steps)))
        self._batch_rows = spending.batch_share * rows
        # The noise vector belongs to the game.
        self.weights = [weight for name, weight in generator.named_parameters() if name != "from_noise"]
        self._optimizer = torch.optim.Adam(self.weights, lr=LEARNING_RATE, betas=(0.9, 0.99), fused=True)

    def run(self, go_on: Callable[[int], bool]) -> Generator:
        """All steps, or as many as `go_on`, told how many are done, allows. Returns the average of the weights."""
        for step in range(1, self.spending.steps + 1):
            self._step(step)
            if not go_on(step):
                break  # with fewer steps less is spent than was planned
        return self.average.network

    def _step(self, step: int) -> None:
        done = step / self.spending.steps
        rate = LEARNING_RATE * min(1.0, done / RISE)
        rate *= LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.look()
        self._optimizer.step()
        self.average.update(self.generator, 1)

    def look(self) -> None:
        """Set `grad` of all weights to the noisy mean of a batch's clipped gradients: all that is ever seen of rows."""
        for weight in self.weights:
            weight.grad = torch.zeros_like(weight)
        # Poisson sampling: each row by itself, as the accountant takes it.
        chances = torch.rand(len(self.codes), generator=self.rng, device=self.codes.device)
        batch = (chances < self.spending.batch_share).nonzero().squeeze(1)
        for some in batch.split(CHUNK_ROWS):
            count = self.codes.shape[1]
            shown = random_masks(len(some), count, HIDDEN_SHARE, self.rng, str(self.codes.device), masks=len(some))
            add_clipped(self.generator, self.codes[some], shown, CLIP)
        for weight in self.weights:
            noise = torch.randn(weight.shape, generator=self.rng, device=weight.device)
            assert weight.grad is not None
            weight.grad = (weight.grad + self.spending.step_noise * CLIP * noise) / self._batch_rows
