"""What the model adds to the report: how its fit went, and what its file would tell an attacker."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from tabgan.report.columns import Numbers
from tabgan.report.roc import Auc, auc_with_interval

MOST_ROWS = 2_000
"""Rows of each table that the model is asked about, at most."""
UNSEEN = -1e9
"""The log-probability that stands for a row with a label the model does not know."""
Curve = tuple[tuple[float, float], ...]

_CURVES = {
    "Held-out error of the warm-up (cross-entropy)": ("warm-up", "held_out"),
    "Wasserstein estimate of the critic (game)": ("game", "gap"),
    "Norm of the critic's gradient (game)": ("game", "critic_gradient"),
    "Norm of the generator's gradient (game)": ("game", "generator_gradient"),
    "Held-out error of the game (AUC of boosted trees, 0.5 is best)": ("game", "c2st"),
}


class Model(Protocol):
    """What the report needs of a fitted `Synthesizer`."""

    history_: list[dict[str, Any]]
    spending_: Any
    """What differential privacy it keeps to; None for none."""

    def score_samples(self, data: Any) -> Numbers:
        """The log-probability of each row."""


def opened(model: str | Path | Model) -> Model:
    """The model itself, or that of a file."""
    if not isinstance(model, str | Path):
        return model
    from tabgan.synthesizer import load

    return load(model)


def training_curves(records: Iterable[Mapping[str, Any]]) -> dict[str, Curve]:
    """The curves that a fit left, by their titles: `(step, value)`; of fewer than two points there is none."""
    found: dict[str, list[tuple[float, float]]] = {title: [] for title in _CURVES}
    for record in records:
        for title, (stage, figure) in _CURVES.items():
            if record["stage"] == stage and figure in record:
                found[title].append((float(record["step"]), float(record[figure])))
    return {title: tuple(points) for title, points in found.items() if len(points) > 1}


def likelihood_auc(model: Model, members: pa.Table, others: pa.Table, seed: int) -> Auc:
    """How well one guesses by `score_samples` which rows the model was fitted on; 0.5 is a guess (the white-box attack
    of Chen et al. 2020, with the probability that the model itself gives). At most 2,000 rows of each table are asked
    about; what the model cannot know, since no fitted row has its label, is told for certain."""
    rng = np.random.default_rng(seed)
    rows = min(members.num_rows, others.num_rows, MOST_ROWS)
    asked = [table.take(pa.array(rng.permutation(table.num_rows)[:rows])) for table in (members, others)]
    logs = [log_probabilities(model, table) for table in asked]
    return auc_with_interval(np.repeat([True, False], rows), np.concatenate(logs))


def log_probabilities(model: Model, table: pa.Table) -> Numbers:
    """The log-probability of each row of `table`; `UNSEEN` where it has a label that the model does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # cells of other rows beyond the bounds of the fitted ones
        found: Numbers = np.maximum(model.score_samples(table), UNSEEN)
    return found
