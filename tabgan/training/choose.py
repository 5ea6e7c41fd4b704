"""The default number of rounds: the fewest whose rows boosted trees tell from real ones hardly better than the best."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tabgan.encoding.base import Code
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.detection import c2st
from tabgan.training.history import History

TOLERANCE = 0.015
"""How much more C2ST AUC fewer rounds may cost: 0.02, less what chance adds to the difference of two estimates."""
TIME_SHARE = 0.95
"""The share of a time limit at which the choice must be made."""
MAX_ROWS, MAX_CELLS = 10_000, 400_000
"""Real rows, and cells of them, that the trees see at most, and as many made ones."""
REPEAT_ROWS, MOST_REPEATS = 3_000, 6
"""Of a smaller table so many rows are judged in all, by judging more than one sample: one alone says little."""


def choose_rounds(
    candidates: Sequence[tuple[int, Sampler]],
    rows: Rows,
    codes: Sequence[Code],
    seed: int,
    history: History,
    checkpoint: Checkpoint | None = None,
) -> int:
    """The chosen one of `candidates`, (rounds, sampler) with rising rounds, judged on `rows`."""
    real = rows.some(min(MAX_ROWS, MAX_CELLS // len(codes)))
    repeats = max(1, min(MOST_REPEATS, REPEAT_ROWS // len(real)))
    checkpoint = checkpoint or Checkpoint()
    found: list[tuple[int, float]] = list((checkpoint.state("choose") or {}).get("found", ()))
    # The most rounds first: they are what is left where time runs out.
    for rounds, sampler in candidates[::-1][len(found) :]:
        aucs = []
        for repeat in range(repeats):
            made = torch.cat(list(sampler.blocks(len(real), rounds, seed + repeat)))
            aucs.append(c2st(real, made, codes, seed + repeat))
        auc = sum(aucs) / repeats
        found.append((rounds, auc))
        history.record("choose", len(found), rounds=rounds, c2st=auc)
        history.report("choose", len(found), len(candidates), held_out=auc)
        checkpoint.keep("choose", lambda: {"found": found})
        if history.spent >= TIME_SHARE:
            break
    enough = min(auc for _, auc in found) + TOLERANCE  # of a small table the trees guess below 0.5
    return min(rounds for rounds, auc in found if auc <= enough)
