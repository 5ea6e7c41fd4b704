import math

import pytest
import torch

from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.errors import DivergenceError
from tabgan.model.cooccurrence import Pooling, cooccurrence
from tabgan.model.critic import Critic
from tabgan.model.generator import Generator
from tabgan.sampling.exclusions import Exclusions
from tabgan.training.batches import Rows
from tabgan.training.game import Game
from tabgan.training.history import History
from tabgan.training.recovery import MOST_RESTORES
from tabgan.training.warmup import WarmUp

LAYOUT = [Code("a", 4, False), Code("b", 4, False)]
CONFIG = TrainConfig(
    warmup_steps=60, evaluate_every=10, game_steps=30, game_evaluate_every=5, critic_head_start=2, game_batch_rows=64
)
SMALL = ModelConfig(width=16, blocks=1, noise=4, critic_width=16, critic_embedding=4)


class PoisonedRows(Rows):
    """Rows whose draws spoil a weight now and then, as an overflow would."""

    spoil: torch.nn.Parameter
    at: tuple[int, ...] = ()
    draws = 0

    def draw(self, rows: int, rng: torch.Generator) -> torch.Tensor:
        self.draws += 1
        if self.draws in self.at:
            with torch.no_grad():
                self.spoil.fill_(math.nan)
        return super().draw(rows, rng)


def made_parts() -> tuple[Generator, PoisonedRows, History, torch.Generator]:
    rng = torch.Generator().manual_seed(0)
    codes = torch.randint(1, 4, (500, 1), generator=rng).expand(-1, 2)
    rows = PoisonedRows(codes, 50, "cpu", rng)
    return Generator(LAYOUT, torch.full((8,), 0.25), SMALL, rng), rows, History(None, None), rng


def restores(history: History) -> list[float]:
    return [record["rate_share"] for record in history.records if "restored" in record]


def test_the_warm_up_goes_back_to_its_last_healthy_state_at_half_the_rate():
    generator, rows, history, rng = made_parts()
    rows.spoil, rows.at = generator.bias, (25, 45)
    network = WarmUp(generator, rows, CONFIG, history, rng).run()
    assert restores(history) == [0.5, 0.25]
    assert all(weight.isfinite().all() for weight in network.parameters())
    assert all(math.isfinite(record.get("held_out", 0)) for record in history.records)


def test_the_game_goes_back_to_its_last_healthy_state_too():
    generator, rows, history, rng = made_parts()
    pooling = Pooling(LAYOUT, torch.full((8,), 0.25), 32)
    critic = Critic(LAYOUT, SMALL, rng)
    target = cooccurrence(rows.train, pooling)
    game = Game(
        generator, critic, rows, LAYOUT, torch.zeros(2, 2), Exclusions({}, "cpu"), pooling, target, CONFIG, history, rng
    )
    rows.spoil, rows.at = critic.values.own, (21,)  # a draw of the critic: 2 of its head start, then 2 in every 3
    network = game.run()
    assert restores(history) == [0.5]
    assert all(weight.isfinite().all() for weight in [*network.parameters(), *critic.parameters()])


def test_training_that_never_gets_well_is_given_up_in_one_line():
    generator, rows, history, rng = made_parts()
    rows.spoil, rows.at = generator.bias, tuple(range(10_000))
    with pytest.raises(DivergenceError, match="not finite") as caught:
        WarmUp(generator, rows, TrainConfig(warmup_steps=500, evaluate_every=10), history, rng).run()
    assert len(restores(history)) == MOST_RESTORES
    assert "\n" not in str(caught.value)
