"""The adversarial game: Algorithm 1 of WGAN-GP (Gulrajani et al. 2017) on rows that the generator makes in few rounds.

Codes drawn in the same round are independent given what is known and a noise vector `z`, which the game teaches to tie
them. Gradients pass through the rounds by straight-through Gumbel draws (Jang et al. 2017, section 2.2).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tabgan.config import TrainConfig
from tabgan.encoding.base import Code
from tabgan.model.cooccurrence import Pooling, split_by_dependence
from tabgan.model.critic import Critic
from tabgan.model.generator import Generator, Solved, Tables
from tabgan.model.losses import cooccurrence_loss, gradient_penalty
from tabgan.model.part import Part
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import Rounds, draw
from tabgan.sampling.sampler import Sampler
from tabgan.training.average import Average
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint, State
from tabgan.training.detection import c2st
from tabgan.training.history import History
from tabgan.training.muon import Muon, besides, set_rates
from tabgan.training.parallel import ALONE, Group
from tabgan.training.recovery import Recovery, Stateful
from tabgan.training.replay import Replay, Step, descend, gradients
from tabgan.training.warmup import prediction_loss, random_masks

FEWEST_ROUNDS = 2
"""One round is too few to be worth training for, unless the settings ask for it."""
CRITIC_HASTE = 2.0
"""The critic learns at a rate so many times the generator's (Heusel et al. 2017, "GANs trained by a two time-scale
update rule converge to a local Nash equilibrium")."""
LEAST_C2ST = 0.515
"""Where trees tell tied rounds no better than this, the game is not played: there is nothing to win."""
EVALUATION_ROWS = 3_000
"""Real rows, and as many made ones, at each look."""

Order = tuple[tuple[int, ...], ...]
"""The codes of each round."""


