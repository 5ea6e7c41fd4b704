"""Shape, Trend and Dependence: of a table against the real one, and of other real rows (the ceiling)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tabgan.errors import DataError
from tabgan.report.columns import ComparableTable
from tabgan.report.marginals import ColumnScore, score_columns
from tabgan.report.pairs import PairScore, dependence, score_pairs

_SPLITS = 3
"""Halves of a small table can differ by one extreme value; their mean over a few splits is steadier."""


def likeness(real: ComparableTable, synthetic: ComparableTable) -> dict[str, float]:
    """Shape, Trend and Dependence of other rows against real ones, without what they are the means of."""
    return means(score_columns(real, synthetic), score_pairs(real, synthetic), dependence(real, synthetic))


def means(columns: list[ColumnScore], pairs: list[PairScore], tied: float | None) -> dict[str, float]:
    """Shape, Trend and Dependence: the means of what is defined; a score without anything defined is left out."""
    found = {
        "shape": [column.similarity for column in columns if column.similarity is not None],
        "trend": [pair.similarity for pair in pairs if pair.similarity is not None],
        "dependence": [] if tied is None else [tied],
    }
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def ceiling(tables: Mapping[str, ComparableTable], rng: np.random.Generator) -> dict[str, float]:
    """The scores of real rows against other real rows: of the holdout, or of halves of the real table.

    Two samples of `n` and `m` rows differ by chance in proportion to sqrt(1/n + 1/m), as the two-sample KS statistic
    does. Halves differ more than whole tables, and would be too low a ceiling; they are brought to the tables' sizes.
    """
    real = tables["real"]
    if "holdout" in tables:
        return likeness(real, tables["holdout"])
    if real.rows < 2:
        raise DataError("the real table has one row, which cannot be split in two; give a table of more rows.")
    half = real.rows // 2
    splits = []
    for _ in range(_SPLITS):
        order = rng.permutation(real.rows)
        splits.append(likeness(real.take(order[:half]), real.take(order[half:])))
    of_halves = 1 / half + 1 / (real.rows - half)
    scale = float(np.sqrt((1 / real.rows + 1 / tables["synthetic"].rows) / of_halves))
    defined = [name for name in splits[0] if all(name in split for split in splits)]
    return {name: max(0.0, 1 - scale * float(np.mean([1 - split[name] for split in splits]))) for name in defined}
