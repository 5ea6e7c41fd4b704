"""The default number of rounds: the fewest whose rows boosted trees tell from real ones hardly better than the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.detection import c2st
from tabgan.training.history import History

TOLERANCE = 0.015
"""How much more C2ST AUC fewer rounds may cost: 0.02, less what chance adds to the difference of two estimates; and the
less, the nearer the AUC is to 1, where a difference means more."""
GOOD, HALVING = 0.51, 0.02
"""Of rows that trees tell no better than the first, half as many rounds may cost the second: an AUC far below 0.5 is no
merit, since trees guess so where rows repeat those that were learned."""
STRONG, LOST = 0.5, 0.03
"""So much of the correlations of at least the first (of places, in absolute value) may be lost, on average, beside the
best number: what trees say of a table of a few hundred rows is mostly about its labels."""
TIME_SHARE = 0.95
"""The share of a time limit at which the choice must be made."""
MAX_ROWS, MAX_CELLS = 10_000, 1_000_000
"""Real rows, and cells of them, that the trees see at most, and as many made ones."""
REPEAT_ROWS, MOST_REPEATS = 3_000, 6
"""Of a smaller table so many rows are judged in all, by judging more than one sample, unless these have too many cells:
one alone says little."""
FINENESS = 8
"""A number of rounds is not looked for more finely than to this part of it."""


class Choice(NamedTuple):
    """A number of rounds, and the AUC at which trees tell its rows from real ones."""

    rounds: int
    c2st: float


def choose_rounds(
    few: int,
    most: int,
    sampler_of: Callable[[int], Sampler],
    rows: Rows,
    codes: Sequence[Code],
    seed: int,
    history: History,
    checkpoint: Checkpoint | None = None,
) -> Choice | None:
    """The chosen number of rounds, `most` or fewer, judged on `rows`; None where no time is left to judge any. Up to
    `few` of them, 0 for none, are drawn by a generator of their own; on both sides of it more rounds are taken to be no
    worse."""
    most_rows = MAX_CELLS // len(codes)
    real = rows.some(min(MAX_ROWS, most_rows))
    repeats = max(1, min(MOST_REPEATS, min(REPEAT_ROWS, most_rows) // len(real)))
    checkpoint = checkpoint or Checkpoint()
    state = checkpoint.state("choose") or {}
    found: dict[int, float] = dict(state.get("found", ()))
    lost: dict[int, float] = dict(state.get("lost", ()))
    while history.spent < TIME_SHARE and (rounds := _next(few, most, found, _standing(found, lost))) is not None:
        aucs, losses = [], []
        for repeat in range(repeats):
            made = torch.cat(list(sampler_of(rounds).blocks(len(real), rounds, seed + repeat)))
            aucs.append(c2st(real, made, codes, seed + repeat))
            losses.append(lost_correlation(real, made.to(real.device), codes))
            if history.spent >= TIME_SHARE:
                break
        found[rounds], lost[rounds] = sum(aucs) / len(aucs), sum(losses) / len(losses)
        history.record("choose", len(found), rounds=rounds, c2st=found[rounds], lost=lost[rounds])
        enough = fewest(_standing(found, lost))
        left = (enough - _too_few(found, enough)).bit_length()
        history.report("choose", len(found), len(found) + left, held_out=found[rounds])
        checkpoint.keep("choose", lambda: {"found": list(found.items()), "lost": list(lost.items())})
    standing = _standing(found, lost)
    return Choice(fewest(standing), found[fewest(standing)]) if found else None


def lost_correlation(real: Tensor, made: Tensor, codes: Sequence[Code]) -> float:
    """How far made rows are from the strong correlations of real ones, on average; 0 where there are none.

    Both are `(rows, codes)`. Correlated are the places of ordered codes; a missing cell is at the mean."""
    ordered = [i for i, code in enumerate(codes) if code.ordered]
    wanted, got = (_correlations(rows[:, ordered]) for rows in (real, made))
    strong = (wanted.abs() >= STRONG).triu(diagonal=1)
    return float((wanted - got)[strong].abs().mean()) if bool(strong.any()) else 0.0


def _correlations(rows: Tensor) -> Tensor:
    known = rows > 0
    places = rows.double()
    mean = (places * known).sum(dim=0) / known.sum(dim=0).clamp(min=1)
    centred = (places - mean) * known
    scale = centred.square().sum(dim=0).sqrt().clamp(min=1e-9)
    return (centred / scale).T @ (centred / scale)


def _standing(found: Mapping[int, float], lost: Mapping[int, float]) -> dict[int, float]:
    """The numbers whose rows have lost no strong correlation."""
    return {rounds: auc for rounds, auc in found.items() if lost[rounds] <= min(lost.values()) + LOST}


def _next(few: int, most: int, found: Mapping[int, float], standing: Mapping[int, float]) -> int | None:
    """The number to judge next: the most first, for they are what is left where time runs out; then by halving."""
    if most not in found:
        return most
    if 0 < few < most and few not in found:
        return few
    enough = fewest(standing)
    too_few = _too_few(found, enough)
    return (enough + too_few) // 2 if enough - too_few > max(1, enough // FINENESS) else None


def _too_few(found: Mapping[int, float], enough: int) -> int:
    """The largest number that is not enough; one round is not tried unless it is all that was trained."""
    return max((rounds for rounds in found if rounds < enough), default=1)


def fewest(found: Mapping[int, float]) -> int:
    """The fewest of the rounds judged so far that are hardly worse than the best; down to half as many if good."""
    best = min(found.values())
    auc = max(best, 0.5)  # of a small table the trees guess below it
    near = min(rounds for rounds, each in found.items() if each <= best + TOLERANCE * 4 * auc * (1 - auc))
    good = (rounds for rounds in found if near / 2 <= rounds <= near and found[rounds] <= GOOD)
    return min((n for n in good if found[n] <= found[near] + HALVING * math.log2(near / n)), default=near)
