import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare

import tabgan.training.game
from tabgan import Synthesizer
from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.model.cooccurrence import Pooling, cooccurrence
from tabgan.model.critic import Critic
from tabgan.model.generator import Generator
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.game import Game, straight_through
from tabgan.training.history import History
from tabgan.training.muon import Muon
from tabgan.training.warmup import WarmUp


def test_straight_through_draws_are_one_hot_and_follow_the_softmax():
    logits = torch.tensor([0.2, 0.3, 0.5]).log().expand(20_000, 3)
    made = straight_through(logits, 0.7, torch.Generator().manual_seed(0))
    assert set(made.unique().tolist()) == {0.0, 1.0}
    assert (made.sum(dim=1) == 1).all()
    assert chisquare(made.sum(dim=0).numpy(), [4_000, 6_000, 10_000]).pvalue > 0.001


def test_the_gradient_is_that_of_the_soft_draw():
    logits = torch.tensor([[0.3, -0.2, 1.0]], requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0])
    (straight_through(logits, 0.7, torch.Generator().manual_seed(0)) * weights).sum().backward()
    found = logits.grad
    again = logits.detach().clone().requires_grad_()
    noise = (-torch.rand(1, 3, generator=torch.Generator().manual_seed(0)).log()).log()
    (((again - noise) / 0.7).softmax(dim=1) * weights).sum().backward()
    torch.testing.assert_close(found, again.grad)


def agreement(sampler: Sampler, rounds: int) -> float:
    made = torch.cat(list(sampler.blocks(2_000, rounds, seed=1)))
    return (made[:, 0] == made[:, 1]).float().mean().item()


@pytest.fixture(scope="module")
def twins():
    """Two codes that are always equal, drawn in one round: only the game can tie them."""
    codes = torch.randint(1, 4, (1_000, 1), generator=torch.Generator().manual_seed(0)).expand(-1, 2)
    layout = [Code("a", 4, False), Code("b", 4, False)]
    model = ModelConfig(width=32, blocks=2, noise=8, critic_width=32, critic_embedding=4)
    config = TrainConfig(
        warmup_steps=300,
        game_steps=200,
        game_evaluate_every=100,
        evaluate_every=100,
        game_rounds=1,
        batch_rows=128,
        game_batch_rows=128,
        critic_head_start=50,
        game_learning_rate=1e-3,
        ema_half_life_rows=2_000,
    )
    rng = torch.Generator().manual_seed(0)
    frequencies = torch.cat([torch.bincount(codes[:, i], minlength=4) for i in range(2)]) / len(codes)
    rows, history = Rows.split(codes, 200, "cpu", rng), History(None, None)
    warm = WarmUp(Generator(layout, frequencies, model, rng), rows, config, history, rng).run()
    pooling = Pooling(layout, frequencies, 32)
    free = Exclusions({}, "cpu")
    target = cooccurrence(rows.train, pooling)
    before = {name: value.clone() for name, value in warm.state_dict().items()}
    game = Game(
        warm, Critic(layout, model, rng), rows, layout, torch.zeros(2, 2), free, pooling, target, config, history, rng
    )
    return warm, before, game, game.run(), history


def test_both_players_matrices_between_hidden_layers_are_muons(twins):
    game = twins[2]
    for network, optimizers in (
        (game.generator, game._generator_optimizers),
        (game.critic, game._critic_optimizers),
    ):
        muons, others = ({id(weight) for group in one.param_groups for weight in group["params"]} for one in optimizers)
        assert isinstance(next(iter(optimizers)), Muon)
        assert muons == {id(weight) for weight in network.hidden}
        assert len(muons) == (4 if network is game.generator else 1)
        assert muons | others == {id(weight) for weight in network.parameters()}
        assert not muons & others


def test_the_warm_up_cannot_tie_codes_of_one_round_and_can_in_two(twins):
    warm = twins[0]
    assert agreement(Sampler(warm, torch.zeros(2, 2), Exclusions({}, "cpu"), noisy=False), 1) == pytest.approx(
        1 / 3, abs=0.05
    )
    assert agreement(Sampler(warm, torch.zeros(2, 2), Exclusions({}, "cpu"), noisy=False), 2) > 0.95


def test_the_game_ties_codes_of_one_round(twins):
    joint = twins[3]
    made = torch.cat(
        list(Sampler(joint, torch.zeros(2, 2), Exclusions({}, "cpu"), noisy=True).blocks(2_000, 1, seed=1))
    )
    assert (made[:, 0] == made[:, 1]).float().mean() > 0.85
    shares = torch.bincount(made[:, 0], minlength=4)[1:] / len(made)
    assert (shares - 1 / 3).abs().max() < 0.08


def test_the_game_leaves_the_warm_ups_network_alone(twins):
    warm, before = twins[0], twins[1]
    assert all(torch.equal(value, before[name]) for name, value in warm.state_dict().items())


def test_the_history_holds_the_critics_estimate_and_the_held_out_distance(twins):
    records = [record for record in twins[4].records if record["stage"] == "game"]
    assert records
    assert {"step", "gap", "penalty", "loss", "c2st", "distinct"} <= records[-1].keys()
    assert records[-1]["critic_gradient"] > 0
    assert records[-1]["generator_gradient"] > 0
    assert records[-1]["distinct"] == pytest.approx(9 / 1_000)  # the kinds of rows there can be, among 1,000 rows


@pytest.mark.parametrize(("least", "steps"), [(0.5, [0]), (0.0, [0, 2, 4, 6, 8, 10])], ids=["not played", "not kept"])
def test_where_tied_rounds_are_as_good_as_rows_get_the_game_changes_nothing(least, steps, monkeypatch):
    monkeypatch.setattr(tabgan.training.game, "LEAST_C2ST", least)
    rng = np.random.default_rng(0)
    x = rng.normal(size=1_000)
    frame = pd.DataFrame({"x": x, "y": 0.9 * x + (1 - 0.9**2) ** 0.5 * rng.normal(size=1_000)}).round(3)
    model = ModelConfig(width=32, blocks=1, noise=8, critic_width=32, critic_embedding=4)
    config = TrainConfig(warmup_steps=100, evaluate_every=50, folds=1, game_rounds=1, game_steps=10, rounds=1)
    fitted = Synthesizer(device="cpu", model=model, train=config).fit(frame)
    assert [record["step"] for record in fitted.history_ if record["stage"] == "game"] == steps
    assert not any(name.startswith("joint.") for name in fitted._networks.tensors())
    assert fitted.sample(1_000).corr().loc["x", "y"] > 0.8
