"""SDMetrics as an oracle: the same definitions, computed by somebody else."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import comparable
from tabgan.report.likeness import likeness
from tabgan.report.marginals import ColumnScore, score_columns
from tabgan.report.pairs import PairScore, score_pairs
from tabgan.schema import Schema

pytest.importorskip("sdmetrics", reason="sdmetrics is not installed: it needs pandas 2")

SDTYPES = {"number": "numerical", "datetime": "datetime"}


def judged(real: pd.DataFrame, synthetic: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """SDMetrics' columns, pairs and scores. Labels go in as text, a missing one as a text of its own."""
    kinds = {column.name: column.kind for column in Schema.infer(pa.Table.from_pandas(real)) if column.kind != "key"}
    for name, kind in kinds.items():
        if kind == "constant" and pd.api.types.is_numeric_dtype(real[name]):
            kinds[name] = "number"
    metadata = {"columns": {name: {"sdtype": SDTYPES.get(kind, "categorical")} for name, kind in kinds.items()}}
    tables = []
    for table in (real, synthetic):
        columns = {}
        for name, kind in kinds.items():
            if kind == "number":
                columns[name] = table[name].astype(float)
            elif kind == "datetime":
                columns[name] = pd.to_datetime(table[name]).astype("datetime64[ns]")
            else:
                columns[name] = table[name].astype(object).where(table[name].notna(), "missing").astype(str)
        tables.append(pd.DataFrame(columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports.single_table import QualityReport

        report = QualityReport()
        report.real_correlation_threshold = 0
        report.real_association_threshold = 0
        report.generate(*tables, metadata, verbose=False)
    columns_judged = report.get_details("Column Shapes").set_index("Column")
    pairs_judged = report.get_details("Column Pair Trends").set_index(["Column 1", "Column 2"])
    properties = report.get_properties().set_index("Property")["Score"]
    return (
        columns_judged,
        pairs_judged,
        {"shape": properties["Column Shapes"], "trend": properties["Column Pair Trends"]},
    )


def assert_agree(real: pd.DataFrame, synthetic: pd.DataFrame) -> tuple[list[ColumnScore], list[PairScore]]:
    """Compare all columns and pairs, and give them back."""
    tables = {
        part: pa.Table.from_pandas(table, preserve_index=False)
        for part, table in (("real", real), ("synthetic", synthetic))
    }
    ready = comparable(Schema.infer(tables["real"]), tables)
    our_columns = score_columns(ready["real"], ready["synthetic"])
    our_pairs = score_pairs(ready["real"], ready["synthetic"])
    columns, pairs, _ = judged(real, synthetic)
    assert [score.name for score in our_columns] == list(columns.index)
    ours = as_floats(score.similarity for score in our_columns)
    assert ours == pytest.approx(columns["Score"].to_numpy(), abs=1e-6, nan_ok=True)
    assert [pair.columns for pair in our_pairs] == list(pairs.index)
    similarities = as_floats(pair.similarity for pair in our_pairs)
    assert similarities == pytest.approx(pairs["Score"].to_numpy(), abs=1e-6, nan_ok=True)
    both = [pair.metric == "correlation" and pair.similarity is not None for pair in our_pairs]
    assert any(both)
    for ours_is, theirs_is in (("real", "Real Correlation"), ("synthetic", "Synthetic Correlation")):
        correlations = as_floats(getattr(pair, ours_is) for pair in our_pairs)[both]
        assert correlations == pytest.approx(pairs[theirs_is].to_numpy()[both], abs=1e-6)
    return our_columns, our_pairs


def as_floats(values: object) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def test_every_kind_of_column_agrees(orders: pd.DataFrame, damage: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert_agree(orders, damage(orders))


def test_shape_and_trend_agree(orders: pd.DataFrame, damage: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    synthetic = damage(orders)
    *_, scores = judged(orders, synthetic)
    tables = {"real": pa.Table.from_pandas(orders), "synthetic": pa.Table.from_pandas(synthetic)}
    ready = comparable(Schema.infer(tables["real"]), tables)
    ours = likeness(ready["real"], ready["synthetic"])
    assert {name: ours[name] for name in scores} == pytest.approx(scores, abs=1e-6)


def test_a_constant_synthetic_column_agrees(orders: pd.DataFrame) -> None:
    synthetic = orders.sample(frac=1, replace=True, random_state=0).assign(price=7.0, size="tiny")
    _, pairs = assert_agree(orders, synthetic)
    assert any(pair.similarity is None for pair in pairs)


def test_a_synthetic_column_without_values_agrees(orders: pd.DataFrame) -> None:
    columns, _ = assert_agree(orders, orders.assign(weight=np.nan, size=None))
    assert {score.name for score in columns if score.similarity is None} == {"weight"}


@pytest.mark.parametrize("name", ["adult", "magic", "reviews", "shoppers", "taxis"])
def test_public_tables_agree(name: str, shared_data: Path, damage: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    real = pd.read_csv(shared_data / f"{name}.csv").sample(1500, random_state=0, ignore_index=True)
    assert_agree(real, damage(real))
