"""Are synthetic rows nearer to the rows they were learned from than other real rows are? Are there copies? Can an
attacker who holds the synthetic table say who was in the real one, or what is rare in it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import isqrt

import numpy as np

from tabgan.report.columns import ComparableTable, Numbers
from tabgan.report.distance import Places, Ruler, nearest
from tabgan.report.roc import Auc, auc_with_interval
from tabgan.report.rowids import row_ids

MOST_ROWS = 10_000
"""Rows of each table whose distances are worked out, at most."""
MOST_CELLS = 2_000_000_000
"""Of wide tables fewer rows are looked at: rows x rows x columns is at most this."""
FEW_COLUMNS = 3
"""So many columns make a combination that may single somebody out."""
MOST_COMBINATIONS = 60
_CURVE_POINTS = 101


@dataclass(frozen=True, kw_only=True)
class Curve:
    """How near rows lie to the closest row of the real table: the distance that 0 %, 1 %, ... 100 % of them are within,
    for synthetic rows and for other real rows."""

    synthetic: tuple[float, ...]
    others: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """What the distances to the closest rows say; `others` are the holdout's rows, or the real table's own."""

    scores: dict[str, float]
    others: dict[str, float]
    curve: Curve
    rows: int
    """The rows of the real table that were looked at."""
    membership: Auc | None = None


def neighbours(
    real: ComparableTable, synthetic: ComparableTable, holdout: ComparableTable | None, ruler: Ruler, seed: int
) -> Neighbours:
    """Compare how synthetic and other real rows lie to the rows of `real`; without a holdout these are the rows of
    `real` themselves, each without itself. At most 10,000 rows of each table (fewer of more than 20 columns), as many
    of the holdout as of `real`.

    "nndr": the 5th percentile of the distance to the closest real row divided by that to the second closest (1 where
    both are 0): near 0, rows lie beside one single person. With a holdout also "dcr_share" and "membership_auc".
    """
    rng = np.random.default_rng(seed)
    most = min(MOST_ROWS, isqrt(MOST_CELLS // max(1, len(real.columns))))
    rows = min(real.rows, most) if holdout is None else min(real.rows, holdout.rows, most)
    train, made = _some(real, rows, ruler, rng), _some(synthetic, most, ruler, rng)
    fresh = None if holdout is None else _some(holdout, rows, ruler, rng)
    to_train = nearest(made, train, 2)
    others = nearest(train, train, 2, but_itself=True) if fresh is None else nearest(fresh, train, 2)
    scores, of_others = {"nndr": _ratio(to_train)}, {"nndr": _ratio(others)}
    membership = None
    if fresh is not None:
        to_fresh = nearest(made, fresh)[:, 0]
        scores["dcr_share"] = float((to_train[:, 0] < to_fresh).mean() + (to_train[:, 0] == to_fresh).mean() / 2)
        membership = membership_auc(nearest(train, made)[:, 0], nearest(fresh, made)[:, 0])
        scores["membership_auc"] = membership.value
        of_others |= {"dcr_share": 0.5, "membership_auc": 0.5}
    curve = Curve(synthetic=_percentiles(to_train[:, 0]), others=_percentiles(others[:, 0]))
    return Neighbours(scores=scores, others=of_others, curve=curve, rows=rows, membership=membership)


def membership_auc(of_members: Numbers, of_others: Numbers) -> Auc:
    """How well one guesses who was in the real table by who is nearer to a synthetic row: the black-box attack of
    GAN-Leaks (Chen et al. 2020). Takes distances to the closest synthetic row, of real and of held-out rows; 0.5 is a
    guess, 1 gives everybody away."""
    member = np.repeat([True, False], [len(of_members), len(of_others)])
    return auc_with_interval(member, -np.concatenate([of_members, of_others]))


def copies(real: ComparableTable, other: ComparableTable) -> float:
    """The share of rows of `other` that are in `real`, cell by cell."""
    known, found = row_ids([real, other])
    return float(np.isin(found, known).mean())


def repeats(real: ComparableTable) -> float:
    """The share of rows that another row of the same table equals: what fresh rows would have of copies."""
    (ids,) = row_ids([real])
    return float((np.bincount(ids)[ids] > 1).mean())


def singled_out(real: ComparableTable, others: list[ComparableTable], seed: int) -> list[float | None]:
    """For each other table, the share of the real rows' rare combinations that it holds: those of the values of three
    columns (all, or 60 drawn ones) that exactly one row of `real` has. As many rows of each table are looked at. None
    where no combination is rare."""
    rng = np.random.default_rng(seed)
    rows = min(table.rows for table in others)
    others = [table.take(rng.permutation(table.rows)[:rows]) for table in others]
    rare, held = 0, np.zeros(len(others), dtype=np.int64)
    for columns in _few_columns(len(real.columns), rng):
        ids, *of_others = row_ids([real, *others], columns)
        only = np.flatnonzero(np.bincount(ids) == 1)
        rare += len(only)
        held += [int(np.isin(only, found).sum()) for found in of_others]
    return [share / rare if rare else None for share in held.tolist()]


def _few_columns(columns: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    few = min(FEW_COLUMNS, columns)
    if columns <= 8:  # 56 combinations
        yield from combinations(range(columns), few)
        return
    for _ in range(MOST_COMBINATIONS):
        yield tuple(sorted(rng.choice(columns, few, replace=False).tolist()))


def _some(table: ComparableTable, rows: int, ruler: Ruler, rng: np.random.Generator) -> Places:
    return ruler.places(table.take(rng.permutation(table.rows)[:rows]))


def _ratio(distances: Numbers) -> float:
    """The 5th percentile, as Zhao et al. 2021 (CTAB-GAN) report it, of first to second distance."""
    first, second = distances.T
    known = np.isfinite(second)
    if not known.any():
        return 1.0
    ratios = np.divide(first[known], second[known], out=np.ones(int(known.sum())), where=second[known] > 0)
    return float(np.quantile(ratios, 0.05))


def _percentiles(distances: Numbers) -> tuple[float, ...]:
    known = distances[np.isfinite(distances)]
    return tuple(np.quantile(known, np.linspace(0, 1, _CURVE_POINTS)).tolist()) if len(known) else ()
