"""The warm-up, masked prediction: hide a random part of a real row and predict it from the rest.

It trains every conditional p(code | any subset of the others) at once (Uria et al. 2014, "A deep and tractable density
estimator": the order-agnostic training of section 3).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tabgan.config import TrainConfig
from tabgan.model.generator import Generator
from tabgan.model.losses import cross_entropies, masked_loss
from tabgan.training.average import Average
from tabgan.training.batches import Rows
from tabgan.training.history import History
from tabgan.training.recovery import Recovery

MASKS = 16
"""Different masks in a batch."""
RISE_STEPS = 100
"""Steps in which the learning rate rises from zero."""
LAST_RATE = 0.05
"""The learning rate at the end, as a share of the first."""


class WarmUp:
    """Trains a generator on masked rows and keeps the average of its weights.

    Held-out rows say when it ends: when they are predicted worse for a while, the learning rate falls quickly. The last
    average is kept that predicts them nearly as well as the best one did. The last and not the best, since hard ties
    between columns sharpen long after the mean loss is flat.
    """

    def __init__(
        self, generator: Generator, rows: Rows, config: TrainConfig, history: History, rng: torch.Generator
    ) -> None:
        self.generator = generator
        self.average = Average(generator, config.ema_half_life_rows)
        self.rows = rows
        self.config = config
        self.history = history
        self.rng = rng
        count = generator.layout.count
        # The same masks at every look: looks differ by the weights alone.
        self._held_out_known = random_masks(
            len(rows.held_out), count, config.all_hidden_share, rng, rows.device, masks=16 * MASKS
        )
        matrices = [weight for weight in generator.parameters() if weight.ndim > 1]
        others = [weight for weight in generator.parameters() if weight.ndim <= 1]  # biases hold frequencies: no decay
        self._optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
        )
        self._recovery = Recovery("warm-up", [generator, self.average.network, self._optimizer], history)

    def run(self, time_share: float = 1.0) -> Generator:
        """Train; `time_share` is the share of the time limit at which to be done. Returns the average that is kept."""
        config = self.config
        kept, best_loss, worse = self.average.copy(), math.inf, 0
        loss, held_out = torch.zeros(()), None
        left, last_step = 1.0, config.warmup_steps  # of the schedule, and the step at which it ends
        for step in range(1, config.warmup_steps + 1):
            left -= left / (last_step - step + 1)
            done = max(1 - left, self.history.spent / time_share)
            loss = self._step(step, min(done, 1.0))
            if step % config.evaluate_every == 0 or done >= 1:
                if not self._recovery.check(step):
                    continue
                held_out = self.held_out_loss()
                self.history.record("warm-up", step, loss=loss.item(), held_out=held_out)
                worse = worse + 1 if held_out > best_loss * (1 + config.tolerance) else 0
                if worse == 0:
                    kept, best_loss = self.average.copy(), min(best_loss, held_out)
                if worse == config.patience:
                    # Stopping here would leave the weights as a high rate threw them: the rate falls first.
                    last_step = min(last_step, step + max(step // 2, config.evaluate_every))
                if done >= 1:
                    break
            if self.history.due():
                self.history.report("warm-up", step, config.warmup_steps, loss.item(), held_out)
        self.history.report("warm-up", config.warmup_steps, config.warmup_steps, loss.item(), held_out)
        return kept

    def _step(self, step: int, done: float) -> Tensor:
        config = self.config
        rate = self._recovery.rate_share * config.learning_rate * min(1.0, step / RISE_STEPS)
        rate *= LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        real = self.rows.draw(config.batch_rows, self.rng)
        loss = prediction_loss(self.generator, real, self._masks(*real.shape))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self.average.update(self.generator, config.batch_rows)
        return loss.detach()

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """The masked loss of the averaged weights on held-out rows."""
        return prediction_loss(self.average.network, self.rows.held_out, self._held_out_known).item()

    def _masks(self, rows: int, count: int) -> Tensor:
        return random_masks(rows, count, self.config.all_hidden_share, self.rng, self.rows.device)


def prediction_loss(generator: Generator, real: Tensor, known: Tensor, z: Tensor | None = None) -> Tensor:
    """The loss of predicting the codes of `real` that are not `known`, both `(rows, codes)`."""
    entropies = cross_entropies(generator(real, known, z), real, generator.layout)
    return masked_loss(entropies, ~known)


def random_masks(
    rows: int, count: int, all_hidden_share: float, rng: torch.Generator, device: str, masks: int = MASKS
) -> Tensor:
    """Which codes are known, `(rows, count)` bool: any number of them from none to all but one, equally likely.

    Rows share a few masks, since the copula is worked out for each.
    """
    masks = min(rows, masks)
    known = torch.randint(count, (masks, 1), generator=rng, device=device)
    known[torch.rand(masks, 1, generator=rng, device=device) < all_hidden_share] = 0
    rank = torch.rand(masks, count, generator=rng, device=device).argsort(dim=1)
    return (rank < known).repeat(-(-rows // masks), 1)[:rows]
