"""Do synthetic rows cover what real rows cover, or do they repeat a few? What mode collapse looks like in a table."""

from __future__ import annotations

import numpy as np

from tabgan.report.columns import ComparableTable, Numbers
from tabgan.report.distance import Places, Ruler, blocks, nearest
from tabgan.report.embedding import Embedding
from tabgan.report.rowids import row_ids

MOST_ROWS = 3_000
"""Rows of each table whose neighbours are looked for, at most."""
NEIGHBOURS = 3
"""As in the paper on precision and recall."""


def diversity(real: ComparableTable, other: ComparableTable, rows: int, ruler: Ruler, seed: int) -> dict[str, float]:
    """The figures of `other` against `real`, from `rows` rows of each, as all of them depend on how many they are.

    "frechet": `frechet_distance` of the embedded rows, as a share of the variance of the real ones. "knn_precision",
    "knn_recall": `precision_and_recall` of at most 3,000 rows. "distinct_rows": the share of rows of `other` that are
    left when repeats are taken out. "most_repeated": how often its most frequent row occurs.
    """
    rng = np.random.default_rng(seed)
    real, other = (table.take(rng.permutation(table.rows)[:rows]) for table in (real, other))
    counts = np.bincount(row_ids([other])[0])
    figures = {"distinct_rows": len(counts) / other.rows, "most_repeated": float(counts.max())}
    if rows <= NEIGHBOURS:
        return figures
    embedding = Embedding(real)
    vectors = embedding.of(real)
    variance = float(vectors.var(axis=0).sum())
    if variance > 0:
        figures["frechet"] = frechet_distance(vectors, embedding.of(other)) / variance
    few = np.arange(min(rows, MOST_ROWS))
    figures["knn_precision"], figures["knn_recall"] = precision_and_recall(
        ruler.places(real.take(few)), ruler.places(other.take(few))
    )
    return figures


def frechet_distance(one: Numbers, other: Numbers) -> float:
    """The squared Fréchet distance of the normal distributions with the means and covariances of two samples of
    vectors, `(n, d)` and `(m, d)`: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), the formula of the FID (Heusel et al.
    2017, equation 6). Not negative; 0 where both are alike."""
    gap = one.mean(axis=0) - other.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(vectors, rowvar=False, bias=True)) for vectors in (one, other))
    # tr (C1 C2)^(1/2) is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric.
    values, directions = np.linalg.eigh(first)
    root = (directions * np.sqrt(values.clip(0))) @ directions.T
    roots = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0))
    return max(0.0, float(gap @ gap + np.trace(first) + np.trace(second) - 2 * roots.sum()))


def precision_and_recall(real: Places, other: Places, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """The share of other rows that lie within reach of a real row, and the share of real rows within reach of another
    one (Kynkäänniemi et al. 2019, equations 1 and 2). A row's reach is the distance to its k-th nearest neighbour in
    its own table. Low precision: rows that real data does not hold. Low recall: real rows that nothing stands for."""
    reach_real, reach_other = (nearest(rows, rows, neighbours, but_itself=True)[:, -1] for rows in (real, other))
    reached_other = np.zeros(len(other), dtype=bool)
    reached_real = np.zeros(len(real), dtype=bool)
    for part, distances in blocks(other, real):
        reached_other[part] = (distances <= reach_real).any(axis=1)
        reached_real |= (distances <= reach_other[part][:, None]).any(axis=0)
    return float(reached_other.mean()), float(reached_real.mean())
