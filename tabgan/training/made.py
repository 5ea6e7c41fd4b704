"""Rows that are made to learn from, as long as there is time."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.sampling.sampler import Sampler
from tabgan.training.history import History

FAR = 10**9
"""Added to the seed: what is learned from made rows knows them, so these are none that a user asks for."""


def made_until(sampler: Sampler, rows: int, rounds: int, seed: int, history: History, time_share: float) -> Tensor:
    """`(rows, codes)` int64 made rows, or fewer where that share of the time limit is spent before."""
    found = []
    for block in sampler.blocks(rows, rounds, seed):
        found.append(block)
        if history.spent >= time_share:
            break
    return torch.cat(found)
