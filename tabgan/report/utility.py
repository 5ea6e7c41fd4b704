"""Is a model that is trained on synthetic rows as good on real ones? (TSTR, Esteban et al. 2017)"""

from __future__ import annotations

import numpy as np

from tabgan.errors import DataError, meant
from tabgan.report.columns import ComparableTable
from tabgan.report.detection import is_label, matrix

MOST_ROWS = 50_000
"""Rows that a model is trained on, at most."""


def utility(train: ComparableTable, test: ComparableTable, target: str, seed: int) -> float | None:
    """The score on `test` of boosted trees trained on `train` to predict the column `target`: the AUC (of more than two
    labels the mean over one against the rest) or, for numbers, R^2. None where it is undefined."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.metrics import r2_score, roc_auc_score

    names = [column.name for column in train.columns]
    if target not in names:
        hint = meant(target, names, "; columns that are made up or not there cannot be predicted.")
        raise DataError(f"there is no column {target!r} to predict{hint}")
    at = names.index(target)
    rows = np.random.default_rng(seed).permutation(train.rows)[:MOST_ROWS]
    labels = [is_label_ for i, is_label_ in enumerate(is_label(train)) if i != at]
    (x, y), (test_x, test_y) = (_split(table, at) for table in (train.take(rows), test))
    if train.columns[at].is_number:
        if len(y) < 2 or len(test_y) < 2:
            return None
        model = HistGradientBoostingRegressor(categorical_features=labels, random_state=seed).fit(x, y)
        return float(r2_score(test_y, model.predict(test_x)))
    known = [label for label in np.unique(y) if 0 < (test_y == label).sum() < len(test_y)]
    if len(np.unique(y)) < 2 or not known:
        return None
    model = HistGradientBoostingClassifier(categorical_features=labels, random_state=seed).fit(x, y)
    guess = model.predict_proba(test_x)
    column = {label: i for i, label in enumerate(model.classes_)}
    return float(np.mean([roc_auc_score(test_y == label, guess[:, column[label]]) for label in known]))


def _split(table: ComparableTable, at: int) -> tuple[np.ndarray, np.ndarray]:
    """The other columns and the column at a place, of rows in which it is known."""
    values = matrix(table)
    target = values[:, at]
    known = ~np.isnan(target)
    return np.delete(values, at, axis=1)[known], target[known]
