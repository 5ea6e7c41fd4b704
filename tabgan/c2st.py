"""A classifier two-sample test (Lopez-Paz and Oquab 2017): can boosted trees tell two samples of rows apart?

Training asks it of codes and the report of values, so that what a fit is judged by is what its rows are judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

TREES, LEARNING_RATE = 100, 0.1
QUICK_TREES, QUICK_LEARNING_RATE, QUICK_ROWS = 40, 0.25, 1_000
"""For a fit, which asks often: of so few rows they see as much, in 0.4 of the time (`benchmarks/c2st.py`)."""
LEAST_VALUES = 20
"""Of fewer values than this some folds may have none."""
MOST_LABELS = 255
"""A column of more labels than this is given to the trees as numbers."""

Guess = Callable[[np.ndarray], npt.NDArray[np.float64]]
"""How likely each row is an other one, `(rows,)`, given `(rows, columns)`."""


def c2st_auc(real: np.ndarray, other: np.ndarray, labels: Sequence[bool], folds: int, seed: int) -> float:
    """Cross-validated AUC of trees that tell `other` from `real` rows, both `(rows, columns)` numbers: 0.5 where they
    cannot, 1 where they always can. `labels`: the columns that they may split by sets of values."""
    from sklearn.metrics import roc_auc_score

    truth, guesses = c2st_guesses(real, other, trees(labels, seed, quick=len(real) <= QUICK_ROWS), folds, seed)
    return float(roc_auc_score(truth, guesses))


def c2st_guesses(
    real: np.ndarray,
    other: np.ndarray,
    classifier: object,
    folds: int,
    seed: int,
    look: Callable[[Guess, np.ndarray, np.ndarray], None] | None = None,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Whether each row is one of `other`, and how likely a scikit-learn `classifier`, fitted on the other folds, finds
    that: `(rows,)` each. `look` is called with every fold's fitted guess, held-out rows, and their truth."""
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    rows = _seen(np.concatenate([real, other]))
    truth = np.repeat([False, True], [len(real), len(other)])
    guesses = np.empty(len(rows))
    for fitted, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, truth):
        model = clone(classifier).fit(rows[fitted], truth[fitted])

        def guess(some: np.ndarray, model: object = model) -> npt.NDArray[np.float64]:
            return np.asarray(model.predict_proba(some)[:, 1])  # type: ignore[attr-defined]

        guesses[held] = guess(rows[held])
        if look is not None:
            look(guess, rows[held], truth[held])
    return truth, guesses


def trees(labels: Sequence[bool] | npt.NDArray[np.bool_], seed: int, *, quick: bool = False) -> object:
    """The boosted trees, not fitted."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=QUICK_LEARNING_RATE if quick else LEARNING_RATE,
        max_iter=QUICK_TREES if quick else TREES,
        categorical_features=list(labels),
        early_stopping=False,
        random_state=seed,
    )


def _seen(rows: np.ndarray) -> np.ndarray:
    """`rows`, in which no column lacks all values of some folds, as scikit-learn does not take it: of a column of few
    values a missing one is a value below them."""
    few = np.isfinite(rows).sum(axis=0) < LEAST_VALUES
    if not few.any():
        return rows
    filled = rows.astype(float)
    filled[:, few] = np.nan_to_num(filled[:, few], nan=-1.0, posinf=0.0, neginf=0.0)
    return filled
