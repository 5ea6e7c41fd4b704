"""How alike one column is in two tables: KS similarity of numbers and dates, TV similarity of labels.

Both are 1 for equal distributions and 0 for disjoint ones, and are defined as SDMetrics' KSComplement and TVComplement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabgan.report.columns import Codes, ComparableTable, Numbers

_DECIMALS = 14
"""Numbers are compared to this many decimals, as in SDMetrics, so that 0.1 + 0.2 and 0.3 are one value."""


@dataclass(frozen=True, kw_only=True)
class ColumnScore:
    """How one synthetic column compares with the real one.

    `similarity` is in [0, 1], or None where it is undefined; `note` then says why. Missing shares are in [0, 1].
    """

    name: str
    kind: str
    metric: str | None
    similarity: float | None
    missing_real: float
    missing_synthetic: float
    note: str | None = None


def ks_similarity(real: Numbers, synthetic: Numbers) -> float:
    """One minus the largest gap between the two empirical distribution functions (Kolmogorov and Smirnov).

    Takes float arrays of shapes `(n,)` and `(m,)`; NaN is a missing cell and is left out. Returns a float in [0, 1],
    or NaN where either side has no value.
    """
    real, synthetic = np.sort(_known(real)), np.sort(_known(synthetic))
    if not len(real) or not len(synthetic):
        return float("nan")
    points = np.concatenate([real, synthetic])
    below_real = np.searchsorted(real, points, side="right") / len(real)
    below_synthetic = np.searchsorted(synthetic, points, side="right") / len(synthetic)
    return float(1 - np.abs(below_real - below_synthetic).max())


def tv_similarity(real: Codes, synthetic: Codes, cardinality: int) -> float:
    """One minus the total variation distance: half the sum of |share in real - share in synthetic| over the labels.

    Takes int arrays of shapes `(n,)` and `(m,)`, neither empty, with codes in `[0, cardinality)`. Returns a float in
    [0, 1].
    """
    shares_real = np.bincount(real, minlength=cardinality) / len(real)
    shares_synthetic = np.bincount(synthetic, minlength=cardinality) / len(synthetic)
    # Rounding of the shares may leave it a hair below 0.
    return max(0.0, float(1 - np.abs(shares_real - shares_synthetic).sum() / 2))


def score_columns(real: ComparableTable, synthetic: ComparableTable) -> list[ColumnScore]:
    """The similarity of every column of `synthetic` to the same column of `real`, in the table's order."""
    scores = []
    for i, column in enumerate(real.columns):
        if column.is_number:
            metric, similarity = "ks", ks_similarity(real.numbers(i), synthetic.numbers(i))
        else:
            metric, similarity = "tv", tv_similarity(real.codes(i), synthetic.codes(i), column.cardinality)
        missing_real, missing_synthetic = real.missing_share(i), synthetic.missing_share(i)
        undefined = bool(np.isnan(similarity))
        scores.append(
            ColumnScore(
                name=column.name,
                kind=column.kind,
                metric=metric,
                similarity=None if undefined else similarity,
                missing_real=missing_real,
                missing_synthetic=missing_synthetic,
                note=f"no value in the {'real' if missing_real == 1 else 'synthetic'} table" if undefined else None,
            )
        )
    return scores


def _known(values: Numbers) -> Numbers:
    known = values[~np.isnan(values)]
    # Beyond 100 a float64 has fewer decimals than these, and rounding would only overflow.
    return np.where(np.abs(known) < 100, np.round(np.clip(known, -100, 100), _DECIMALS), known)
