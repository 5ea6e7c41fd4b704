"""Compare a synthetic table with the real one it stands for: two tables in, a `Report` out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tabgan.column import Column
from tabgan.errors import DataError, some_of
from tabgan.progress import Listener, Progress
from tabgan.report.association import associations
from tabgan.report.columns import check_columns, comparable
from tabgan.report.figures import Figures, Tell, figures
from tabgan.report.histograms import marginals
from tabgan.report.joints import joints
from tabgan.report.likeness import ceiling, likeness, means
from tabgan.report.marginals import ColumnScore, score_columns
from tabgan.report.measures import measures
from tabgan.report.model import MOST_ROWS, Model, likelihood_auc, opened, training_curves
from tabgan.report.pairs import PairScore, dependence, score_pairs
from tabgan.report.report import Report, TableFacts
from tabgan.report.several import joined
from tabgan.report.utility import check_target
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
    model: Any = None,
    seed: int = 0,
    progress: Listener | None = None,
) -> Report:
    """Score how close `synthetic` comes to `real`, column by column and pair by pair.

    Each table is a path, a pandas or polars frame, or a pyarrow table; `synthetic` may be a list of tables (of several
    seeds): the report is of the one with the lowest overall score, and has median and range of each score. `holdout` is
    real rows that the synthetic table was not made from: scored against `real`, they show what fresh real rows would
    get (the ceiling). Without it, the ceiling is estimated from halves of `real` against each other. `seed` draws the
    halves, and the shuffling for the floor.

    "shape" is the mean over the columns of the KS similarity (numbers and dates) or the TV similarity (labels, where a
    missing cell is a label). "trend" is the mean over all pairs of columns of the correlation similarity (two numbers)
    or the contingency similarity. All are in [0, 1] and defined as in the QualityReport of SDMetrics with thresholds
    of 0. "dependence" is the mean over all pairs of the similarity of the joint distributions, cut at the real table's
    deciles: unlike trend it does not hang on the extreme values. Columns that are made up (row identifiers, personal
    ones, free text) are listed and not scored.

    Detection: "c2st_auc" is how well boosted trees tell synthetic from real rows, "logistic_auc" how well logistic
    regression does (it flatters); 0.5 is best. Use: "tstr" is how well a model trained on synthetic rows predicts
    `target` on real ones (AUC, or R^2 for numbers): on the holdout, or on a fifth of `real`; "importance_agreement" is
    how far it goes by the same columns as one trained on real rows. Diversity: "frechet", "knn_precision",
    "knn_recall", "distinct_rows" and "most_repeated" as `diversity.diversity` says. Privacy: "exact_copies" is the
    share of synthetic rows that are in `real`; "nndr", and with a holdout "dcr_share" and "membership_auc", are as
    `privacy.neighbours` says, "singled_out" as `privacy.singled_out`.

    `model`: the `Synthesizer` that was fitted on `real`, or its file: the report shows how its fit went and, with a
    holdout, "likelihood_auc", how well its `score_samples` tells fitted rows from others.

    `progress` is called with a `Progress` before each part of the work.

    Raises `DataError` where a table lacks a column of the real one or cannot be compared with it, and `FileError` where
    a path cannot be read.
    """
    several = list(synthetic) if isinstance(synthetic, list | tuple) else [synthetic]
    if not several:
        raise DataError("there is no synthetic table to compare; give one, or a list of them.")
    parts = ["columns and pairs", "detection", *["utility"] * (target is not None), "diversity", "privacy"]
    parts += ["model"] * (model is not None)
    steps = 1 + len(several) * len(parts)
    _teller(progress, ["reading"], 0, steps)("reading")
    fitted = None if model is None else opened(model)
    if fitted is not None and fitted.spending_ is not None:
        warnings.warn(
            "the model keeps to differential privacy and a report does not: its figures are worked out from the real "
            "table without noise, and say more of single rows than the model does.",
            stacklevel=2,
        )
    known = {"real": _Source.of("real", real)}
    if holdout is not None:
        known["holdout"] = _Source.of("holdout", holdout)
    tables = [known | {"synthetic": _Source.of("synthetic", each)} for each in several]
    schema = Schema.infer(known["real"].table)
    for sources in tables:  # all of them, before the slow part
        for part, source in sources.items():
            check_columns(schema, part, source.table)
    if target is not None:
        check_target([column.name for column in schema if column.is_learned], target)
    reports = [
        _compare(sources, schema, target, fitted, seed, _teller(progress, parts, 1 + i * len(parts), steps))
        for i, sources in enumerate(tables)
    ]
    return joined(reports)


@dataclass(frozen=True)
class _Source:
    name: str
    table: pa.Table

    @classmethod
    def of(cls, part: str, source: Any) -> _Source:
        name = Path(source).name if isinstance(source, str | Path) else f"the {part} table"
        return cls(name, to_arrow(source)[0])


def _compare(
    sources: Mapping[str, _Source], schema: Schema, target: str | None, model: Model | None, seed: int, tell: Tell
) -> Report:
    """The report of one synthetic table."""
    arrow = {part: source.table for part, source in sources.items()}
    tables = comparable(schema, arrow)
    real, synthetic = tables["real"], tables["synthetic"]
    if not real.columns:
        raise DataError("the real table has nothing to compare but row identifiers; give a table with other columns.")

    tell("columns and pairs")
    columns, pairs = score_columns(real, synthetic), score_pairs(real, synthetic)
    rng = np.random.default_rng(seed)
    baselines = {"holdout": ceiling(tables, rng), "independent": likeness(real, real.shuffled(rng))}
    found = figures(tables, target, seed, tell)
    if model is not None:
        tell("model")
        _ask_the_model(found, model, arrow, seed)
    scores = means(columns, pairs, dependence(real, synthetic)) | found.scores
    baselines = {part: baseline | found.baselines[part] for part, baseline in baselines.items()}
    alarms = find_alarms(scores, baselines, found.intervals, found.rows)
    names = [column.name for column in columns]
    return Report(
        scores=scores,
        baselines=baselines,
        target=target,
        columns=_in_schema_order(schema, columns, arrow),
        pairs=tuple(pairs),
        marginals=dict(zip(names, marginals(real, synthetic), strict=True)),
        tables={part: TableFacts(name=source.name, rows=source.table.num_rows) for part, source in sources.items()},
        intervals=found.intervals,
        importance=found.importance,
        curve=found.curve,
        measures=dict(zip(names, measures(real, synthetic), strict=True)),
        associations=associations(real, synthetic, seed),
        joints=joints(real, synthetic, pairs),
        training={} if model is None else training_curves(model.history_),
        looked_at=found.rows,
        alarms=alarms,
        verdict=judge(scores, baselines, alarms),
        notes=tuple(_notes(schema, columns, pairs, arrow["synthetic"])),
    )


def _ask_the_model(found: Figures, model: Model, arrow: Mapping[str, pa.Table], seed: int) -> None:
    if "holdout" not in arrow:
        return
    guessed = likelihood_auc(model, arrow["real"], arrow["holdout"], seed)
    found.scores["likelihood_auc"] = guessed.value
    found.baselines["holdout"]["likelihood_auc"] = 0.5
    found.intervals["likelihood_auc"] = (guessed.low, guessed.high)
    found.rows["the model"] = min(MOST_ROWS, arrow["real"].num_rows, arrow["holdout"].num_rows)


def _teller(progress: Listener | None, parts: Sequence[str], before: int, steps: int) -> Tell:
    """Tells the listener what comes next, and how many parts of the work are done."""

    def tell(part: str) -> None:
        if progress is not None:
            progress(Progress(stage=part, step=before + parts.index(part), steps=steps))

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
