"""Is a model that is trained on synthetic rows as good on real ones? (TSTR, Esteban et al. 2017)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabgan.errors import DataError, meant
from tabgan.report.columns import ComparableTable, Numbers
from tabgan.report.features import Features, features
from tabgan.report.roc import auc_with_interval

MOST_ROWS = 50_000
"""Rows that a model is trained on, at most."""
MOST_EXPLAINED = 2_000
"""Rows of the test that say by which columns a model goes, at most."""

Rows = npt.NDArray[np.int64]
Score = Callable[[Numbers, Rows], float]
"""How good the guesses for these rows, `(n, columns)`, are, given which rows of the test they are, `(n,)`."""


@dataclass(frozen=True, kw_only=True)
class Utility:
    """`score`: the AUC (of more than two labels the mean over one against the rest) or, for numbers, R^2. `importance`:
    by how much it falls when a column is shuffled (permutation importance, Breiman 2001), by the other columns."""

    score: float
    importance: Numbers


def utility(train: ComparableTable, test: ComparableTable, target: str, seed: int) -> Utility | None:
    """How good boosted trees trained on `train` to predict the column `target` are on `test`; None where that is
    undefined."""
    at = [column.name for column in train.columns].index(target)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(train.rows)[:MOST_ROWS]
    (x, y), (test_x, test_y) = (_split(table, at) for table in (train.take(rows), test))
    learn = _regression if train.columns[at].is_number else _classification
    score = learn(x, y, test_y, seed)
    if score is None:
        return None
    some = rng.permutation(len(test_y))[:MOST_EXPLAINED]
    falls = test_x.take(some).falls(lambda rows: score(rows, some), rng)
    return Utility(score=score(test_x.values, np.arange(len(test_y))), importance=falls)


def check_target(names: Sequence[str], target: str) -> None:
    """Raises `DataError` where a target is none of the columns that are compared."""
    if target not in names:
        hint = meant(target, names, "; columns that are made up or not there cannot be predicted.")
        raise DataError(f"there is no column {target!r} to predict{hint}")


def agreement(one: Numbers, other: Numbers) -> float | None:
    """How far two models go by the same columns: the TV similarity, in [0, 1], of the shares that the columns have of
    all importance. None where one of them goes by none."""
    shares = [importance.clip(0) / total for importance in (one, other) if (total := importance.clip(0).sum()) > 0]
    return 1 - float(np.abs(shares[0] - shares[1]).sum()) / 2 if len(shares) == 2 else None


def _regression(x: Features, y: Numbers, test_y: Numbers, seed: int) -> Score | None:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.metrics import r2_score

    if len(y) < 2 or len(test_y) < 2:
        return None
    model = HistGradientBoostingRegressor(categorical_features=x.labels, random_state=seed).fit(x.values, y)
    return lambda rows, at: float(r2_score(test_y[at], model.predict(rows)))


def _classification(x: Features, y: Numbers, test_y: Numbers, seed: int) -> Score | None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    known = [label for label in np.unique(y) if 0 < (test_y == label).sum() < len(test_y)]
    if len(np.unique(y)) < 2 or not known:
        return None
    model = HistGradientBoostingClassifier(categorical_features=x.labels, random_state=seed).fit(x.values, y)
    column = {label: i for i, label in enumerate(model.classes_)}

    def score(rows: Numbers, at: Rows) -> float:
        guess = model.predict_proba(rows)
        truth = test_y[at]
        both = [label for label in known if 0 < (truth == label).sum() < len(at)]
        aucs = [auc_with_interval(truth == label, guess[:, column[label]]).value for label in both]
        return float(np.mean(aucs)) if aucs else 0.0

    return score


def _split(table: ComparableTable, at: int) -> tuple[Features, Numbers]:
    """What trees see of the other columns, and the column at a place, of rows in which it is known."""
    others, target = features(table).but(at), table.values[at].astype(np.float64)
    known = ~np.isnan(target)
    return others.take(known), target[known]
