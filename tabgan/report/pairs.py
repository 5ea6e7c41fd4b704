"""How alike the tie between two columns is in two tables, over all pairs of columns.

Two numbers: correlation similarity. Anything else: contingency similarity, numbers cut into ten bins. Defined as the
QualityReport of SDMetrics does it, with `real_correlation_threshold` and `real_association_threshold` of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tabgan.report.columns import Codes, ComparableTable, Numbers

Mask = npt.NDArray[np.bool_]

BINS = 10
_BIN_CODES = BINS + 2
"""`numpy.digitize` numbers the bins from 1 and puts the largest value into one of its own."""
_DENSE_CELLS_PER_ROW = 8
"""A contingency table with more cells than this for each row is counted by sorting instead of in full."""


@dataclass(frozen=True, kw_only=True)
class PairScore:
    """How the tie between two synthetic columns compares with the real one.

    `similarity` is in [0, 1]; `real` and `synthetic` are the correlations where `metric` is "correlation". Each is None
    where it is undefined: a correlation with a column that does not vary.
    """

    columns: tuple[str, str]
    metric: str
    similarity: float | None
    real: float | None = None
    synthetic: float | None = None


def correlations(columns: Sequence[Numbers]) -> Numbers:
    """Pearson's correlation of all pairs of `d` columns of shape `(n,)`, as a `(d, d)` array.

    A pair is compared on the rows where both have a value (NaN is a missing cell); it is NaN with fewer than two such
    rows, or where either column does not vary on them.
    """
    matrix = np.full((len(columns), len(columns)), np.nan)
    patterns = _by_missing_pattern(columns)
    for a, (rows_a, members_a) in enumerate(patterns):
        for rows_b, members_b in patterns[a:]:
            rows = rows_a & rows_b
            directions_a = _directions([columns[i][rows] for i in members_a])
            block = directions_a @ _directions([columns[i][rows] for i in members_b]).T
            matrix[np.ix_(members_a, members_b)] = block
            matrix[np.ix_(members_b, members_a)] = block.T
    return matrix.clip(-1, 1)


def discretise(values: Numbers) -> Codes:
    """Ten bins of equal width between the least and the largest value, as codes in `[1, 11]` of the shape of `values`.

    As in the QualityReport of SDMetrics, each table is cut by its own range, and missing cells share the code of the
    largest value. (SDMetrics' ContingencySimilarity called by itself cuts both tables by the real range.)
    """
    known = values[~np.isnan(values)]
    ends = np.array([known.min(), known.max()] if len(known) else [])
    if len(known) and not _have_room(float(ends[0]), float(ends[1])):
        values, ends = (values - ends[0]) / (np.ptp(ends) or 1), np.array([0.0, float(ends[0] < ends[1])])
    return np.digitize(values, np.histogram_bin_edges(ends, BINS)).astype(np.int64)


def _have_room(low: float, high: float) -> bool:
    """Whether there are floats for all edges that NumPy puts between two ends, or around a single one."""
    around = 0.5 * (low == high)
    return bool((np.diff(np.linspace(low - around, high + around, BINS + 1)) > 0).all())


def contingency_similarity(real: tuple[Codes, Codes], synthetic: tuple[Codes, Codes], shape: tuple[int, int]) -> float:
    """One minus the total variation distance between the joint distributions of two coded columns.

    Takes two pairs of int arrays with codes in `[0, shape[0])` and `[0, shape[1])`. Returns a float in [0, 1].
    """
    cells_real = real[0] * shape[1] + real[1]
    cells_synthetic = synthetic[0] * shape[1] + synthetic[1]
    cells = shape[0] * shape[1]
    if cells > _DENSE_CELLS_PER_ROW * (len(cells_real) + len(cells_synthetic)):
        found, both = np.unique(np.concatenate([cells_real, cells_synthetic]), return_inverse=True)
        cells_real, cells_synthetic, cells = both[: len(cells_real)], both[len(cells_real) :], len(found)
    shares_real = np.bincount(cells_real, minlength=cells) / len(cells_real)
    shares_synthetic = np.bincount(cells_synthetic, minlength=cells) / len(cells_synthetic)
    return float(1 - np.abs(shares_real - shares_synthetic).sum() / 2)


def score_pairs(real: ComparableTable, synthetic: ComparableTable) -> list[PairScore]:
    """The similarity of every pair of columns, in the order of `itertools.combinations` over the table's columns."""
    place = {column: i for i, column in enumerate(i for i, column in enumerate(real.columns) if column.is_number)}
    r_real = correlations([real.numbers(i) for i in place])
    r_synthetic = correlations([synthetic.numbers(i) for i in place])
    codes_real, codes_synthetic = _codes(real), _codes(synthetic)
    sizes = [_BIN_CODES if column.is_number else column.cardinality for column in real.columns]
    scores = []
    for i, j in combinations(range(len(real.columns)), 2):
        names = (real.columns[i].name, real.columns[j].name)
        if i in place and j in place:
            scores.append(_correlation_score(names, r_real[place[i], place[j]], r_synthetic[place[i], place[j]]))
        else:
            similarity = contingency_similarity(
                (codes_real[i], codes_real[j]), (codes_synthetic[i], codes_synthetic[j]), (sizes[i], sizes[j])
            )
            scores.append(PairScore(columns=names, metric="contingency", similarity=similarity))
    return scores


def dependence(real: ComparableTable, synthetic: ComparableTable) -> float | None:
    """The mean over all pairs of `contingency_similarity`, in [0, 1], both cut at the real table's deciles.

    Trend cuts each table into bins of equal width by its own range, so that one extreme value moves all bins and may
    count more than all ties. This one does not depend on the extremes. None for a single column.
    """
    columns = range(len(real.columns))
    cuts = [deciles(real.numbers(i)) if real.columns[i].is_number else None for i in columns]
    coded_real, coded_synthetic = (
        [table.codes(i) if found is None else cut(table.numbers(i), found) for i, found in enumerate(cuts)]
        for table in (real, synthetic)
    )
    sizes = [real.columns[i].cardinality if found is None else len(found) + 2 for i, found in enumerate(cuts)]
    similarities = [
        contingency_similarity(
            (coded_real[i], coded_real[j]), (coded_synthetic[i], coded_synthetic[j]), (sizes[i], sizes[j])
        )
        for i, j in combinations(columns, 2)
    ]
    return float(np.mean(similarities)) if similarities else None


def deciles(values: Numbers) -> Numbers:
    """Where to cut numbers into ten parts of equally many rows; equal cuts are one."""
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)


