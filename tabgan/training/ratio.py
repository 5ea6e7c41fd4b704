"""Where trees still tell rows from real ones: a density ratio by which rows are chosen among candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.model.ratio import LEAVES, DensityRatio
from tabgan.sampling.chosen import CANDIDATES
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.calibrate import gains
from tabgan.training.history import History
from tabgan.training.made import FAR, made_until

LEAST_C2ST = 0.53
"""Rows that trees tell from real ones no better than this are good enough as they are drawn."""
LEAST_AUC = 0.6
"""At least so well a ratio must tell held-out rows from made ones. It is more than a C2ST, since the trees see more
made rows: with less than this choosing would take less than 0.02 off the C2ST."""
TREES, LEARNING_RATE = 100, 0.1
REAL_ROWS, MADE_SHARE, MADE_CELLS = 20_000, 4, 3_000_000
"""Real rows at most, so many times as many made ones, and cells of these at most."""
TIME_SHARE, MIDDLE_SHARE, LAST_SHARE = 0.85, 0.92, 0.97
"""Of a time limit so much may be spent before, and until rows are made for the trees and then to judge these."""


def learn_ratio(
    sampler: Sampler, rounds: int, c2st: float, rows: Rows, codes: Sequence[Code], seed: int, history: History
) -> DensityRatio | None:
    """Learn on training rows how much likelier a row is a real one than one of the `sampler`, whose rows trees tell
    with an AUC of `c2st`; None where choosing by it would gain little, or where there is no time for it."""
    if c2st + _error(c2st, len(rows.train)) < LEAST_C2ST or history.spent >= TIME_SHARE:
        return None
    real = rows.train[:REAL_ROWS]
    wanted = min(MADE_SHARE * len(real), MADE_CELLS // len(codes))
    made = made_until(sampler, wanted, rounds, seed + FAR, history, MIDDLE_SHARE)
    if len(made) < len(real[:wanted]):
        return None
    ratio = _learned(real[:wanted].cpu(), made, codes, seed, str(rows.device))
    fresh = made_until(sampler, wanted, rounds, seed + 2 * FAR, history, LAST_SHARE).to(rows.device)
    auc = _auc(ratio(rows.held_out).cpu(), ratio(fresh).cpu())
    history.record("ratio", TREES, auc=auc)
    if auc + _error(auc, len(rows.held_out)) < LEAST_AUC:
        return None
    return _levelled(ratio, fresh, rows.train)


def _learned(real: Tensor, made: Tensor, codes: Sequence[Code], seed: int, device: str) -> DensityRatio:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        early_stopping=True,
        validation_fraction=0.15,
        random_state=seed,
    )
    truth = np.repeat([True, False], [len(real), len(made)])
    weights = np.where(truth, len(made) / len(real), 1.0)
    trees.fit(torch.cat([real.long(), made]).numpy(), truth, sample_weight=weights)
    return DensityRatio.from_classifier(trees, codes, device)


def _levelled(ratio: DensityRatio, made: Tensor, real: Tensor) -> DensityRatio:
    """`ratio` with offsets by which chosen ones of the `made` rows have the shares that values have in `real` rows.

    Of few candidates the trees would take too few with uncommon values, of which good ones are rare. In turn the values
    of each code get their `gains`. Once: repeated, these would follow what the made rows have by chance."""
    made = made[: len(made) // CANDIDATES * CANDIDATES]
    logs = ratio(made)
    for code, part in enumerate(ratio.layout.slices):
        wanted, values = torch.bincount(real[:, code], minlength=part.stop - part.start) / len(real), made[:, code]
        weights = logs.view(-1, CANDIDATES).softmax(dim=1).flatten() / (len(made) // CANDIDATES)
        gain = gains(wanted, torch.zeros_like(wanted).index_add_(0, values, weights), len(real))
        ratio.offsets[part] += gain
        logs += gain[values]
    return ratio


def _error(auc: float, rows: int) -> float:
    """About the standard error of an AUC of so many real rows; of few rows both bounds leave room for it, for choosing
    costs little there."""
    return float((auc * (1 - auc) / rows) ** 0.5)


def _auc(real: Tensor, made: Tensor) -> float:
    from sklearn.metrics import roc_auc_score

    truth = np.repeat([True, False], [len(real), len(made)])
    return float(roc_auc_score(truth, torch.cat([real, made]).numpy()))
