"""How well boosted trees tell made rows from real ones: a classifier two-sample test (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tabgan.encoding.base import Code

TREES = 100
FOLDS = 3


def c2st(real: Tensor, made: Tensor, codes: Sequence[Code], seed: int) -> float:
    """Cross-validated AUC of boosted trees that tell real from made rows, both `(rows, codes)`."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = torch.cat([real, made]).cpu().numpy()
    truth = np.repeat([0, 1], [len(real), len(made)])
    labels = [not code.ordered and code.cardinality <= 255 for code in codes]
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, categorical_features=labels, early_stopping=False, random_state=seed
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    guess = cross_val_predict(trees, rows, truth, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(truth, guess))
