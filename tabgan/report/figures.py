"""What single columns and pairs do not show: detection, utility, diversity and privacy, each beside two baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tabgan.report.columns import ComparableTable
from tabgan.report.detection import detect
from tabgan.report.distance import Ruler
from tabgan.report.diversity import diversity
from tabgan.report.privacy import Curve, copies, neighbours, repeats, singled_out
from tabgan.report.utility import agreement, utility

MOST_DIVERSITY_ROWS = 10_000
"""Rows of each table that the figures on diversity come from, at most."""

Tell = Callable[[str], None]
"""Called with what comes next."""


@dataclass
class Figures:
    """`scores` and `baselines` as in `Report`, as is all else."""

    scores: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, dict[str, float]] = field(default_factory=lambda: {"holdout": {}, "independent": {}})
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    importance: dict[str, float] = field(default_factory=dict)
    curve: Curve | None = None
    rows: dict[str, int] = field(default_factory=dict)

    def part(self, name: str) -> dict[str, float]:
        """Where the figures of "synthetic", "holdout" or "independent" rows go."""
        return self.scores if name == "synthetic" else self.baselines[name]


def figures(tables: Mapping[str, ComparableTable], target: str | None, seed: int, tell: Tell) -> Figures:
    """All of them, for synthetic rows, for other real rows and for shuffled columns."""
    real, rng = tables["real"], np.random.default_rng(seed)
    order = rng.permutation(real.rows)
    half = real.rows // 2
    # Other real rows and those they are compared with: the holdout, or one half of the real table and the other.
    others, against = tables.get("holdout"), real
    if others is None:
        others, against = real.take(order[:half]), real.take(order[half:])
    compared = {
        "synthetic": (real, tables["synthetic"]),
        "holdout": (against, others),
        "independent": (real, real.shuffled(rng)),
    }
    found = Figures()
    tell("detection")
    _detection(found, compared, seed)
    if target is not None:
        tell("utility")
        _utility(found, tables, compared, order, target, seed)
    ruler = Ruler(real)
    tell("diversity")
    rows = min(MOST_DIVERSITY_ROWS, *(table.rows for pair in compared.values() for table in pair))
    found.rows["diversity"] = rows
    for part, (one, other) in compared.items():
        found.part(part).update(diversity(one, other, rows, ruler, seed))
    tell("privacy")
    _privacy(found, tables, compared, ruler, seed)
    return found


def _detection(found: Figures, compared: Mapping[str, tuple[ComparableTable, ComparableTable]], seed: int) -> None:
    for part, (one, other) in compared.items():
        detection = detect(one, other, seed, explain=part == "synthetic")
        if detection is None:
            continue
        found.part(part).update(detection.scores)
        if part == "synthetic":
            found.rows["detection"] = detection.rows
            found.intervals["c2st_auc"] = (detection.trees.low, detection.trees.high)
            found.importance = detection.importance


def _utility(
    found: Figures,
    tables: Mapping[str, ComparableTable],
    compared: Mapping[str, tuple[ComparableTable, ComparableTable]],
    order: np.ndarray,
    target: str,
    seed: int,
) -> None:
    """Tested on the holdout, or on a fifth of the real table, which real rows are then not trained on."""
    real = tables["real"]
    fifth = real.rows // 5
    test = tables["holdout"] if "holdout" in tables else real.take(order[:fifth])
    on_real = real.take(order if "holdout" in tables else order[fifth:])
    trained = {part: other for part, (_, other) in compared.items()} | {"holdout": on_real}
    found_by = {part: used for part, train in trained.items() if (used := utility(train, test, target, seed))}
    for part, used in found_by.items():
        found.part(part)["tstr"] = used.score
    if "holdout" not in found_by:
        return
    # Of what real rows get: models of two halves of them.
    halves = [utility(on_real.take(rows), test, target, seed) for rows in np.array_split(np.arange(on_real.rows), 2)]
    by = found_by["holdout"].importance
    pairs = {part: (used.importance, by) for part, used in found_by.items()}
    pairs |= {"holdout": (halves[0].importance, halves[1].importance)} if halves[0] and halves[1] else {}
    for part, (one, other) in pairs.items():
        if (alike := agreement(one, other)) is not None:
            found.part(part)["importance_agreement"] = alike


def _privacy(
    found: Figures,
    tables: Mapping[str, ComparableTable],
    compared: Mapping[str, tuple[ComparableTable, ComparableTable]],
    ruler: Ruler,
    seed: int,
) -> None:
    real, synthetic, holdout = tables["real"], tables["synthetic"], tables.get("holdout")
    found.scores["exact_copies"] = copies(real, synthetic)
    found.baselines["holdout"]["exact_copies"] = repeats(real) if holdout is None else copies(real, holdout)
    found.baselines["independent"]["exact_copies"] = copies(real, compared["independent"][1])
    near = neighbours(real, synthetic, holdout, ruler, seed)
    found.scores |= near.scores
    found.baselines["holdout"] |= near.others
    found.curve = near.curve
    found.rows["privacy"] = near.rows
    if near.membership is not None:
        found.intervals["membership_auc"] = (near.membership.low, near.membership.high)
    against, others = compared["holdout"]
    made, real_ones = singled_out(against, [synthetic, others], seed)
    if made is not None and real_ones is not None:
        found.scores["singled_out"] = made
        found.baselines["holdout"]["singled_out"] = real_ones
