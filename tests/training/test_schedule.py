import pytest
import torch

from tabgan.config import TrainConfig
from tabgan.encoding.base import Code
from tabgan.training.schedule import SHORTEST_GAME, affordable_on, schedule, step_seconds


def layout(codes: int, values: int) -> list[Code]:
    return [Code(str(i), values, ordered=False) for i in range(codes)]


def test_a_small_table_gets_small_batches_and_few_steps():
    small, large = (schedule(TrainConfig(), rows, layout(15, 28)) for rows in (300, 30_000))
    assert small.batch_rows == 32
    assert large.batch_rows == TrainConfig().batch_rows
    assert small.warmup_steps < large.warmup_steps
    assert small.game_steps < large.game_steps


def test_a_small_table_gets_as_many_steps_as_it_has_rows_within_bounds():
    steps = [schedule(TrainConfig(), rows, layout(15, 28)).warmup_steps for rows in (300, 700, 1_000, 1_800, 5_000)]
    assert steps == [700, 976, 1_000, 1_800, 1_800]  # 700 rows: 60 epochs of batches of 43


def test_a_small_table_is_learned_at_a_low_rate():
    rates = [schedule(TrainConfig(), rows, layout(15, 28)).learning_rate for rows in (100, 7_500, 30_000, 1_000_000)]
    assert rates == pytest.approx([0.2 * 1.5e-3, 0.5 * 1.5e-3, 1.5e-3, 1.5e-3])


def test_a_wide_table_gets_more_and_smaller_steps_at_a_higher_rate():
    narrow, wide = (schedule(TrainConfig(), 30_000, layout(codes, 35)) for codes in (15, 270))
    assert wide.batch_rows == pytest.approx(150, abs=25)
    assert wide.warmup_steps > 1.3 * TrainConfig().warmup_budget / step_seconds(512, layout(270, 35))
    assert narrow.learning_rate == TrainConfig().learning_rate
    haste = wide.learning_rate / narrow.learning_rate
    assert haste == pytest.approx(TrainConfig().warmup_steps / wide.warmup_steps, rel=0.01)
    assert schedule(TrainConfig(), 30_000, layout(5_000, 35)).learning_rate == 8 * TrainConfig().learning_rate
    small = schedule(TrainConfig(), 2_000, layout(40, 35))  # has few rows, not too little time
    assert small.learning_rate < narrow.learning_rate


def test_no_table_costs_more_than_the_budgets():
    for rows in (1_000, 30_000, 10_000_000):
        for codes, values in ((5, 10), (15, 28), (60, 51), (300, 51), (8, 1_200)):
            config = schedule(TrainConfig(), rows, layout(codes, values))
            seconds = config.warmup_steps * step_seconds(config.batch_rows, layout(codes, values))
            assert seconds <= TrainConfig().warmup_budget
            assert config.game_steps == 0 or config.game_steps >= SHORTEST_GAME


def test_a_cpu_without_bfloat16_makes_less_of_everything_and_others_all(monkeypatch):
    config = TrainConfig()
    for precision, *expected in ((torch.bfloat16, 60, 110, 300, 45), (torch.float32, 42, 77, 90, 31.5)):
        monkeypatch.setattr("tabgan.training.schedule.fastest_precision", lambda device, found=precision: found)
        made = affordable_on("cpu", config)
        found = [made.warmup_epochs, made.warmup_budget, made.folds_budget, made.game_budget]
        assert found == pytest.approx(expected)
    assert affordable_on("cuda", config) == config


def test_settings_are_upper_bounds():
    config = schedule(TrainConfig(warmup_steps=7, game_steps=3, batch_rows=16), 30_000, layout(15, 28))
    assert (config.warmup_steps, config.game_steps, config.batch_rows) == (7, 3, 16)
    assert config.evaluate_every >= 1
    assert config.game_evaluate_every >= 1


@pytest.mark.parametrize(
    ("codes", "values", "batch", "measured"),
    [
        (15, 28, 512, 0.0165),
        (15, 28, 187, 0.0107),
        (60, 51, 187, 0.0343),
        (300, 51, 187, 0.133),
        (100, 51, 512, 0.0941),
        (100, 10, 512, 0.0552),
        (8, 1_200, 512, 0.104),
    ],
)
def test_the_estimate_is_near_what_was_measured(codes, values, batch, measured):
    assert step_seconds(batch, layout(codes, values)) == pytest.approx(measured, rel=0.2)
