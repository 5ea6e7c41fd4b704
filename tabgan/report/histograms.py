"""What the charts draw: the shares of a real and a synthetic column on the same bins or the same labels.

All shares are of all rows of their table, so those of a column and its missing cells add up to one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tabgan.report.columns import Codes, ComparableTable, Numbers

MAX_BINS = 40
MAX_BARS = 12
_TAIL = 0.005
_LONG_TAIL = 3
"""A range this many times wider than the middle 99 % of the values is cut, so that a tail does not hide the rest."""
_EXACT_WHOLE = 2.0**53


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """A column of numbers or dates (seconds since 1970) on `n + 1` shared `edges`; `n` shares for each table.

    With `has_tails`, the first and the last bin also hold what lies beyond them.
    """

    edges: tuple[float, ...]
    real: tuple[float, ...]
    synthetic: tuple[float, ...]
    missing_real: float
    missing_synthetic: float
    is_date: bool
    has_tails: bool


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A column of labels: the most frequent ones in the two tables, how many others there are, and missing cells."""

    labels: tuple[str, ...]
    real: tuple[float, ...]
    synthetic: tuple[float, ...]
    others: int
    others_real: float
    others_synthetic: float
    missing_real: float
    missing_synthetic: float


def marginals(real: ComparableTable, synthetic: ComparableTable) -> list[Histogram | Bars]:
    """What to draw for each column, in the table's order."""
    drawn: list[Histogram | Bars] = []
    for i, column in enumerate(real.columns):
        missing = {"missing_real": real.missing_share(i), "missing_synthetic": synthetic.missing_share(i)}
        if column.is_number:
            drawn.append(_histogram(real.numbers(i), synthetic.numbers(i), column.kind == "datetime", missing))
        else:
            drawn.append(_bars(real.codes(i), synthetic.codes(i), column.labels, missing))
    return drawn


def _histogram(real: Numbers, synthetic: Numbers, is_date: bool, missing: dict[str, float]) -> Histogram:
    known = np.concatenate([real[~np.isnan(real)], synthetic[~np.isnan(synthetic)]])
    if not len(known):
        return Histogram(edges=(), real=(), synthetic=(), is_date=is_date, has_tails=False, **missing)
    edges = _shared_edges(known)
    has_tails = bool(known.min() < edges[0] or known.max() > edges[-1])
    return Histogram(
        edges=tuple(edges.tolist()),
        real=_shares(real, edges),
        synthetic=_shares(synthetic, edges),
        is_date=is_date,
        has_tails=has_tails,
        **missing,
    )


def _shares(values: Numbers, edges: Numbers) -> tuple[float, ...]:
    inside = values[~np.isnan(values)].clip(edges[0], edges[-1])
    return tuple((np.histogram(inside, edges)[0] / len(values)).tolist())


def _shared_edges(known: Numbers) -> Numbers:
    """At most 40 bins of equal width; whole numbers get bins of a whole width, centred on them."""
    low, high = float(known.min()), float(known.max())
    inner_low, inner_high = map(float, np.quantile(known, [_TAIL, 1 - _TAIL]))
    if inner_low < inner_high and high - low > _LONG_TAIL * (inner_high - inner_low):
        low, high = inner_low, inner_high
    if max(abs(low), abs(high)) < _EXACT_WHOLE and bool((known == np.rint(known)).all()):
        first, last = math.floor(low), math.ceil(high)
        width = math.ceil((last - first + 1) / MAX_BINS)
        bins = math.ceil((last - first + 1) / width)
        return np.arange(bins + 1, dtype=np.float64) * width + (first - 0.5)
    return np.asarray(np.histogram_bin_edges(np.array([low, high]), MAX_BINS), dtype=np.float64)


def _bars(real: Codes, synthetic: Codes, labels: tuple[str, ...], missing: dict[str, float]) -> Bars:
    shares_real = np.bincount(real, minlength=len(labels) + 1)[:-1] / len(real)
    shares_synthetic = np.bincount(synthetic, minlength=len(labels) + 1)[:-1] / len(synthetic)
    order = np.argsort(-np.maximum(shares_real, shares_synthetic), kind="stable")[:MAX_BARS]
    shown = order[np.argsort(-shares_real[order], kind="stable")]
    rest = np.setdiff1d(np.arange(len(labels)), shown)
    return Bars(
        labels=tuple(labels[i] for i in shown),
        real=tuple(shares_real[shown].tolist()),
        synthetic=tuple(shares_synthetic[shown].tolist()),
        others=len(rest),
        others_real=float(shares_real[rest].sum()),
        others_synthetic=float(shares_synthetic[rest].sum()),
        **missing,
    )
