"""Offsets of values with which rows of the default number of rounds have the marginals of the table."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.sampling.sampler import BLOCK_ROWS, Sampler
from tabgan.training.history import History
from tabgan.training.made import FAR, made_until

MADE_SHARE, LEAST_BLOCKS, MADE_CELLS = 4, 16, 1_000_000
"""So many times the table's rows are made, or so many blocks of rows if these are more, but not more cells ..."""
FEWEST_BLOCKS = 4
"""... unless that leaves fewer blocks than this, which have to tell what chance does."""
LEAST_COUNT = 5.0
"""Values with hardly more rows than this keep nearly the share that they come with."""
LAST_SHARE = 0.85
"""The share of a time limit after which no more rows are made."""


def calibrate(sampler: Sampler, rounds: int, rows: int, seed: int, history: History) -> Tensor | None:
    """What to add to the logits of all values, `(total,)`; None where there is no time for it. `rows`: of the table.

    Each round sees what earlier rounds drew, which is not quite what real rows hold, so the errors of conditionals do
    not cancel in marginals. A value gets its `gains`, times how much of its code's gaps is no chance (the positive part
    of James and Stein 1961)."""
    network = sampler.network
    wanted = max(LEAST_BLOCKS, MADE_SHARE * rows // BLOCK_ROWS)
    wanted = max(FEWEST_BLOCKS, min(wanted, MADE_CELLS // (network.layout.count * BLOCK_ROWS)))
    made = made_until(sampler, wanted * BLOCK_ROWS, rounds, seed + 3 * FAR, history, LAST_SHARE)
    if len(made) < FEWEST_BLOCKS * BLOCK_ROWS:
        return None
    blocks = made.view(-1, BLOCK_ROWS, network.layout.count)
    wanted_of = network.frequencies.cpu().split(network.layout.cardinalities)
    found = [_offsets(shares, blocks[:, :, code], rows) for code, shares in enumerate(wanted_of)]
    history.record("calibrate", len(blocks), error=sum(gap for _, gap in found) / len(found))
    return torch.cat([offsets for offsets, _ in found]).to(network.frequencies.device)


def _offsets(wanted: Tensor, blocks: Tensor, rows: int) -> tuple[Tensor, float]:
    """Those of one code, `(cardinality,)`, from the `wanted` shares of its values and what was made, `(blocks, rows)`;
    and the total variation distance between the shares of both."""
    places = blocks + len(wanted) * torch.arange(len(blocks))[:, None]
    shares = torch.bincount(places.flatten(), minlength=len(wanted) * len(blocks)).view(len(blocks), -1)
    shares = shares / blocks.shape[1]
    share = shares.mean(dim=0)
    weights = 1 / wanted.clamp(min=1 / rows)
    gaps = ((share - wanted).square() * weights).sum()
    # Blocks differ by the order of their rounds, too; so chance is measured on them and not taken from their rows.
    chance = (shares.var(dim=0) / len(blocks) * weights).sum()
    sure = (1 - chance / gaps.clamp(min=1e-12)).clamp(min=0.0)
    return sure * gains(wanted, share, rows), float((share - wanted).abs().sum() / 2)


def gains(wanted: Tensor, found: Tensor, rows: int) -> Tensor:
    """The logs of what the shares of values that are `found` lack of the `wanted` ones, which so many rows have: one
    step of raking (Deming and Stephan 1940)."""
    least = LEAST_COUNT / rows
    return ((wanted + least) / (found + least)).log()
