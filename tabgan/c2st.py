"""A classifier two-sample test (Lopez-Paz and Oquab 2017): can boosted trees tell two samples of rows apart?

Training asks it of codes and the report of values, so that what a fit is judged by is what its rows are judged by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FOLDS, TREES = 3, 100
LEAST_VALUES = 20
"""Of fewer values than this some folds may have none."""
MOST_LABELS = 255
"""A column of more labels than this is given to the trees as numbers."""


def c2st_auc(real: np.ndarray, other: np.ndarray, labels: Sequence[bool], seed: int) -> float:
    """Cross-validated AUC of trees that tell `other` from `real` rows, both `(rows, columns)` numbers: 0.5 where they
    cannot, 1 where they always can. `labels`: the columns that they may split by sets of values."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    truth = np.repeat([0, 1], [len(real), len(other)])
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, categorical_features=list(labels), early_stopping=False, random_state=seed
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    rows = _seen(np.concatenate([real, other]))
    guess = cross_val_predict(trees, rows, truth, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(truth, guess))


def _seen(rows: np.ndarray) -> np.ndarray:
    """`rows`, in which no column lacks all values of some folds, as scikit-learn does not take it: of a column of few
    values a missing one is a value below them."""
    few = np.isfinite(rows).sum(axis=0) < LEAST_VALUES
    if not few.any():
        return rows
    filled = rows.astype(float)
    filled[:, few] = np.nan_to_num(filled[:, few], nan=-1.0, posinf=0.0, neginf=0.0)
    return filled
