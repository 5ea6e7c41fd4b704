"""Compare a synthetic table with the real one it stands for: two tables in, a `Report` out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tabgan.column import Column
from tabgan.errors import DataError, some_of
from tabgan.progress import Listener, Progress
from tabgan.report.association import associations
from tabgan.report.columns import comparable
from tabgan.report.figures import Tell, figures
from tabgan.report.histograms import marginals
from tabgan.report.joints import joints
from tabgan.report.likeness import ceiling, likeness, means
from tabgan.report.marginals import ColumnScore, score_columns
from tabgan.report.measures import measures
from tabgan.report.pairs import PairScore, dependence, score_pairs
from tabgan.report.report import Report, TableFacts
from tabgan.report.verdict import find_alarms, judge
from tabgan.schema import Schema
from tabgan.tables import to_arrow

_UNEVEN_MISSING = 0.05
"""Shares of missing cells that differ by more than this are pointed out."""


def evaluate(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    target: str | None = None,
    seed: int = 0,
    progress: Listener | None = None,
) -> Report:
    """Score how close `synthetic` comes to `real`, column by column and pair by pair.

    Each table is a path, a pandas or polars frame, or a pyarrow table. `holdout` is real rows that the synthetic table
    was not made from: scored against `real`, they show what fresh real rows would get (the ceiling). Without it, the
    ceiling is estimated from halves of `real` against each other. `seed` draws the halves, and the shuffling for the
    floor.

    "shape" is the mean over the columns of the KS similarity (numbers and dates) or the TV similarity (labels, where a
    missing cell is a label). "trend" is the mean over all pairs of columns of the correlation similarity (two numbers)
    or the contingency similarity. All are in [0, 1] and defined as in the QualityReport of SDMetrics with thresholds
    of 0. "dependence" is the mean over all pairs of the similarity of the joint distributions, cut at the real table's
    deciles: unlike trend it does not hang on the extreme values. Columns that are made up (row identifiers, personal
    ones, free text) are listed and not scored.

    Detection: "c2st_auc" is how well boosted trees tell synthetic from real rows, "logistic_auc" how well logistic
    regression does (it flatters); 0.5 is best. Use: "tstr" is how well a model trained on synthetic rows predicts
    `target` on real ones (AUC, or R^2 for numbers): on the holdout, or on a fifth of `real`. Diversity: "frechet",
    "knn_precision", "knn_recall", "distinct_rows" and "most_repeated" as `diversity.diversity` says. Privacy:
    "exact_copies" is the share of synthetic rows that are in `real`; "nndr", and with a holdout "dcr_share" and
    "membership_auc", are as `privacy.neighbours` says, "singled_out" as `privacy.singled_out`.

    `progress` is called with a `Progress` before each part of the work.

    Raises `DataError` where a table lacks a column of the real one or cannot be compared with it, and `FileError` where
    a path cannot be read.
    """
    tell = _teller(progress, target is not None)
    tell("reading")
    sources = {"real": real, "synthetic": synthetic} | ({} if holdout is None else {"holdout": holdout})
    arrow = {part: to_arrow(source)[0] for part, source in sources.items()}
    schema = Schema.infer(arrow["real"])
    tables = comparable(schema, arrow)
    if not tables["real"].columns:
        raise DataError("the real table has nothing to compare but row identifiers; give a table with other columns.")

    tell("columns and pairs")
    columns = score_columns(tables["real"], tables["synthetic"])
    pairs = score_pairs(tables["real"], tables["synthetic"])
    rng = np.random.default_rng(seed)
    baselines = {
        "holdout": ceiling(tables, rng),
        "independent": likeness(tables["real"], tables["real"].shuffled(rng)),
    }
    found = figures(tables, target, seed, tell)
    scores = means(columns, pairs, dependence(tables["real"], tables["synthetic"])) | found.scores
    baselines = {part: baseline | found.baselines[part] for part, baseline in baselines.items()}
    alarms = find_alarms(scores, baselines, found.intervals, found.rows)
    more = measures(tables["real"], tables["synthetic"])
    drawn = marginals(tables["real"], tables["synthetic"])
    return Report(
        scores=scores,
        baselines=baselines,
        target=target,
        columns=_in_schema_order(schema, columns, arrow),
        pairs=tuple(pairs),
        marginals={column.name: marginal for column, marginal in zip(columns, drawn, strict=True)},
        tables={part: TableFacts(name=_name(part, sources[part]), rows=arrow[part].num_rows) for part in arrow},
        intervals=found.intervals,
        importance=found.importance,
        curve=found.curve,
        measures={column.name: measured for column, measured in zip(columns, more, strict=True)},
        associations=associations(tables["real"], tables["synthetic"], seed),
        joints=joints(tables["real"], tables["synthetic"], pairs),
        looked_at=found.rows,
        alarms=alarms,
        verdict=judge(scores, baselines, alarms),
        notes=tuple(_notes(schema, columns, pairs, arrow["synthetic"])),
    )


def _teller(progress: Listener | None, with_target: bool) -> Tell:
    """Tells the listener what comes next, and how many parts of the work are done."""
    parts = ["reading", "columns and pairs", "detection", *["utility"] * with_target, "diversity", "privacy"]

    def tell(part: str) -> None:
        if progress is not None:
            progress(Progress(stage=part, step=parts.index(part), steps=len(parts)))

    return tell


def _in_schema_order(schema: Schema, scores: list[ColumnScore], arrow: dict[str, pa.Table]) -> dict[str, ColumnScore]:
    by_name = {score.name: score for score in scores}
    return {column.name: by_name.get(column.name) or _made_up(column, arrow) for column in schema}


def _made_up(column: Column, arrow: dict[str, pa.Table]) -> ColumnScore:
    name = column.name
    missing = {part: arrow[part][name].null_count / arrow[part].num_rows for part in ("real", "synthetic")}
    return ColumnScore(
        name=name,
        kind=column.kind,
        metric=None,
        similarity=None,
        missing_real=missing["real"],
        missing_synthetic=missing["synthetic"],
        note={"key": "a row identifier", "pii": "personal, made up", "text": "free text, made up"}[column.kind],
    )


def _notes(schema: Schema, columns: list[ColumnScore], pairs: list[PairScore], synthetic: pa.Table) -> Iterable[str]:
    keys = [column.name for column in schema if column.kind == "key"]
    if keys:
        yield f"Not scored, because every row has a value of its own (row identifiers): {some_of(keys)}."
    personal = [column.name for column in schema if column.kind in ("pii", "text")]
    if personal:
        yield f"Not scored, because new values are made up and not learned (personal, free text): {some_of(personal)}."
    undefined = [column.name for column in columns if column.similarity is None]
    if undefined:
        yield f"Not scored, because one of the tables has no value there: {some_of(undefined)}."
    uneven = [
        column.name for column in columns if abs(column.missing_real - column.missing_synthetic) > _UNEVEN_MISSING
    ]
    if uneven:
        yield f"Missing cells are much more frequent in one of the tables (KS leaves them out): {some_of(uneven)}."
    unvaried = sum(pair.similarity is None for pair in pairs)
    if unvaried:
        yield f"{unvaried} pair(s) have no correlation, because a column does not vary; Trend leaves them out."
    extra = [name for name in synthetic.column_names if name not in schema.names]
    if extra:
        yield f"Only in the synthetic table, and not compared: {some_of(extra)}."


def _name(part: str, source: object) -> str:
    return Path(source).name if isinstance(source, str | Path) else f"the {part} table"
