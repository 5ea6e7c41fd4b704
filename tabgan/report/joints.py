"""What the drawings of pairs show: how rows spread over the two columns together, in bins.

Bins and no points, since a scatter plot would print real rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tabgan.report.columns import Codes, ComparableTable
from tabgan.report.pairs import PairScore

BINS = 20
MOST_LABELS = 8
MOST_PAIRS = 6
_TAIL = 0.005
"""Numbers beyond these quantiles of the two tables fall into the outermost bins."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The bins of one column: `edges` of numbers (dates in seconds since 1970), or `labels`; one more for missing."""

    name: str
    is_date: bool
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def bins(self) -> int:
        """The number of bins."""
        return max(0, len(self.edges) - 1) + len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Joint:
    """A pair of columns: shares of rows by bins of `x` and `y`, `(x.bins, y.bins)` for each table."""

    x: Axis
    y: Axis
    similarity: float
    real: tuple[tuple[float, ...], ...]
    synthetic: tuple[tuple[float, ...], ...]


def joints(real: ComparableTable, synthetic: ComparableTable, pairs: Iterable[PairScore]) -> tuple[Joint, ...]:
    """The least alike pairs, drawn."""
    scored = [pair for pair in pairs if pair.similarity is not None]
    worst = sorted(scored, key=lambda pair: pair.similarity or 0.0)[:MOST_PAIRS]
    place = {column.name: i for i, column in enumerate(real.columns)}
    return tuple(
        _joint(real, synthetic, place[a], place[b], pair.similarity or 0.0) for pair in worst for a, b in [pair.columns]
    )


def _joint(real: ComparableTable, synthetic: ComparableTable, i: int, j: int, similarity: float) -> Joint:
    (x, x_real, x_synthetic), (y, y_real, y_synthetic) = (_axis(real, synthetic, at) for at in (i, j))
    return Joint(
        x=x,
        y=y,
        similarity=similarity,
        real=_shares(x_real, y_real, x.bins, y.bins),
        synthetic=_shares(x_synthetic, y_synthetic, x.bins, y.bins),
    )


def _shares(x: Codes, y: Codes, width: int, height: int) -> tuple[tuple[float, ...], ...]:
    counts = np.bincount(x * height + y, minlength=width * height).reshape(width, height)
    return tuple(tuple(row) for row in (counts / len(x)).tolist())


def _axis(real: ComparableTable, synthetic: ComparableTable, i: int) -> tuple[Axis, Codes, Codes]:
    """The bins of a column, and in which of them each row of the two tables is."""
    column = real.columns[i]
    if not column.is_number:
        return _label_axis(real, synthetic, i)
    both = np.concatenate([real.numbers(i), synthetic.numbers(i)])
    known = both[~np.isnan(both)]
    ends = np.quantile(known, [_TAIL, 1 - _TAIL]) if len(known) else np.zeros(2)
    edges = np.histogram_bin_edges(ends, BINS)
    missing = len(known) < len(both)
    codes = np.searchsorted(edges[1:-1], both, side="right")
    codes = np.where(np.isnan(both), BINS, codes)
    labels = ("(missing)",) if missing else ()
    axis = Axis(name=column.name, is_date=column.kind == "datetime", edges=tuple(edges.tolist()), labels=labels)
    return axis, codes[: real.rows], codes[real.rows :]


def _label_axis(real: ComparableTable, synthetic: ComparableTable, i: int) -> tuple[Axis, Codes, Codes]:
    """The most frequent labels (missing among them), and all others as one."""
    column = real.columns[i]
    one, other = real.codes(i), synthetic.codes(i)
    shares = [np.bincount(codes, minlength=column.cardinality) / len(codes) for codes in (one, other)]
    most = np.argsort(-np.maximum(*shares), kind="stable")
    most = most[np.maximum(*shares)[most] > 0]
    shown = most[:MOST_LABELS]
    names = [*column.labels, "(missing)"]
    labels = [names[k] or "(empty)" for k in shown]
    if len(most) > len(shown):
        labels.append(f"({len(most) - len(shown):,} more)")
    bins = np.full(column.cardinality, len(shown), dtype=np.int64)
    bins[shown] = np.arange(len(shown))
    return Axis(name=column.name, is_date=False, labels=tuple(labels)), bins[one], bins[other]