class Game:
    """Trains a generator against a critic; `average` is the generator that samples."""

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        rows: Rows,
        codes: Sequence[Code],
        information: Tensor,
        exclusions: Exclusions,
        pooling: Pooling,
        target: Tensor,
        config: TrainConfig,
        history: History,
        rng: torch.Generator,
        group: Group = ALONE,
    ) -> None:
        """`generator` is copied; `information`: mutual information of the codes, `(codes, codes)`; `target`: the
        co-occurrence table of the training rows, pooled by `pooling`; `group`: the processes that do the same."""
        self.generator, self.critic = copy.deepcopy(generator).requires_grad_(True), critic
        self.average = Average(generator, config.ema_half_life_rows)
        self.rows, self.codes, self.information, self.exclusions = rows, codes, information, exclusions
        self.pooling, self.target = pooling, target
        fewest = min(FEWEST_ROUNDS, config.game_rounds)
        self.splits = [split_by_dependence(information, n) for n in range(fewest, config.game_rounds + 1)]
        self.config, self.history, self.rng, self.group = config, history, rng, group
        muon, adam, precision = config.trunk_learning_rate, config.game_learning_rate, generator.precision
        self._generator_optimizers = _optimizers(self.generator, muon, adam, precision)
        self._critic_optimizers = _optimizers(critic, muon, CRITIC_HASTE * adam, precision)
        self._rates = self._generator_optimizers | self._critic_optimizers
        self._replay = Replay(rng, alone=group.size == 1)
        self._solved = Solved()
        self._critic_updates, self._step, self._time_share = 0, 0, 1.0
        # What the last steps gave: the gap is the critic's estimate of the Wasserstein distance.
        self._figures: dict[str, Tensor] = {"gap": torch.zeros(())}
        self._best_auc, self._auc = math.inf, math.inf
        self._recovery = Recovery("game", [self.generator, critic, self.average.network, *self._rates], history)
        self._parts: dict[str, Stateful] = {
            "generator": self.generator,
            "critic": critic,
            "average": self.average,
            "recovery": self._recovery,
            **{f"optimizer {i}": optimizer for i, optimizer in enumerate(self._rates)},
        }

    def run(self, time_share: float = 1.0, checkpoint: Checkpoint | None = None) -> Generator:
        """The loop of Algorithm 1, after a head start of the critic.

        `time_share`: the share of the time limit at which to be done. Returns the average whose rows boosted trees
        could tell least from held-out ones; the generator as it came if that were its own, in tied rounds, or if these
        can hardly be told."""
        config, checkpoint = self.config, checkpoint or Checkpoint()
        self._time_share = time_share
        if (state := checkpoint.state("game")) is not None:
            self._restore(state)
        else:
            if self._time_is_up():
                return self.average.kept()
            self._look(0)
            if self._auc <= LEAST_C2ST:
                return self.average.kept()
        for _ in range(self._critic_updates, config.critic_head_start):
            self._critic_step()
            self._report(0)
            if self._time_is_up():
                return self.average.kept()
            checkpoint.keep("game", self._state)
        for step in range(self._step + 1, config.game_steps + 1):
            for _ in range(config.critic_steps):
                self._critic_step()
            self._generator_step()
            self.average.update(self.generator, config.game_batch_rows)
            self._step = step
            last = step == config.game_steps or self._time_is_up()
            if step % config.game_evaluate_every == 0 or last:
                self._look(step)
            self._report(step)
            if last:
                break
            checkpoint.keep("game", self._state)
        self.history.report("game", config.game_steps, config.game_steps, self._figures["gap"].item(), self._best_auc)
        return self.average.kept()

    def _time_is_up(self) -> bool:
        return self.group.told_number(lambda: self.history.spent) >= self._time_share

    def _look(self, step: int) -> None:
        """Judge the averaged generator, keep it if it is the best so far, and go back if numbers are not finite."""
        figures = {name: value.item() for name, value in self._figures.items()}
        if step:
            figures["critic_gradient"] = gradient_norm(self.critic)
            figures["generator_gradient"] = gradient_norm(self.generator)
        if not self._recovery.check(step, *figures.values()):
            set_rates(self._rates, self._recovery.rate_share)
            return
        self._auc, distinct = self.group.told(lambda: self._judged(noisy=step > 0))
        self.history.record("game", step, **figures, c2st=self._auc, distinct=distinct)
        if self._auc < self._best_auc:
            self._best_auc = self._auc
            self.average.keep()

    def _judged(self, *, noisy: bool) -> tuple[float, float]:
        """How well trees tell rows of the average from real ones, and the share of its rows that are distinct."""
        real = self.rows.some(EVALUATION_ROWS)
        sampler = Sampler(self.average.network, self.information, self.exclusions, noisy=noisy)
        made = torch.cat(list(sampler.blocks(len(real), len(self.splits[0]), seed=0)))
        return c2st(real, made, self.codes, seed=0), len(made.unique(dim=0)) / len(made)

    def _state(self) -> State:
        return {
            "step": self._step,
            "critic_updates": self._critic_updates,
            "time_share": self._time_share,
            "figures": self._figures,
            "best_auc": self._best_auc,
            "auc": self._auc,
            "rng": self.rng.get_state(),
            "parts": {name: part.state_dict() for name, part in self._parts.items()},
        }

    def _restore(self, state: State) -> None:
        """Undo `_state`."""
        self._step, self._critic_updates = state["step"], state["critic_updates"]
        self._time_share, self._figures = state["time_share"], state["figures"]
        self._best_auc, self._auc = state["best_auc"], state["auc"]
        self.rng.set_state(state["rng"])
        for name, part in self._parts.items():
            part.load_state_dict(state["parts"][name])

    def _report(self, step: int) -> None:
        if self.history.due():
            self.history.report("game", step, self.config.game_steps, self._figures["gap"].item(), self._auc)

    def _critic_step(self) -> None:
        config, critic = self.config, self.critic
        part = self.group.part(config.game_batch_rows)
        penalised = self._critic_updates % config.penalty_every == 0
        order = self._order("critic", self._critic_updates)
        found = self._replay(("critic", penalised, order), lambda: self._critic_gradients(part, order, penalised))
        found = self.group.together(found, part)
        descend(critic.parameters(), found, *self._critic_optimizers)
        self._critic_updates += 1
        self._figures |= found.figures

    def _critic_gradients(self, part: Part, order: Order, penalised: bool) -> Step:
        config, critic = self.config, self.critic
        codes = part.of(self.rows.draw(part.rows, self.rng))
        with torch.no_grad():
            made = self._make_codes(part, order)
        real, fake = critic.embed(torch.cat([codes, made])).chunk(2)
        gap = critic(real).mean() - critic(fake).mean()
        loss, figures = -gap, {"gap": gap}
        if penalised:  # lazy: every k-th step, k times heavier (StyleGAN2, section 4.1)
            penalty = gradient_penalty(critic, real.detach(), fake.detach(), self.rng, part)
            loss = loss + config.penalty_weight * config.penalty_every * penalty
            figures["penalty"] = penalty
        return gradients(loss, critic.parameters(), figures)

    def _generator_step(self) -> None:
        part = self.group.part(self.config.game_batch_rows)
        order = self._order("generator", self._step)
        found = self._replay(("generator", order), lambda: self._generator_gradients(part, order))
        found = self.group.together(found, part)
        descend(self.generator.parameters(), found, *self._generator_optimizers)
        self._figures |= found.figures

    def _generator_gradients(self, part: Part, order: Order) -> Step:
        config = self.config
        made = self._make(part, order)
        loss: Tensor = -config.critic_weight * self.critic(self.critic.embed_weights(made)).mean()
        half = part.before(-(-part.rows // 2))
        first, second = self.pooling.pool(made).split([half, len(made) - half])
        loss = loss + config.cooccurrence_weight * cooccurrence_loss(
            first, second, self.target, len(self.codes), self.group.second_moments
        )
        real = self.rows.draw(config.game_batch_rows, self.rng)
        known = random_masks(real.shape[0], real.shape[1], config.all_hidden_share, self.rng, self.rows.device)
        loss = loss + config.masked_weight * prediction_loss(self.generator, part.of(real), part.masks(known))
        return gradients(loss, self.generator.parameters(), {"loss": loss})

    def _order(self, player: str, update: int) -> Order:
        """In how many rounds, and in which order, the rows of a player's update are made: any, equally likely."""
        rng = keyed("order", player, update)
        split = self.splits[int(torch.randint(len(self.splits), (1,), generator=rng))]
        return tuple(tuple(split[place]) for place in torch.randperm(len(split), generator=rng))

    def _make(self, part: Part, order: Order) -> Tensor:
        """Rows from nothing: `(rows, total)` one-hot with the gradients of soft draws."""
        drawn = self._unroll(
            part, order, lambda logits: straight_through(logits, self.config.temperature, self.rng, part)
        )
        return torch.cat(drawn, dim=1)

    def _make_codes(self, part: Part, order: Order) -> Tensor:
        """As `_make` without gradients, `(rows, codes)` int64: for the critic plain draws are the same, and cheaper."""

        def take(logits: Tensor) -> Tensor:
            return draw(logits, part.of(torch.rand(part.rows, 1, generator=self.rng, device=self.rows.device)))

        return torch.stack(self._unroll(part, order, take), dim=1)

    def _unroll(self, part: Part, order: Order, take: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """The codes of rows from nothing, drawn from their logits by `take`."""
        z = part.of(torch.randn(part.rows, self.generator.noise, generator=self.rng, device=self.rows.device))
        walk = Rounds(Tables(self.generator, solved=self._solved), self.exclusions, z)
        for group in order:
            walk.look()
            for code in group:
                walk.put(code, take(walk.logits(code)))
        return [walk.drawn[code] for code in range(self.generator.layout.count)]


def _optimizers(
    network: Generator | Critic, muon_rate: float, adam_rate: float, precision: torch.dtype
) -> dict[torch.optim.Optimizer, float]:
    """Of the hidden matrices and of all other weights, with their rates and without momentum: each player moves the
    ground under the other (section 5 of the paper takes 0 and 0.9 for Adam)."""
    muon = Muon(network.hidden, muon_rate, momentum=0.0, precision=precision)
    adam = torch.optim.Adam(besides(network, network.hidden), adam_rate, betas=(0.0, 0.9), fused=True)
    return {muon: muon_rate, adam: adam_rate}


def straight_through(logits: Tensor, temperature: float, rng: torch.Generator, part: Part | None = None) -> Tensor:
    """A one-hot draw from `(rows, values)` logits whose gradient is that of the soft draw at `temperature`.

    `part`: of which batch the rows are a part."""
    part = part or Part(len(logits))
    uniform = part.of(torch.rand(part.rows, logits.shape[1], generator=rng, device=logits.device))
    scores = logits - (-uniform.clamp(min=1e-20).log()).clamp(min=1e-20).log()  # the noise is of Gumbel's distribution
    soft = (scores / temperature).softmax(dim=1)
    hard = torch.zeros_like(soft).scatter_(1, scores.argmax(dim=1, keepdim=True), 1.0)
    return hard + (soft - soft.detach())  # in this order the forward value is exactly one-hot


def gradient_norm(network: torch.nn.Module) -> float:
    """The length of the gradient of all weights together; 0 before the first."""
    slopes = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return torch.nn.utils.get_total_norm(slopes).item()
