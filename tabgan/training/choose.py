"""The default number of rounds: the fewest whose rows boosted trees tell from real ones hardly better than the best."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tabgan.encoding.base import Code
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.detection import c2st
from tabgan.training.history import History

TOLERANCE = 0.02
"""How much more C2ST AUC fewer rounds may cost."""
MAX_ROWS = 5_000
"""Real rows, and as many made ones, that the trees see."""


def choose_rounds(
    candidates: Sequence[tuple[int, Sampler]], rows: Rows, codes: Sequence[Code], seed: int, history: History
) -> int:
    """The chosen one of `candidates`, (rounds, sampler) with rising rounds, judged on `rows`."""
    real = rows.some(MAX_ROWS)
    found = []
    for i, (rounds, sampler) in enumerate(candidates):
        made = torch.cat(list(sampler.blocks(len(real), rounds, seed)))
        auc = c2st(real, made, codes, seed)
        found.append(auc)
        history.record("choose", i + 1, rounds=rounds, c2st=auc)
        history.report("choose", i + 1, len(candidates), held_out=auc)
    enough = min(max(auc, 0.5) for auc in found) + TOLERANCE
    return next(rounds for (rounds, _), auc in zip(candidates, found, strict=True) if auc <= enough)