def cut(values: Numbers, cuts: Numbers) -> Codes:
    """Codes: between which cuts values lie; missing cells have the last code, `len(cuts) + 1`."""
    codes = np.searchsorted(cuts, values, side="left")
    return np.where(np.isnan(values), len(cuts) + 1, codes)


def _correlation_score(names: tuple[str, str], real: float, synthetic: float) -> PairScore:
    similarity = 1 - abs(real - synthetic) / 2
    return PairScore(
        columns=names,
        metric="correlation",
        similarity=_or_none(similarity),
        real=_or_none(real),
        synthetic=_or_none(synthetic),
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _codes(table: ComparableTable) -> list[Codes]:
    return [
        discretise(table.numbers(i)) if column.is_number else table.codes(i) for i, column in enumerate(table.columns)
    ]


def _by_missing_pattern(columns: Sequence[Numbers]) -> list[tuple[Mask, list[int]]]:
    """The columns in groups that lack the same cells: (rows with a value, indices of the columns)."""
    groups: dict[bytes, tuple[Mask, list[int]]] = {}
    for i, column in enumerate(columns):
        known = ~np.isnan(column)
        groups.setdefault(known.tobytes(), (known, []))[1].append(i)
    return list(groups.values())


def _directions(columns: Sequence[Numbers]) -> Numbers:
    """The columns centred and scaled to length one, as a `(d, n)` array; NaN throughout a column that does not vary."""
    directions = np.full((len(columns), max(len(columns[0]), 1)), np.nan)  # without rows: NaN, as an empty sum is zero
    for i, column in enumerate(columns):
        if len(column) >= 2 and column.min() < column.max():
            column = column / np.abs(column).max()  # before summing and squaring, so that large values do not overflow
            centred = column - column.mean()
            centred /= np.abs(centred).max()  # before squaring, so that close values do not vanish
            directions[i] = centred / np.linalg.norm(centred)
    return directions
