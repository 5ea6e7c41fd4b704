"""More on one column than its similarity: distances, coverage, tails, and when dates fall."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tabgan.report.columns import DAY, Codes, ComparableTable, Numbers, hours, weekdays
from tabgan.report.distance import known_sorted
from tabgan.report.marginals import tv_similarity
from tabgan.report.pairs import cut, deciles

TAIL = 0.001
"""The lower and the upper quantile that are compared, as far as there are rows."""
RARE = 0.01
"""A label of fewer of the real rows than this is rare."""
_EXPECTED = 5
"""Bins where fewer rows are expected are pooled, as the chi-square distribution fits only the larger ones."""

Measures = dict[str, float | None]


def measures(real: ComparableTable, synthetic: ComparableTable) -> list[Measures]:
    """For each column its measures by name; None where one is undefined.

    All: "jensen_shannon", "chi_square_p", "missing_difference" (synthetic less real). Numbers and dates: "wasserstein",
    "range_coverage", "low_real", "low_synthetic", "high_real", "high_synthetic" (the quantiles 0.1 % and 99.9 %, or as
    far out as the smaller table has rows). Labels: "category_coverage", "rare_category_coverage". Dates: the TV
    similarity of "weekday", "month" and, where there is a time of day, "hour".
    """
    found = []
    for i, column in enumerate(real.columns):
        of_column: Measures = {"missing_difference": synthetic.missing_share(i) - real.missing_share(i)}
        if column.is_number:
            one, other = real.numbers(i), synthetic.numbers(i)
            cuts = deciles(one)
            binned = (cut(one, cuts), cut(other, cuts), len(cuts) + 2)
            of_column |= _of_numbers(known_sorted(one), known_sorted(other))
            if column.kind == "datetime":
                of_column |= _of_dates(known_sorted(one), known_sorted(other))
        else:
            binned = (real.codes(i), synthetic.codes(i), column.cardinality)
            of_column |= _of_labels(*binned)
        of_column |= {"jensen_shannon": jensen_shannon(*binned), "chi_square_p": chi_square_p(*binned)}
        found.append(of_column)
    return found


def wasserstein(real: Numbers, synthetic: Numbers) -> float | None:
    """How far values must be moved on average to turn one sample into the other (the first Wasserstein distance), in
    standard deviations of the real one. Takes sorted values; None where the real ones do not vary."""
    from scipy.stats import wasserstein_distance

    largest = max(np.abs(real).max(), np.abs(synthetic).max())
    if real[0] == real[-1]:
        return None
    # Divided first, so that very large values do not overflow.
    one, other = real / largest, synthetic / largest
    spread = float(one.std())
    return float(wasserstein_distance(one, other)) / spread if spread > 0 else None


def jensen_shannon(real: Codes, synthetic: Codes, cardinality: int) -> float:
    """The Jensen-Shannon distance of two coded columns: the root of the divergence with logarithms to base 2 (Lin 1991;
    Endres and Schindelin 2003), in [0, 1]. Numbers are coded by the real table's deciles."""
    from scipy.spatial.distance import jensenshannon

    one, other = (np.bincount(codes, minlength=cardinality) / len(codes) for codes in (real, synthetic))
    distance = float(jensenshannon(one, other, base=2))
    return 0.0 if np.isnan(distance) else min(1.0, distance)  # rounding may leave the divergence a hair below 0


def chi_square_p(real: Codes, synthetic: Codes, cardinality: int) -> float | None:
    """The p value of Pearson's chi-square test that both columns are drawn from one distribution, labels of few rows
    pooled. None where there is nothing to compare. With many rows the smallest difference has a small p."""
    from scipy.stats import chi2_contingency

    counts = np.stack([np.bincount(codes, minlength=cardinality) for codes in (real, synthetic)])
    expected = counts.sum(axis=0) * min(len(real), len(synthetic)) / (len(real) + len(synthetic))
    many = expected >= _EXPECTED
    pooled = np.column_stack([counts[:, many], counts[:, ~many].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    return float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else None


def range_coverage(real: Numbers, synthetic: Numbers) -> float | None:
    """The share of the real range that lies between the least and the largest synthetic value, in [0, 1]. Takes sorted
    values; None where the real ones do not vary."""
    low, high = real[0], real[-1]
    if low == high:
        return None
    ends = np.clip([synthetic[0], synthetic[-1]], low, high) / 2  # halved, as the range may be beyond float64
    return float((ends[1] - ends[0]) / (high / 2 - low / 2))


def _of_numbers(real: Numbers, synthetic: Numbers) -> Measures:
    if not len(real) or not len(synthetic):
        return {"wasserstein": None, "range_coverage": None}
    tail = max(TAIL, 1 / min(len(real), len(synthetic)))
    found: Measures = {
        "wasserstein": wasserstein(real, synthetic),
        "range_coverage": range_coverage(real, synthetic),
        "tail": tail,
    }
    for name, values in (("real", real), ("synthetic", synthetic)):
        # The value itself and none between two: an interpolated one may be beyond float64, and is nobody's value.
        found[f"low_{name}"] = float(np.quantile(values, tail, method="inverted_cdf"))
        found[f"high_{name}"] = float(np.quantile(values, 1 - tail, method="inverted_cdf"))
    return found


def _of_labels(real: Codes, synthetic: Codes, cardinality: int) -> Measures:
    """Coverage of the labels of the real column, the last code (missing) left out."""
    counts = np.bincount(real, minlength=cardinality)[:-1]
    held = np.bincount(synthetic, minlength=cardinality)[:-1] > 0
    known = counts > 0
    rare = known & (counts < RARE * len(real))
    return {
        "category_coverage": float(held[known].mean()) if known.any() else None,
        "rare_category_coverage": float(held[rare].mean()) if rare.any() else None,
    }


def _of_dates(real: Numbers, synthetic: Numbers) -> Measures:
    if not len(real) or not len(synthetic):
        return {}
    return {
        name: tv_similarity(one, other, size)
        for (name, one, size), (_, other, _) in zip(_parts(real), _parts(synthetic), strict=True)
        if name != "hour" or (real % DAY).any()
    }


def _parts(seconds: Numbers) -> Iterator[tuple[str, Codes, int]]:
    days = (seconds // DAY).astype(np.int64)
    yield "weekday", weekdays(seconds).astype(np.int64), 7
    yield "month", days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12, 12
    yield "hour", hours(seconds).astype(np.int64), 24
