"""Can boosted trees tell synthetic rows from real ones? A classifier two-sample test (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabgan.report.columns import ComparableTable

MOST_ROWS = 5_000
"""Rows of each table that the trees see, at most."""
MOST_LABELS = 255
"""A column of more labels than this is given to the trees as numbers."""
FOLDS, TREES = 3, 100

Matrix = npt.NDArray[np.float64]


def detection_auc(real: ComparableTable, other: ComparableTable, seed: int) -> float | None:
    """Cross-validated AUC of trees that tell `other` rows from `real` ones: 0.5 where they cannot, 1 where they always
    can. As many rows of each; None where there are too few to cross-validate."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    rows = min(real.rows, other.rows, MOST_ROWS)
    if rows < 2 * FOLDS:
        return None
    both = [table.take(rng.permutation(table.rows)[:rows]) for table in (real, other)]
    truth = np.repeat([0, 1], rows)
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, categorical_features=is_label(real), early_stopping=False, random_state=seed
    )
    guess = cross_val_predict(
        trees,
        np.concatenate([matrix(table) for table in both]),
        truth,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
        method="predict_proba",
    )
    return float(roc_auc_score(truth, guess[:, 1]))


def is_label(table: ComparableTable) -> list[bool]:
    """Which columns trees may split by sets of labels."""
    return [not column.is_number and column.cardinality <= MOST_LABELS for column in table.columns]


def matrix(table: ComparableTable) -> Matrix:
    """`(rows, columns)` float64: numbers as they are, labels as their codes."""
    columns = [values.astype(np.float64) for values in table.values]
    return np.column_stack(columns) if columns else np.zeros((table.rows, 0))
