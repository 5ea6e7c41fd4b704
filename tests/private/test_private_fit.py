"""A whole fit under epsilon: what it gives, what it refuses, and what an attack on one step learns."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import beta

from tabgan import Synthesizer, TrainConfig, evaluate, load
from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.errors import ConfigError
from tabgan.model.generator import Generator
from tabgan.private import descent, learn
from tabgan.private.budget import Budget, Spending, composed
from tabgan.private.descent import Descent
from tabgan.private.gradients import add_clipped
from tabgan.sampling.rng import generator as keyed

ROWS = 6_000
QUICK = TrainConfig(warmup_steps=200, game_steps=0, rounds=4)


def _table(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    group = rng.choice(["tea", "coffee", "cocoa"], rows, p=[0.5, 0.3, 0.2])
    price = rng.normal(np.select([group == "tea", group == "coffee"], [4.0, 8.0], 12.0), 1.0).round(2)
    bought = rng.random(rows) < np.select([group == "tea", group == "coffee"], [0.1, 0.5], 0.9)
    found = pd.DataFrame({"id": np.arange(rows), "group": group, "price": price, "bought": bought})
    found.loc[0, ["group", "price"]] = ["moon dust", 4_321.55]  # one row alone
    return found


@pytest.fixture(scope="module")
def fitted() -> Synthesizer:
    patch = pytest.MonkeyPatch()
    patch.setattr(learn, "STEPS", 60)
    patch.setattr(learn, "secret_rng", lambda: np.random.default_rng(1))  # the tests are the same every time
    patch.setattr(learn, "secret_torch_rng", lambda device: torch.Generator(device).manual_seed(1))
    patch.setattr(learn, "TREE", TrainConfig(warmup_steps=300, warmup_budget=10.0))
    found = Synthesizer(epsilon=10.0, train=QUICK).fit(_table(), schema={"columns": {"id": "key"}})
    patch.undo()
    return found


def test_ties_and_margins_survive_the_noise(fitted):
    rows = fitted.sample(4_000)
    assert rows["group"].value_counts(normalize=True).to_dict() == pytest.approx(
        {"tea": 0.5, "coffee": 0.3, "cocoa": 0.2}, abs=0.03
    )
    prices, bought = rows.groupby("group").price.mean(), rows.groupby("group").bought.mean()
    assert prices.to_dict() == pytest.approx({"tea": 4.0, "coffee": 8.0, "cocoa": 12.0}, abs=0.6)
    assert bought.to_dict() == pytest.approx({"tea": 0.1, "coffee": 0.5, "cocoa": 0.9}, abs=0.1)
    assert rows.id.is_unique


def test_the_value_and_the_label_of_one_row_are_neither_in_rows_nor_in_the_file(fitted, tmp_path):
    rows = fitted.sample(4_000)
    assert set(rows["group"]) == {"tea", "coffee", "cocoa"}
    assert rows.price.max() < 100
    fitted.save(tmp_path / "m.tabgan")
    with zipfile.ZipFile(tmp_path / "m.tabgan") as archive:
        parts = b"".join(archive.read(name) for name in archive.namelist() if name.endswith((".json", ".jsonl")))
    assert b"moon" not in parts
    assert b"4321.55" not in parts
    assert f'"rows": {ROWS},'.encode() not in parts or fitted.rows_ == ROWS  # noise may be zero, too


def test_the_promise_is_kept_in_the_file_and_told(fitted, tmp_path):
    fitted.save(tmp_path / "m.tabgan")
    again = load(tmp_path / "m.tabgan")
    assert again.spending_ == fitted.spending_
    told = again.describe()
    assert told["differential privacy"]["epsilon"] == 10.0
    assert told["differential privacy"]["asked"]["steps"] == 60
    assert "epsilon is k times as large" in told["not promised"]["privacy"]
    assert fitted.spending_.epsilon <= 10.0
    json.dumps(told)


def test_a_fit_without_epsilon_promises_nothing():
    found = Synthesizer(train=replace(QUICK, folds=1)).fit(_table(300))
    assert found.describe()["differential privacy"] == "none"


def test_too_few_rows_are_refused_with_a_figure_before_training():
    with pytest.raises(ConfigError, match=r"epsilon 1; give 3,000 rows or more, or ask for epsilon \d+"):
        Synthesizer(epsilon=1.0).fit(_table(400))


def test_a_delta_that_gives_a_row_away_is_refused():
    with pytest.raises(ConfigError, match="lets one of them come out whole"):
        Synthesizer(epsilon=10.0, delta=1e-3).fit(_table())


def test_a_private_fit_keeps_no_checkpoint(tmp_path):
    with pytest.raises(ConfigError, match="cannot be interrupted and go on"):
        Synthesizer(epsilon=3.0).fit(_table(), checkpoint=tmp_path / "m.part")


# One step, attacked by somebody who knows all rows but whether one more, the canary, is there.

CODES = [Code("a", 4, False), Code("b", 4, False)]
USUAL, CANARY = torch.ones(20, 2, dtype=torch.long), torch.full((1, 2), 3)
STEP_NOISE, TRIALS = 2.0, 400


def _lower_bound() -> float:
    """An epsilon that the step has at least, with 95% confidence, judged by the gradient along the canary's own."""
    network = Generator(CODES, torch.ones(8), ModelConfig(width=256, blocks=1), keyed("network"))
    plan = Spending(Budget(8.0), 0.1, 0, 1.0, 0, 0.0, 1e9, steps=1, batch_share=1.0, step_noise=STEP_NOISE)
    rng = torch.Generator().manual_seed(1)

    def gradients(codes: torch.Tensor, noise: float, times: int = 1) -> Iterator[torch.Tensor]:
        run = Descent(network, codes, replace(plan, step_noise=noise), 1, rng)
        for _ in range(times):
            run.look()
            yield torch.cat([weight.grad.flatten() for weight in run.weights])

    both = torch.cat([USUAL, CANARY])
    without, along = (next(gradients(codes, 0.0)) for codes in (USUAL, both))
    along -= without
    along /= along.norm()
    absent, present = (
        np.array([float((each - without) @ along) for each in gradients(codes, STEP_NOISE, TRIALS)])
        for codes in (USUAL, both)
    )
    middle = np.median(np.concatenate([absent, present]))
    wrong, right = int((absent > middle).sum()), int((present > middle).sum())
    most_wrong = beta.ppf(0.975, wrong + 1, TRIALS - wrong)  # Clopper and Pearson 1934
    least_right = beta.ppf(0.025, right, TRIALS - right + 1)
    return float(np.log(least_right / most_wrong))


@pytest.fixture
def all_hidden(monkeypatch):
    monkeypatch.setattr(descent, "HIDDEN_SHARE", 1.0)  # the attacked gradient is then always the same one


@pytest.mark.usefixtures("all_hidden")
def test_an_attack_on_a_step_learns_something_and_no_more_than_was_promised():
    assert 0.05 < _lower_bound() < composed([(STEP_NOISE, 1.0, 1)], 1e-5)


@pytest.mark.usefixtures("all_hidden")
def test_the_attack_learns_more_where_clipping_is_broken(monkeypatch):
    monkeypatch.setattr(descent, "add_clipped", lambda *batch: add_clipped(*batch[:-1], 1e9))
    assert _lower_bound() > composed([(STEP_NOISE, 1.0, 1)], 1e-5)


def test_a_report_with_the_model_says_that_it_makes_no_promise(fitted):
    real = _table(600)
    with pytest.warns(UserWarning, match="its figures are worked out from the real table without noise"):
        report = evaluate(real, fitted.sample(600), holdout=_table(700).tail(100), model=fitted)
    assert 0.3 < report.scores["likelihood_auc"] < 0.7
