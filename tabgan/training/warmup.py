"""The warm-up, masked prediction: hide a random part of a real row and predict it from the rest.

It trains every conditional p(code | any subset of the others) at once (Uria et al. 2014, "A deep and tractable density
estimator": the order-agnostic training of section 3).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tabgan.config import TrainConfig
from tabgan.model.copula import in_turn
from tabgan.model.generator import Generator
from tabgan.model.losses import cross_entropies, masked_loss
from tabgan.model.part import Part
from tabgan.training.average import Average
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint, State
from tabgan.training.history import History
from tabgan.training.muon import Muon, besides, set_rates
from tabgan.training.parallel import ALONE, Group
from tabgan.training.recovery import Recovery, Stateful
from tabgan.training.replay import Replay, Step, descend, gradients

MASKS = 16
"""Different masks in a batch."""
LOOKED_AT, LEAST_LOOKED_AT = 400_000, 50
"""Cells of held-out rows that a look judges at most, and rows that it judges at least."""
LOOK_MASKS, ROWS_OF_MASK = 256, 8
"""Different masks of a look at most; fewer where rows have so many codes that fewer than the second would share one: to
solve the masks would take longer than to judge the rows."""
RISE_STEPS = 100
"""Steps in which the learning rate rises from zero."""
TRUNK_EVERY = 2
"""The trunk's matrices move at every so many-th step: as much is learned, at half the cost of Muon's products."""
LAST_RATE = 0.05
"""The learning rate at the end, as a share of the first."""


class WarmUp:
    """Trains a generator on masked rows and keeps the average of its weights.

    Held-out rows say when it ends: when they are predicted worse for a while, the learning rate falls quickly. The last
    average is kept that predicts them nearly as well as the best one did. The last and not the best, since hard ties
    between columns sharpen long after the mean loss is flat.
    """

    def __init__(
        self,
        generator: Generator,
        rows: Rows,
        config: TrainConfig,
        history: History,
        rng: torch.Generator,
        group: Group = ALONE,
        stage: str = "warm-up",
    ) -> None:
        """`group`: the processes that do the same with the same arguments; `stage`: what the history calls it."""
        self.stage = stage
        self.generator = generator
        self.average = Average(generator, config.ema_half_life_rows)
        self.rows = rows
        self.config = config
        self.history = history
        self.rng = rng
        self.group = group
        count = generator.layout.count
        # The same rows and masks at every look: looks differ by the weights alone.
        most = LOOKED_AT // count
        self._looked_at = rows.held_out[: max(LEAST_LOOKED_AT, most)]
        masks = max(MASKS, min(LOOK_MASKS, most // ROWS_OF_MASK))
        self._looks_know = random_masks(
            len(self._looked_at), count, config.all_hidden_share, rng, rows.device, masks=masks
        )
        others = besides(generator, generator.hidden)
        matrices = [weight for weight in others if weight.ndim > 1]
        vectors = [weight for weight in others if weight.ndim <= 1]  # biases hold frequencies: no decay
        muon = Muon(generator.hidden, config.trunk_learning_rate, every=TRUNK_EVERY, precision=generator.precision)
        adam = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            fused=True,
        )
        self._rates: dict[torch.optim.Optimizer, float] = {
            muon: config.trunk_learning_rate,
            adam: config.learning_rate,
        }
        self._replay = Replay(rng, alone=group.size == 1)
        self._recovery = Recovery(stage, [generator, self.average.network, *self._rates], history)
        self._parts: dict[str, Stateful] = {
            "generator": generator,
            "average": self.average,
            "muon": muon,
            "adam": adam,
            "recovery": self._recovery,
        }
        self._step, self._last_step = 0, config.warmup_steps  # the latter ends the schedule
        self._left, self._time_share = 1.0, 1.0  # of the schedule; of the time limit, at which to be done
        self._best_loss, self._worse = math.inf, 0
        self._loss = torch.zeros(())
        self._held_out: float | None = None

    def run(self, time_share: float = 1.0, checkpoint: Checkpoint | None = None) -> Generator:
        """Train; `time_share` is the share of the time limit at which to be done. Returns the average that is kept."""
        config, checkpoint = self.config, checkpoint or Checkpoint()
        self._time_share = time_share
        if (state := checkpoint.state(self.stage)) is not None:
            self._restore(state)
        for step in range(self._step + 1, config.warmup_steps + 1):
            self._step = step
            self._left -= self._left / (self._last_step - step + 1)
            spent = self.group.told_number(lambda: self.history.spent)
            done = min(max(1 - self._left, spent / self._time_share), 1.0)
            self._loss = self._descend(step, done)
            if step % config.evaluate_every == 0 or done >= 1:
                self._look(step)
            if done >= 1:
                break
            if self.history.due():
                self._report(step)
            checkpoint.keep(self.stage, self._state)
        self._report(config.warmup_steps)
        return self.average.kept()

    def _look(self, step: int) -> None:
        """Judge the average, keep it if it is good, and go back if numbers are not finite."""
        config, loss, held_out = self.config, self._loss.item(), self.group.told_number(self.held_out_loss)
        if not self._recovery.check(step, loss, held_out):
            return
        self._held_out = held_out
        self.history.record(self.stage, step, loss=loss, held_out=held_out)
        self._worse = self._worse + 1 if held_out > self._best_loss * (1 + config.tolerance) else 0
        if self._worse == 0:
            self._best_loss = min(self._best_loss, held_out)
            self.average.keep()
        if self._worse == config.patience:
            # Stopping here would leave the weights as a high rate threw them: the rate falls first.
            self._last_step = min(self._last_step, step + max(step // 2, config.evaluate_every))

    def _report(self, step: int) -> None:
        self.history.report(self.stage, step, self.config.warmup_steps, self._loss.item(), self._held_out)

    def _state(self) -> State:
        return {
            "step": self._step,
            "last_step": self._last_step,
            "left": self._left,
            "time_share": self._time_share,
            "best_loss": self._best_loss,
            "worse": self._worse,
            "loss": self._loss,
            "held_out": self._held_out,
            "rng": self.rng.get_state(),
            "parts": {name: part.state_dict() for name, part in self._parts.items()},
        }

    def _restore(self, state: State) -> None:
        """Undo `_state`."""
        self._step, self._last_step, self._left = state["step"], state["last_step"], state["left"]
        self._time_share, self._best_loss, self._worse = state["time_share"], state["best_loss"], state["worse"]
        self._loss, self._held_out = state["loss"], state["held_out"]
        self.rng.set_state(state["rng"])
        for name, part in self._parts.items():
            part.load_state_dict(state["parts"][name])

    def _descend(self, step: int, done: float) -> Tensor:
        config = self.config
        share = self._recovery.rate_share * min(1.0, step / RISE_STEPS)
        share *= LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2
        set_rates(self._rates, share)
        part = self.group.part(config.batch_rows)
        kind = self._kind(step)
        found = self.group.together(self._replay(kind, lambda: self._gradients(part, kind)), part)
        descend(self.generator.parameters(), found, *self._rates)
        self.average.update(self.generator, config.batch_rows)
        return found.figures["loss"]

    def _gradients(self, part: Part, kind: int) -> Step:
        loss = self._batch_loss(part, kind)
        return gradients(loss, self.generator.parameters(), {"loss": loss})

    def _kind(self, step: int) -> int:
        """Steps of one kind do the same to another batch."""
        return 0

    def _batch_loss(self, part: Part, kind: int) -> Tensor:
        """The loss on the next batch."""
        real = self.rows.draw(part.rows, self.rng)
        return prediction_loss(self.generator, part.of(real), part.masks(self._masks(*real.shape)))

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """The masked loss of the averaged weights on held-out rows."""
        return prediction_loss(self.average.network, self._looked_at, self._looks_know).item()

    def _masks(self, rows: int, count: int) -> Tensor:
        return random_masks(rows, count, self.config.all_hidden_share, self.rng, self.rows.device)


def prediction_loss(generator: Generator, real: Tensor, known: Tensor, z: Tensor | None = None) -> Tensor:
    """The loss of predicting the codes of `real`, `(rows, codes)`, that are not `known`, `(masks, codes)`."""
    entropies = cross_entropies(generator(real, known, z), real, generator.layout)
    return masked_loss(entropies, ~in_turn(known, len(real)))


def random_masks(
    rows: int, count: int, all_hidden_share: float, rng: torch.Generator, device: str, masks: int = MASKS
) -> Tensor:
    """Which codes are known, `(masks, count)` bool: any number of them from none to all but one, equally likely.

    `rows` share a few masks in turn, since the copula is worked out for each.
    """
    masks = min(rows, masks)
    known = torch.randint(count, (masks, 1), generator=rng, device=device)
    known = known * (torch.rand(masks, 1, generator=rng, device=device) >= all_hidden_share)
    rank = torch.rand(masks, count, generator=rng, device=device).argsort(dim=1)
    return rank < known
