"""More rows of the rare classes, inside pipelines of imbalanced-learn and scikit-learn (extra `augment`).

>>> from imblearn.pipeline import make_pipeline
>>> model = make_pipeline(SyntheticOverSampler(random_state=0), classifier).fit(X, y)
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

try:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.pipeline import Pipeline
    from imblearn.utils import check_target_type
except ModuleNotFoundError as error:
    hint = "tabgan.augment needs imbalanced-learn: pip install 'tabgan-wgan[augment]'"
    raise ModuleNotFoundError(hint, name=error.name) from None
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import validate_data

from tabgan.config import TrainConfig
from tabgan.schema import Schema
from tabgan.synthesizer import Synthesizer

ROUNDS = 12
"""Rounds in which rows are drawn: for rows given their class there is no game, and no choice to make."""
WORTH = 2.0
"""A lift counts where it is this many times its standard error."""


class SyntheticOverSampler(BaseOverSampler):  # type: ignore[misc]  # imbalanced-learn has no types
    """Adds synthetic rows of the classes that have few: a table is learned, and rows are drawn given their class.

    Only the rows given to `fit_resample` are learned from and added to, so that in a pipeline of imbalanced-learn rows
    to predict are never touched. `X` is an array or a pandas frame of numbers, labels and missing cells.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseOverSampler._parameter_constraints,
        "random_state": ["random_state"],
        "time_limit": [float, int, None],
        "train": [TrainConfig, None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        time_limit: float | None = None,
        train: TrainConfig | None = None,
    ) -> None:
        """`sampling_strategy`: as in imbalanced-learn; `time_limit`: seconds for the fit; `train`: its settings."""
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.time_limit = time_limit
        self.train = train

    def _check_X_y(self, X: Any, y: Any) -> tuple[Any, Any, bool]:
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        if not isinstance(X, pd.DataFrame):
            X = check_array(X, dtype=None, ensure_all_finite=False)
        validate_data(self, X=X, y=y, reset=True, skip_check_array=True)
        return X, y, binarize_y

    def _fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        frame = X.reset_index(drop=True) if isinstance(X, pd.DataFrame) else pd.DataFrame(X).infer_objects()
        names = list(frame.columns)
        frame.columns = [f"x{i}" for i in range(len(names))]
        classes = np.unique(y)
        frame["class"] = pd.Series(np.searchsorted(classes, y)).astype(str)
        seed = int(check_random_state(self.random_state).randint(2**31))
        wanted = {label: rows for label, rows in self.sampling_strategy_.items() if rows}
        parts, labels = [frame.drop(columns="class")], [np.asarray(y)]
        if wanted:
            train = self.train or TrainConfig(game_steps=0, rounds=ROUNDS)
            synthesizer = Synthesizer(seed=seed, time_limit=self.time_limit, train=train)
            synthesizer.fit(frame, schema=_wishes(frame))
            for label, rows in wanted.items():
                made = synthesizer.sample(rows, where={"class": str(int(np.searchsorted(classes, label)))})
                parts.append(made.drop(columns="class"))
                labels.append(np.full(rows, label, dtype=np.asarray(y).dtype))
        resampled = pd.concat(parts, ignore_index=True)
        resampled.columns = names
        if not isinstance(X, pd.DataFrame):
            return resampled.to_numpy().astype(X.dtype), np.concatenate(labels)
        return resampled, np.concatenate(labels)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.sparse = False
        return tags


def _wishes(frame: pd.DataFrame) -> dict[str, Any]:
    """Features are learned, also those that look as if they told rows apart."""
    schema = Schema.infer(pa.Table.from_pandas(frame, preserve_index=False))
    kinds = {
        column.name: "number" if pd.api.types.is_numeric_dtype(frame[column.name]) else "category"
        for column in schema
        if not column.is_learned
    }
    return {"columns": {"class": "category", **kinds}}


def augment_report(
    X: pd.DataFrame,
    y: Any,
    estimator: Any,
    *,
    scoring: str = "roc_auc",
    folds: int = 5,
    random_state: int = 0,
    sampler: SyntheticOverSampler | None = None,
) -> pd.DataFrame:
    """Whether more rows of the rare classes help `estimator`, by cross-validation, against what else could be done.

    One line for each way: `mean` and `std` of the `scoring` over the folds, `lift` over no augmentation, `error` (the
    standard error of the lift over the same folds), and `helps`, "yes", "no" or "worse". `estimator` must take `X` as
    it is. Class weights are tried where the estimator, or the last step of a pipeline, has them.
    """
    splits = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    labels = [i for i, dtype in enumerate(X.dtypes) if not pd.api.types.is_numeric_dtype(dtype)]
    smote = SMOTE(random_state=random_state)
    if labels:
        smote = SMOTEN(random_state=random_state)
        if len(labels) < X.shape[1]:
            smote = SMOTENC(labels, random_state=random_state)
    ways: dict[str, Any] = {"no augmentation": estimator}
    weights = [name for name in estimator.get_params() if name.split("__")[-1] == "class_weight"]
    if weights:
        ways["class weights"] = clone(estimator).set_params(**dict.fromkeys(weights, "balanced"))
    for name, each in {
        "RandomOverSampler": RandomOverSampler(random_state=random_state),
        type(smote).__name__: smote,
        "SyntheticOverSampler": sampler or SyntheticOverSampler(random_state=random_state),
    }.items():
        ways[name] = Pipeline([("sampler", each), ("estimator", clone(estimator))])
    scores = {}
    for name, way in ways.items():
        try:
            scores[name] = cross_val_score(way, X, y, scoring=scoring, cv=splits, error_score="raise")
        except ValueError:
            scores[name] = np.full(folds, np.nan)  # SMOTE takes no missing cells
    rows = {}
    for name, found in scores.items():
        gain = found - scores["no augmentation"]
        lift, error = float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(folds))
        helps = "worse" if lift < -WORTH * error else "yes" if lift > WORTH * error else "no"
        helps = "" if name == "no augmentation" else "cannot take these rows" if np.isnan(lift) else helps
        rows[name] = {"mean": found.mean(), "std": found.std(ddof=1), "lift": lift, "error": error, "helps": helps}
    return pd.DataFrame.from_dict(rows, orient="index")
