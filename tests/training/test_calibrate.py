"""Offsets give made rows the marginals of the table, and follow nothing that is chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from tabgan import Synthesizer, load
from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.model.generator import Generator
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.sampler import BLOCK_ROWS, Sampler
from tabgan.training.calibrate import calibrate
from tabgan.training.history import History

LAYOUT = [Code("a", 20, ordered=True), Code("b", 6, ordered=False)]
ROWS, ROUNDS = 20_000, 2


def table() -> torch.Tensor:
    rng = keyed("table")
    a = (20 * torch.rand(ROWS, 1, generator=rng) ** 2).long()
    b = (5 * a / 20 + torch.rand(ROWS, 1, generator=rng)).long()
    return torch.cat([a, b], dim=1)


def shares(codes: torch.Tensor) -> torch.Tensor:
    counts = [torch.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(LAYOUT)]
    return torch.cat(counts) / len(codes)


def network_of(codes: torch.Tensor) -> Generator:
    network = Generator(LAYOUT, shares(codes), ModelConfig(width=32, blocks=1), keyed("network"))
    network.start_from(codes)
    return network.requires_grad_(False)


def sampler_of(network: Generator, offsets: torch.Tensor | None = None) -> Sampler:
    return Sampler(network, torch.zeros(2, 2), Exclusions({}, "cpu"), noisy=False, offsets=offsets)


class Given(Sampler):
    """Its blocks are what it is told."""

    def __init__(self, network: Generator, block: Callable[[torch.Generator], torch.Tensor]) -> None:
        self.network, self.block = network, block

    def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[torch.Tensor]:
        rng = keyed("given", seed)
        for _ in range(rows // BLOCK_ROWS):
            yield self.block(rng)


def test_rows_of_a_generator_whose_marginals_are_off_get_those_of_the_table():
    codes = table()
    network = network_of(codes)
    network.bias += 0.3 * torch.randn(len(network.bias), generator=keyed("off"))
    offsets = calibrate(sampler_of(network), ROUNDS, ROWS, 0, History(None, None))

    def gaps(offsets: torch.Tensor | None) -> list[float]:
        """Of each code the total variation distance of its shares in made rows and in the table."""
        made = torch.cat(list(sampler_of(network, offsets).blocks(60_000, ROUNDS, 7)))
        return [float(part.abs().sum() / 2) for part in (shares(made) - shares(codes)).split([20, 6])]

    assert min(gaps(None)) > 0.04
    assert all(now < was / 4 for was, now in zip(gaps(None), gaps(offsets), strict=True))


def test_a_value_gains_the_log_of_what_its_share_lacks():
    # Half of the real rows have 0 and half 1 in both codes; made ones have 0 three times of four.
    codes = (torch.arange(ROWS) % 2)[:, None].expand(-1, 2)
    block = (torch.arange(BLOCK_ROWS) % 4 == 3).long()[:, None].expand(-1, 2)
    history = History(None, None)
    offsets = calibrate(Given(network_of(codes), lambda _: block), ROUNDS, ROWS, 0, history)
    assert offsets is not None
    least = 5 / ROWS
    gained = torch.tensor([math.log((0.5 + least) / (0.75 + least)), math.log((0.5 + least) / (0.25 + least))])
    for start in (0, 20):
        torch.testing.assert_close(offsets[start : start + 2], gained)
        assert (offsets[start + 2 : start + 6] == 0).all()
    assert history.records[0]["error"] == pytest.approx(0.25)


def test_what_is_chance_is_not_followed():
    codes = table()
    sampler = Given(network_of(codes), lambda rng: codes[torch.randint(ROWS, (BLOCK_ROWS,), generator=rng)])
    followed, chance = 0.0, 0.0
    for seed in range(10):
        offsets = calibrate(sampler, ROUNDS, ROWS, seed, History(None, None))
        assert offsets is not None
        made = torch.cat(list(sampler.blocks(4 * ROWS, ROUNDS, seed)))
        followed += float(offsets.square().sum())
        chance += float((shares(codes) / shares(made)).log().nan_to_num(posinf=0, neginf=0).square().sum())
    assert followed < 0.3 * chance


def test_there_are_none_where_the_time_is_spent():
    history = History(None, 100.0)
    history.go_on([], 90.0)
    assert calibrate(sampler_of(network_of(table())), ROUNDS, ROWS, 0, history) is None


def test_a_fit_calibrates_whole_rows_and_its_file_keeps_that(tmp_path: Path) -> None:
    frame = pd.DataFrame(table()[:3_000].numpy(), columns=["a", "b"]).assign(c=lambda each: each.a + each.b)
    train = TrainConfig(warmup_steps=30, evaluate_every=15, folds=1, game_steps=0, rounds=2)
    fitted = Synthesizer(device="cpu", model=ModelConfig(width=32, blocks=1), train=train).fit(frame)
    fitted.save(tmp_path / "m.tabgan")
    calibrated = fitted.sample(2_000)
    assert load(tmp_path / "m.tabgan", device="cpu").sample(2_000).equals(calibrated)
    fitted._networks.offsets = None  # type: ignore[union-attr]
    assert not fitted.sample(2_000).equals(calibrated)
