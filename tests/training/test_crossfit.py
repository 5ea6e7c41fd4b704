"""What networks of parts of a small table teach one is better than what that one would learn from the rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tabgan import Synthesizer
from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.model.generator import Generator
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.crossfit import cross_fitted, taught_losses
from tabgan.training.history import History
from tabgan.training.parallel import ALONE
from tabgan.training.schedule import folds_of, schedule

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "reviews.csv"
LAYOUT = [Code(name, 9, True) for name in "abcd"] + [Code("e", 5, False)]
MODEL = ModelConfig(width=64, blocks=2)


def tied(rows: int, seed: int) -> torch.Tensor:
    """`(rows, 5)` codes: b bends with a, c is near both, d is noise, e says in which quarter a is."""
    rng = torch.Generator().manual_seed(seed)
    a = torch.rand(rows, generator=rng)
    b = (2 * a - 1) ** 2 + 0.1 * torch.randn(rows, generator=rng)
    c = (a + b) / 2 + 0.1 * torch.randn(rows, generator=rng)
    numbers = torch.stack([a, b, c, torch.rand(rows, generator=rng)], dim=1)
    return torch.cat([(numbers.clamp(0, 0.999) * 8).long() + 1, (a * 4).long()[:, None] + 1], dim=1)


def parts(rows: int) -> tuple[Rows, torch.Tensor]:
    codes = tied(rows, seed=1)
    counts = [torch.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(LAYOUT)]
    return Rows.split(codes, rows // 10, "cpu", torch.Generator().manual_seed(2)), torch.cat(counts) / rows


def network(frequencies: torch.Tensor, rows: Rows, seed: int) -> Generator:
    made = Generator(LAYOUT, frequencies, MODEL, torch.Generator().manual_seed(seed))
    made.copula.fit(rows.train)
    return made


def test_every_row_is_held_out_once():
    rows, _ = parts(203)
    folds = rows.folds(5)
    assert [len(fold.held_out) for fold in folds] == [41, 41, 41, 40, 40]
    assert [len(fold.train) for fold in folds] == [162, 162, 162, 163, 163]
    whole = torch.cat([fold.held_out for fold in folds])
    every = torch.cat([rows.held_out, rows.train])
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, every.tolist()))
    for fold in folds:
        together = torch.cat([fold.train.long(), fold.held_out])
        assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, every.tolist()))


def test_rows_of_others_are_likelier_to_a_network_that_was_taught():
    table = pd.read_csv(SAMPLE)[["category", "price", "rating", "preference_cluster", "verified", "region"]]
    table = table.sample(frac=1, random_state=0)
    others = table[1_000:5_000]
    others = others[others.price.between(*table.price[:200].agg(["min", "max"]))]
    model, found = ModelConfig(width=192, blocks=1), []
    for folds in (1, 5):
        train = TrainConfig(warmup_steps=400, game_steps=0, rounds=6, folds=folds)
        fitted = Synthesizer(device="cpu", model=model, train=train).fit(table[:200])
        found.append(fitted.score_samples(others).mean())
    alone, taught = found
    assert taught > alone + 0.03


def test_the_teachers_come_before_the_one_they_teach():
    rows, frequencies = parts(200)
    config = schedule(TrainConfig(warmup_steps=40, evaluate_every=20, batch_rows=32), 180, LAYOUT)
    history, told = History(None, None), []
    history.report = lambda stage, *_: told.append(stage)  # type: ignore[method-assign]
    student, teachers = network(frequencies, rows, 3), [network(frequencies, rows, 10 + i) for i in range(5)]
    first = student.state_dict()["heads.own"].clone()
    taught = cross_fitted(student, teachers, rows.folds(5), config, 1.5e-3, history, Checkpoint(), 0, ALONE, 1.0)
    assert list(dict.fromkeys(told)) == [*(f"teacher {i}" for i in range(1, 6)), "warm-up"]
    assert not torch.equal(taught.state_dict()["heads.own"], first)


def test_a_student_of_one_fold_learns_from_the_teacher_that_lacks_it():
    # The teachers say different things, whatever the rows say: each row must be told what its own teacher says.
    rows, frequencies = parts(200)
    folds = rows.folds(2)
    codes = torch.cat([fold.held_out for fold in folds])
    whole = Rows(codes.to(torch.int16), codes, "cpu")
    one, other = network(frequencies, whole, 1), network(frequencies, whole, 2)
    known = torch.zeros(1, 5, dtype=torch.bool)
    with torch.no_grad():
        other.bias += torch.randn(len(other.bias), generator=torch.Generator().manual_seed(0))
    same, different = (taught_losses(one, each, folds[0].held_out, known) for each in (one, other))
    heads = one(folds[0].held_out, known).detach().split(one.layout.cardinalities, dim=1)
    entropies = [torch.distributions.Categorical(logits=head).entropy() for head in heads]
    torch.testing.assert_close(
        same.detach(), torch.stack(entropies).mean(dim=0)
    )  # the cross-entropy of what agrees is the entropy
    assert (different > same).all()


@pytest.mark.parametrize(
    ("rows", "codes", "seconds_left", "folds"),
    [
        (49, 10, None, 1),
        (50, 10, None, 5),
        (2_000, 10, None, 5),
        (2_001, 10, None, 1),
        (1_000, 200, None, 1),
        (500, 10, 5.0, 1),
        (500, 10, 500.0, 5),
    ],
)
def test_small_tables_are_learned_in_parts_if_there_is_time(
    rows: int, codes: int, seconds_left: float | None, folds: int
):
    layout = [Code(str(i), 30, True) for i in range(codes)]
    assert folds_of(TrainConfig(), rows, layout, seconds_left) == folds
    assert folds_of(TrainConfig(folds=1), rows, layout, seconds_left) == 1
    assert folds_of(TrainConfig(warmup_steps=0), rows, layout, seconds_left) == 1
