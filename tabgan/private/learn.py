"""A table -> rows that anybody may learn, within a budget of differential privacy.

First the number of rows, then the columns one by one, then all pairs of codes, each through noise. A network learns the
rows of a tree of the strongest ties and goes on from there by DP-SGD on the real rows. What it draws is raked to the
counts. These rows are handed on in the place of the real ones: to learn from them costs no privacy (Dwork and Roth
2014, proposition 2.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.errors import ConfigError
from tabgan.learn import Learned
from tabgan.model.generator import Generator
from tabgan.private.budget import Budget, Spending, plan_looks, plan_steps
from tabgan.private.descent import STEPS, Descent, batch_share
from tabgan.private.looks import Looks, secret_rng, secret_torch_rng
from tabgan.private.marginals import FileLayout, Marginals, look
from tabgan.private.pairs import Pairs
from tabgan.private.raking import raked
from tabgan.progress import Progress
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.sampler import Sampler
from tabgan.tables import Source
from tabgan.training.batches import Rows
from tabgan.training.history import History
from tabgan.training.schedule import schedule
from tabgan.training.warmup import WarmUp

MODEL = ModelConfig(width=128, blocks=2)
"""Of the network that learns by DP-SGD: more weights have more noise."""
TREE = TrainConfig(warmup_budget=40.0, weight_decay=0.03)
"""How it learns the tree's rows."""
TREE_HELD_OUT = 2_000
TREE_SHARE, DESCENT_SHARE = 0.1, 0.4
"""The shares of a time limit that the tree, and the tree and the descent, may take."""
LEAST_ROWS, MOST_ROWS = 20_000, 100_000
"""Rows that are handed on: about as many as there are, within these."""
DRAWN = 4
"""So many times as many are drawn to be raked."""
MOST_DRAWN = 100_000_000
"""Numbers that the drawn rows take as pooled one-hot rows, at most."""
LEAST_SIGNAL = 3_000
"""Below so many rows times epsilon the noise is larger than what is to be learned."""


@dataclass(frozen=True)
class Private:
    """What comes out."""

    learned: Learned
    """Its codes are rows that were drawn."""
    rows: int
    """About how many real rows there are."""
    spending: Spending


def check_rows(rows: int, budget: Budget) -> None:
    """Raise `ConfigError` where about so many rows are too few for the budget."""
    if rows * budget.epsilon < LEAST_SIGNAL:
        raise ConfigError(
            f"of about {rows:,} rows nothing is left under the noise of epsilon {budget.epsilon:g}; give "
            f"{math.ceil(LEAST_SIGNAL / budget.epsilon):,} rows or more, or ask for epsilon "
            f"{math.ceil(10 * LEAST_SIGNAL / rows) / 10:g} or more."
        )
    if budget.delta * rows > 1:
        raise ConfigError(
            f"with about {rows:,} rows delta {budget.delta:g} lets one of them come out whole; ask for less than "
            f"{1 / rows:.0e}."
        )


@dataclass(frozen=True)
class Trained:
    """What is known when the budget is spent."""

    marginals: Marginals
    pairs: Pairs
    network: Generator
    spending: Spending


def learn_privately(source: Source, schema: Any, budget: Budget, history: History, device: str) -> Private:
    """Learn `source`, which must fit in memory; `schema`: what is known of it to all, as in `Synthesizer.fit`.

    Nothing here follows from a seed: noise that can be made again hides nothing. Raises `DataError` or `SchemaError`
    for tables that cannot be learned, and `ConfigError` for a budget that cannot be met, before training."""
    table = source.whole()
    layout = FileLayout.of(table, schema)
    spending = plan_looks(budget, *layout.looks)
    looks = Looks(spending, secret_rng())
    rows = looks.rows(table.num_rows)
    check_rows(rows, budget)
    marginals = look(table, layout, looks, rows)
    encoder, count = marginals.encoder, _handed_on(rows)
    made = np.zeros((count, 0), dtype=np.int64)
    if encoder.codes:  # and not nothing but keys
        trained = train(marginals, rows, spending, history, device)
        made, spending = _drawn(trained, count, device).numpy(), trained.spending
    return Private(Learned(marginals.schema, encoder, made, {}), rows, spending)


def train(marginals: Marginals, rows: int, spending: Spending, history: History, device: str) -> Trained:
    """Spend what the looks have left on about so many `rows`."""
    layout, codes = marginals.encoder.codes, torch.from_numpy(marginals.codes)
    frequencies = torch.from_numpy(marginals.frequencies).float()
    counting = secret_torch_rng("cpu")
    pairs = Pairs(codes, layout, frequencies, rows, spending.pair_noise, counting)
    count = _handed_on(rows)
    made = Rows.split(pairs.tree_rows(count + TREE_HELD_OUT, counting), TREE_HELD_OUT, device, counting)
    rng = secret_torch_rng(device)
    network = _tree_learned(made, layout, frequencies, count, rng, history)
    spending = plan_steps(spending, STEPS, batch_share(rows))

    def told(step: int) -> bool:
        if history.due() or step == STEPS:
            history.report("private descent", step, STEPS)
        return history.spent < DESCENT_SHARE

    return Trained(marginals, pairs, Descent(network, codes.to(device), spending, rows, rng).run(told), spending)


def _drawn(trained: Trained, count: int, device: str) -> Tensor:
    """`(count, codes)` rows of the network, raked to the counts of pairs."""
    layout, pairs = trained.marginals.encoder.codes, trained.pairs
    drawn = min(DRAWN * count, max(count, MOST_DRAWN // pairs.pooling.layout.total))
    alike = torch.zeros(len(layout), len(layout))
    sampler = Sampler(trained.network, alike, Exclusions({}, device), noisy=False)
    rows = torch.cat(list(sampler.blocks(drawn, len(layout), 0)))  # a round a code
    return raked(rows, count, pairs, trained.spending.look_noise)


def _handed_on(rows: int) -> int:
    """How many rows are handed on for about so many real ones."""
    return min(max(rows, LEAST_ROWS), MOST_ROWS)


def _tree_learned(
    made: Rows, codes: Sequence[Code], frequencies: Tensor, rows: int, rng: torch.Generator, history: History
) -> Generator:
    """The network after the rows of the tree."""

    def told(progress: Progress) -> None:
        history.report("private tree", progress.step, progress.steps)

    network = Generator(codes, frequencies, MODEL, keyed("private")).to(made.device)
    config = schedule(TREE, rows, codes)
    found = WarmUp(network, made, config, History(told, history.left(TREE_SHARE)), rng).run()
    return found.requires_grad_(True)
