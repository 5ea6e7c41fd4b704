import math

import pandas as pd
import pytest
import torch

from tabgan import Synthesizer
from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.errors import DivergenceError
from tabgan.model.cooccurrence import Pooling, cooccurrence
from tabgan.model.critic import Critic
from tabgan.model.generator import Generator
from tabgan.sampling.exclusions import Exclusions
from tabgan.training.batches import Rows
from tabgan.training.game import CRITIC_HASTE, Game
from tabgan.training.history import History
from tabgan.training.recovery import MOST_RESTORES, Recovery
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
    rows = PoisonedRows.split(codes, 50, "cpu", rng)
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
    rates = [one.param_groups[0]["lr"] for one in [*game._generator_optimizers, *game._critic_optimizers]]
    muon, adam = CONFIG.trunk_learning_rate, CONFIG.game_learning_rate
    assert rates == [muon / 2, adam / 2, muon / 2, CRITIC_HASTE * adam / 2]
    assert all(weight.isfinite().all() for weight in [*network.parameters(), *critic.parameters()])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_met_although_the_weights_are(value: float):
    generator, rows, history, rng = made_parts()
    steps = []

    def spoil(_module: object, _inputs: object, logits: torch.Tensor) -> torch.Tensor:
        steps.append(torch.is_grad_enabled())
        if steps.count(True) != 20 or not steps[-1]:
            return logits
        # The loss alone: the gradient of what is not taken is zero.
        return torch.where(torch.zeros_like(logits, dtype=torch.bool), logits, value)

    generator.register_forward_hook(spoil)
    network = WarmUp(generator, rows, CONFIG, history, rng).run()
    assert restores(history) == [0.5]
    assert all(weight.isfinite().all() for weight in network.parameters())
    assert all(math.isfinite(record.get("loss", 0)) for record in history.records)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("stage", ["warm-up", "game"])
def test_a_gradient_that_is_not_finite_is_met(stage: str, value: float):
    generator, rows, history, rng = made_parts()
    calls = []

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return torch.full_like(gradient, value) if len(calls) == 13 else gradient

    if stage == "warm-up":
        generator.unknown.register_hook(spoil)
        network = WarmUp(generator, rows, CONFIG, history, rng).run()
    else:
        pooling, critic = Pooling(LAYOUT, torch.full((8,), 0.25), 32), Critic(LAYOUT, SMALL, rng)
        critic.values.own.register_hook(spoil)
        target, free = cooccurrence(rows.train, pooling), Exclusions({}, "cpu")
        network = Game(
            generator, critic, rows, LAYOUT, torch.zeros(2, 2), free, pooling, target, CONFIG, history, rng
        ).run()
    assert restores(history) == [0.5]
    assert all(weight.isfinite().all() for weight in network.parameters())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_is_met_although_the_losses_are(value: float):
    network, history = torch.nn.Linear(2, 1), History(None, None)
    before = network.weight.clone()
    recovery = Recovery("game", [network], history)
    assert recovery.check(1, 0.5)
    with torch.no_grad():
        network.weight[0, 1] = value
    assert not recovery.check(2, 0.5)
    assert restores(history) == [0.5]
    assert network.weight.equal(before)


def test_data_that_is_not_finite_trains_finite_weights():
    numbers = [math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 5e-324, 0.0, 1.5] * 40
    frame = pd.DataFrame(
        {"a": numbers, "b": [f"l{i % 3}" for i in range(320)], "c": [i * 7919 % 1000 for i in range(320)]}
    )
    fitted = Synthesizer(device="cpu", model=SMALL, train=CONFIG).fit(frame)
    assert not any("restored" in record for record in fitted.history_)
    assert all(math.isfinite(value) for record in fitted.history_ for value in record.values() if type(value) is float)
    assert set(fitted.sample(500)["a"].dropna()) <= set(numbers)


def test_training_that_never_gets_well_is_given_up_in_one_line():
    generator, rows, history, rng = made_parts()
    rows.spoil, rows.at = generator.bias, tuple(range(10_000))
    with pytest.raises(DivergenceError, match="not finite") as caught:
        WarmUp(generator, rows, TrainConfig(warmup_steps=500, evaluate_every=10), history, rng).run()
    assert len(restores(history)) == MOST_RESTORES
    assert "\n" not in str(caught.value)
