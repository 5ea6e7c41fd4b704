"""Can a classifier tell synthetic rows from real ones, and by which columns?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tabgan.c2st import Guess, c2st_guesses, trees
from tabgan.report.columns import ComparableTable, Numbers
from tabgan.report.embedding import Embedding
from tabgan.report.features import features
from tabgan.report.roc import Auc, auc_with_interval

FOLDS = 5
"""Trees of fewer folds learn from fewer rows, and find a table better than it is."""
MOST_ROWS = 10_000
"""Rows of each table that the classifiers see, at most."""
MOST_EXPLAINED = 2_000
"""Held-out rows of each fold that say by which columns the trees tell, at most."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """`trees`: the AUC of boosted trees. `logistic`: that of logistic regression, which sees no ties between columns.
    `importance`: for each column, by how much the trees' AUC falls when it is shuffled on held-out rows."""

    rows: int
    """Of each table."""
    trees: Auc
    logistic: float
    importance: dict[str, float]

    @property
    def scores(self) -> dict[str, float]:
        """The figures by their names in a report."""
        return {"c2st_auc": self.trees.value, "logistic_auc": self.logistic}


def detect(real: ComparableTable, other: ComparableTable, seed: int, *, explain: bool) -> Detection | None:
    """Ask it of as many rows of each table, at most 10,000, cross-validated; None where there are too few of them.

    `explain`: find out by which columns, too (permutation importance, Breiman 2001).
    """
    rng = np.random.default_rng(seed)
    rows = min(real.rows, other.rows, MOST_ROWS)
    if rows < 2 * FOLDS:
        return None
    one, two = (table.take(rng.permutation(table.rows)[:rows]) for table in (real, other))
    of_one, of_two = features(one), features(two)
    falls: list[Numbers] = []

    def look(guess: Guess, held: np.ndarray, truth: np.ndarray) -> None:
        some = rng.permutation(len(held))[:MOST_EXPLAINED]
        held_features = replace(of_one, values=held[some])
        falls.append(held_features.falls(lambda rows: auc_with_interval(truth[some], guess(rows)).value, rng))

    truth, guesses = c2st_guesses(
        of_one.values, of_two.values, trees(of_one.labels, seed), FOLDS, seed, look if explain else None
    )
    importance = np.mean(falls, axis=0).tolist() if falls else []
    return Detection(
        rows=rows,
        trees=auc_with_interval(truth, guesses),
        logistic=_logistic(one, two, seed),
        importance=dict(zip((column.name for column in real.columns), importance, strict=False)),
    )


def _logistic(one: ComparableTable, two: ComparableTable, seed: int) -> float:
    """The AUC of logistic regression on embedded rows."""
    from sklearn.linear_model import LogisticRegression

    embedding = Embedding(one)
    truth, guesses = c2st_guesses(embedding.of(one), embedding.of(two), LogisticRegression(max_iter=1000), FOLDS, seed)
    return auc_with_interval(truth, guesses).value
