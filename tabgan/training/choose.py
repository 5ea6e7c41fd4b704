"""The default number of rounds: the fewest whose rows boosted trees tell from real ones hardly better than the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
HALVINGS = 2
"""So many numbers of rounds between the chosen one and the next lower one are tried, too."""


def choose_rounds(
    numbers: Sequence[int],
    sampler_of: Callable[[int], Sampler],
    rows: Rows,
    codes: Sequence[Code],
    seed: int,
    history: History,
    checkpoint: Checkpoint | None = None,
) -> int:
    """The chosen number of rounds: one of rising `numbers`, or one between two of them; judged on `rows`."""
    real = rows.some(min(MAX_ROWS, MAX_CELLS // len(codes)))
    repeats = max(1, min(MOST_REPEATS, REPEAT_ROWS // len(real)))
    checkpoint = checkpoint or Checkpoint()
    found: dict[int, float] = dict((checkpoint.state("choose") or {}).get("found", ()))
    while (rounds := _next(numbers, found)) is not None:
        aucs = []
        for repeat in range(repeats):
            made = torch.cat(list(sampler_of(rounds).blocks(len(real), rounds, seed + repeat)))
            aucs.append(c2st(real, made, codes, seed + repeat))
        found[rounds] = sum(aucs) / repeats
        history.record("choose", len(found), rounds=rounds, c2st=found[rounds])
        history.report("choose", len(found), len(numbers) + HALVINGS, held_out=found[rounds])
        checkpoint.keep("choose", lambda: {"found": list(found.items())})
        if history.spent >= TIME_SHARE:
            break
    return _fewest(found)


def _next(numbers: Sequence[int], found: dict[int, float]) -> int | None:
    """The number to judge next: the most first, for they are what is left where time runs out."""
    left = [rounds for rounds in numbers if rounds not in found]
    if left or len(found) == len(numbers) + HALVINGS:
        return max(left, default=None)
    enough = _fewest(found)
    middle = (max((rounds for rounds in found if rounds < enough), default=enough) + enough) // 2
    return None if middle in found else middle


def _fewest(found: dict[int, float]) -> int:
    enough = min(found.values()) + TOLERANCE  # of a small table the trees guess below 0.5
    return min(rounds for rounds, auc in found.items() if auc <= enough)
