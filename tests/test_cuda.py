"""On a GPU the main job gives what it gives on a CPU: models cross over, and its rows are as good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan.training.checkpoint
from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.c2st import c2st_auc
from tabgan.progress import Progress
from tabgan.sampling.rng import generator
from tabgan.training.replay import Replay, Step, gradients

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

SMALL = ModelConfig(width=64, blocks=2, noise=16, critic_width=64, critic_embedding=8)
TRAIN = TrainConfig(
    warmup_steps=600, evaluate_every=100, game_steps=60, game_evaluate_every=30, critic_head_start=60, rounds=3
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Numbers, labels and missing cells that depend on each other."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, 6, 4_000)
    price = np.round(np.exp(rng.normal(size=4_000) / 2 + place / 3), 2)
    price[rng.random(4_000) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "place": np.array(["ash", "birch", "cedar", "elm", "fir", "oak"])[place],
            "price": price,
            "count": rng.poisson(place + 1),
            "day": np.datetime64("2024-01-01") + (place * 20 + rng.integers(0, 30, 4_000)).astype("timedelta64[D]"),
        }
    )


@pytest.fixture(scope="module")
def on_cpu(frame: pd.DataFrame) -> Synthesizer:
    return Synthesizer(device="cpu", model=SMALL, train=TRAIN, seed=1).fit(frame)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Synthesizer:
    return Synthesizer(device="cuda", model=SMALL, train=TRAIN, seed=1).fit(frame)


def told_apart(real: pd.DataFrame, made: pd.DataFrame) -> float:
    """The AUC of trees that tell them apart."""
    both = pd.concat([real, made], ignore_index=True)
    both["place"] = both["place"].astype("category").cat.codes
    both["day"] = both["day"].astype("int64")
    rows = both.to_numpy(float)
    return c2st_auc(rows[: len(real)], rows[len(real) :], [True, False, False, False], 3, 0)


@pytest.mark.parametrize("rounds", [2, 3, 4])
def test_a_fit_on_cuda_learns_what_one_on_the_cpu_learns(
    frame: pd.DataFrame, rounds: int, fitted: Synthesizer, on_cpu: Synthesizer
) -> None:
    auc = told_apart(frame, fitted.sample(4_000, rounds=rounds, seed=3))
    assert auc < told_apart(frame, on_cpu.sample(4_000, rounds=rounds, seed=3)) + 0.03


def test_models_cross_over(tmp_path: Path, frame: pd.DataFrame, fitted: Synthesizer) -> None:
    fitted.save(tmp_path / "model.tabgan")
    there = load(tmp_path / "model.tabgan", device="cuda")
    here = load(tmp_path / "model.tabgan", device="cpu")
    pd.testing.assert_frame_equal(there.sample(3_000, seed=5), fitted.sample(3_000, seed=5))
    # Rounding and nothing else tells rows of one from those of the other: cells are drawn by the same numbers.
    one, other = there.sample(3_000, seed=5), here.sample(3_000, seed=5)
    assert (one["place"] == other["place"]).mean() > 0.9
    assert told_apart(one, other) < 0.53
    np.testing.assert_allclose(there.score_samples(frame[:200]), here.score_samples(frame[:200]), atol=0.2)
    again = Synthesizer.load(tmp_path / "model.tabgan", device="cpu")
    again.save(tmp_path / "again.tabgan")
    assert (tmp_path / "again.tabgan").read_bytes() == (tmp_path / "model.tabgan").read_bytes()


def test_conditions_imputation_and_probabilities(frame: pd.DataFrame, fitted: Synthesizer) -> None:
    asked = fitted.sample(500, where={"place": "oak", "count": (3, None)}, seed=0)
    assert (asked["place"] == "oak").all()
    assert (asked["count"] >= 3).all()
    filled = fitted.impute(frame[:500], seed=0)
    assert filled["price"].notna().all()
    assert fitted.predict_proba(frame[:50], "place").sum(axis=1).to_numpy() == pytest.approx(1)


def test_a_fit_that_was_interrupted_goes_on(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabgan.training.checkpoint, "EVERY_SECONDS", 0.5)
    kept = tmp_path / "fit.checkpoint"

    def stop(progress: Progress) -> None:
        if progress.stage == "game" and progress.step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Synthesizer(device="cuda", model=SMALL, train=TRAIN, seed=1).fit(frame, checkpoint=kept, progress=stop)
    assert kept.exists()
    fitted = Synthesizer(device="cuda", model=SMALL, train=TRAIN, seed=1).fit(frame, checkpoint=kept, resume=True)
    assert told_apart(frame, fitted.sample(4_000, seed=3)) < 0.6


def test_a_step_that_is_played_again_takes_weights_as_they_are_and_new_random_numbers() -> None:
    rng = generator("replay", device="cuda")
    weight = torch.zeros(1_000, device="cuda", requires_grad=True)
    replay = Replay(rng, alone=True)

    def work() -> Step:
        noise = torch.rand(1_000, generator=rng, device="cuda")
        loss = (weight * noise).sum()
        return gradients(loss, [weight], {"loss": loss})

    seen = []
    for _ in range(6):
        step = replay("step", work)
        (slope,) = step.gradients
        assert slope is not None
        assert slope.mean().item() == pytest.approx(0.5, abs=0.05)
        assert step.figures["loss"].item() == pytest.approx((weight * slope).sum().item(), rel=1e-4)
        seen.append(slope.clone())
        with torch.no_grad():
            weight += 1
    assert len(torch.stack(seen).unique(dim=0)) == 6


def test_rows_are_chosen_there_by_the_same_ratio() -> None:
    """A model whose rows are chosen among candidates, fitted on a CPU: its ratio says the same of the same rows."""
    path = Path(__file__).parent / "fixtures" / "format2.tabgan"
    here, there = (load(path, device=device) for device in ("cpu", "cuda"))
    rows = torch.cat(list(here._fitted().drawing(here.rounds_).blocks(2_000, here.rounds_, 0)))
    ratios = [model._fitted().ratio for model in (here, there)]
    assert ratios[0] is not None
    assert ratios[1] is not None
    torch.testing.assert_close(ratios[1](rows.cuda()).cpu(), ratios[0](rows))
    assert len(there.sample(1_500, where={"size": "L"})) == 1_500
