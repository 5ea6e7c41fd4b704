"""How many steps of what size a table gets: fewer where it is small, and no more than the budgets allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from tabgan.config import TrainConfig
from tabgan.device import fastest_precision
from tabgan.encoding.base import Code

LEAST_WARMUP, SHORTEST_WARMUP = 1_800, 700
"""A small table gets as many steps of the warm-up as it has rows, but no fewer than the second, and no more than the
first for that reason alone; if settings and budgets allow them."""
LEAST_GAME = 150
"""And as many updates of the game as this."""
SHORTEST_GAME = 50
"""A game of fewer steps than this is not worth its critic's head start."""
FULL_RATE_ROWS, LEAST_RATE = 30_000, 0.2
"""Tables of fewer rows than this are learned at a rate lower by the square root of their share of it, but not by more
than to this share of the rate: at a high one the first steps learn a small table by heart."""
FEW_STEPS, LEAST_BATCH = 2_000, 128
"""A table so wide that the budget allows fewer steps than this gets smaller batches, but not below the second."""
MOST_HASTE = 8.0
"""Where the budget allows only a part of the steps that the rows are worth, the rate is as much higher, up to this."""
LOOKS = 24
"""The warm-up looks at the held-out rows at least so often."""
LEAST_FOLD = 10
"""A part of a small table has at least so many rows."""
STUDENT_SHARE = 1.5
"""A network that is taught by others takes so many times as long as one of these."""
SLOW_SHARE, SLOW_FOLDS_SHARE = 0.7, 0.3
"""A CPU that makes its products in float32 alone, and takes two to three times as long for a step as others, has these
shares of epochs and budgets, and of the budget of a small table's networks. Rows of adult are told with 0.01 more C2ST,
and a fit takes three quarters of the time; a table of 2,000 rows takes no ten minutes."""
GAME_FACTOR = 6.0
"""A step of the game, critic and generator together, takes so many times as long as one of the warm-up."""


def schedule(config: TrainConfig, rows: int, layout: Sequence[Code]) -> TrainConfig:
    """`config` for a table of `rows` training rows whose codes are described by `layout`."""
    batch, game_batch = (min(most, max(32, rows // 16)) for most in (config.batch_rows, config.game_batch_rows))
    affordable = config.warmup_budget / step_seconds(batch, layout)
    if affordable < FEW_STEPS:
        batch = min(batch, max(LEAST_BATCH, int(batch * affordable / FEW_STEPS)))
        affordable = config.warmup_budget / step_seconds(batch, layout)
    least = max(SHORTEST_WARMUP, min(LEAST_WARMUP, rows))
    wanted = min(config.warmup_steps, max(least, config.warmup_epochs * rows // batch))
    steps = min(wanted, int(affordable))
    rate = config.learning_rate * max(LEAST_RATE, min(1.0, (rows / FULL_RATE_ROWS) ** 0.5))
    rate *= min(MOST_HASTE, max(1.0, wanted / affordable))
    game_steps = max(LEAST_GAME, config.game_epochs * rows // game_batch)
    affordable = int(config.game_budget / (GAME_FACTOR * step_seconds(game_batch, layout)))
    game_steps = min(config.game_steps, game_steps, affordable if affordable >= SHORTEST_GAME else 0)
    return replace(
        config,
        batch_rows=batch,
        game_batch_rows=game_batch,
        warmup_steps=steps,
        learning_rate=rate,
        evaluate_every=max(1, min(config.evaluate_every, steps // LOOKS)),
        game_steps=game_steps,
        game_evaluate_every=max(1, min(config.game_evaluate_every, game_steps // 4)),
        critic_head_start=min(config.critic_head_start, game_steps),
    )


def affordable_on(device: str, config: TrainConfig) -> TrainConfig:
    """`config` with as many epochs and budgets as `device` is fast enough for."""
    if device != "cpu" or fastest_precision(device) != torch.float32:
        return config
    return replace(
        config,
        warmup_epochs=math.ceil(SLOW_SHARE * config.warmup_epochs),
        warmup_budget=SLOW_SHARE * config.warmup_budget,
        folds_budget=SLOW_FOLDS_SHARE * config.folds_budget,
        game_budget=SLOW_SHARE * config.game_budget,
    )


def folds_of(config: TrainConfig, rows: int, layout: Sequence[Code], seconds_left: float | None) -> int:
    """In how many parts so many rows are learned: 1 where there are too few, or too many for the budget or for what a
    time limit leaves."""
    if not LEAST_FOLD * config.folds <= rows <= config.folds_rows:
        return 1
    one = schedule(config, rows, layout)
    seconds = (config.folds + STUDENT_SHARE) * one.warmup_steps * step_seconds(one.batch_rows, layout)
    most = min(config.folds_budget, math.inf if seconds_left is None else seconds_left)
    return config.folds if 0 < seconds <= most else 1


def step_seconds(batch_rows: int, layout: Sequence[Code]) -> float:
    """What a step of the warm-up takes on one core of a server CPU of 2023 at the default width.

    Fitted to tables of 8 to 300 codes with 10 to 1,200 values each; it is within a fifth of what was measured there.
    """
    count, total = len(layout), sum(code.cardinality for code in layout)
    return (3.5 + batch_rows * (0.0047 + 1.8e-5 * total) + 0.34 * count) / 1000
