"""The area under a ROC curve, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Auc:
    """An AUC and its 95 % interval, all in [0, 1]."""

    value: float
    low: float
    high: float


def auc_with_interval(truth: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> Auc:
    """The AUC of `score`, `(n,)`, for what is true, `(n,)`, with the normal interval of DeLong et al. 1988 (equations 3
    to 6), computed by ranks as in Sun and Xu 2014. Ties count half. At least one is true and one is not."""
    from scipy.stats import rankdata

    one, other = score[truth], score[~truth]
    n, m = len(one), len(other)
    ranks = rankdata(np.concatenate([one, other]))
    # The share of others that each true row is above, and the share of true rows that each other one is below.
    above = (ranks[:n] - rankdata(one)) / m
    below = 1 - (ranks[n:] - rankdata(other)) / n
    value = float(above.mean())
    variance = sum(float(shares.var(ddof=1)) / len(shares) for shares in (above, below) if len(shares) > 1)
    reach = 1.96 * float(np.sqrt(variance))
    return Auc(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach))
