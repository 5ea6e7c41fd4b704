"""What comes out of noisy counts: types and shapes of the columns, and no value of few rows."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabgan.encoding.base import Draw
from tabgan.errors import DataError, SchemaError
from tabgan.private.budget import Budget, plan_looks
from tabgan.private.grid import ends, keys
from tabgan.private.looks import Looks
from tabgan.private.marginals import FileLayout, Marginals, look

ROWS = 20_000
RNG = np.random.default_rng(3)


def _looked_at(table: pa.Table, epsilon: float = 10.0, schema=None) -> Marginals:
    layout = FileLayout.of(table, schema)
    looks = Looks(plan_looks(Budget(epsilon), *layout.looks), np.random.default_rng(0))
    return look(table, layout, looks, table.num_rows)


def _rows(found: Marginals, rows: int = 5_000) -> pa.Table:
    """Rows whose codes are as often as was counted, each by itself."""
    rng, start, codes = np.random.default_rng(1), 0, []
    for code in found.encoder.codes:
        shares = found.frequencies[start : start + code.cardinality]
        codes.append(rng.choice(code.cardinality, rows, p=shares / shares.sum()))
        start += code.cardinality
    return found.encoder.decode(np.column_stack(codes), Draw(np.arange(rows), rng.random((rows, len(codes))), 0))


def _table() -> pa.Table:
    whole = RNG.poisson(30, ROWS)
    day = np.datetime64("2021-03-01") + RNG.integers(0, 300, ROWS)
    return pa.table(
        {
            "label": pa.array(RNG.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1])),
            "category": pa.array(RNG.choice(["x", "y"], ROWS)).dictionary_encode(),
            "flag": RNG.random(ROWS) < 0.2,
            "whole": pa.array(whole, pa.int16()),
            "price": RNG.gamma(3, 20, ROWS).round(2),
            "narrow": (290 + RNG.normal(0, 3, ROWS)).round(1),
            "spiked": np.where(RNG.random(ROWS) < 0.7, 0.0, RNG.gamma(2, 5_000, ROWS)),
            "missing": pa.array(np.where(RNG.random(ROWS) < 0.25, np.nan, RNG.normal(0, 1, ROWS)), from_pandas=True),
            "decimal": pa.array([Decimal(int(v)) / 4 for v in RNG.integers(0, 4_000, ROWS)], pa.decimal128(9, 2)),
            "day": pa.array(day.astype("datetime64[D]")),
            "moment": pa.array(
                (day + np.timedelta64(9, "h")).astype("datetime64[us]") + RNG.integers(0, 8 * 3_600, ROWS) * 10**6
            ),
            "written": [f"{v:,.2f} €" for v in RNG.gamma(3, 500, ROWS)],
            "month": pa.array([dt.date(2020 + i // 12, i % 12 + 1, 1) for i in RNG.integers(0, 36, ROWS)]),
        }
    )


TABLE = _table()


@pytest.fixture(scope="module")
def made() -> pa.Table:
    return _rows(_looked_at(TABLE))


def test_the_types_are_those_of_the_table(made):
    assert made.schema.types == TABLE.schema.types


@pytest.mark.parametrize("name", ["whole", "price", "narrow", "spiked", "missing", "decimal", "day", "moment", "month"])
def test_numbers_and_dates_are_distributed_as_in_the_table(made, name):
    real, new = (
        pd.to_numeric(
            t[name]
            .to_pandas(types_mapper=None)
            .map(
                lambda v: pd.Timestamp(v).value if name in ("day", "moment", "month") else float(v), na_action="ignore"
            )
        )
        for t in (TABLE, made)
    )
    assert abs(real.isna().mean() - new.isna().mean()) < 0.02
    grid = np.sort(real.dropna().to_numpy())
    ks = np.abs(
        np.searchsorted(np.sort(new.dropna()), grid, "right") / new.notna().sum()
        - np.searchsorted(grid, grid, "right") / len(grid)
    ).max()
    assert ks < 0.04


@pytest.mark.parametrize("name", ["label", "category", "flag"])
def test_labels_are_as_often_as_in_the_table(made, name):
    real, new = (t[name].to_pandas().astype(str).value_counts(normalize=True) for t in (TABLE, made))
    assert (real - new).abs().max() < 0.03


def test_the_order_of_categories_is_that_of_the_type_and_not_that_of_the_rows():
    for ordered, wanted in ((True, ["low", "mid", "high"]), (False, ["high", "low", "mid"])):
        values = pd.Categorical(["mid", "low", "high"] * 2_000, ["low", "mid", "none", "high"], ordered=ordered)
        found = _rows(_looked_at(pa.table({"level": pa.array(values)})))["level"].combine_chunks()
        assert found.dictionary.to_pylist() == wanted
        assert found.type.ordered == ordered


def test_decimals_formats_weekdays_and_first_days_of_months_are_kept(made):
    assert all(round(price, 2) == price for price in made["price"].to_pylist())
    assert all(text.endswith(" €") and text[-5] == "." for text in made["written"].to_pylist())
    assert {day.day for day in made["month"].to_pylist()} == {1}
    assert {moment.hour for moment in made["moment"].to_pylist()} <= set(range(9, 17))


def test_all_kinds_of_types_come_back():
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "time": pa.array([dt.time(int(hour), 30) for hour in rng.integers(0, 24, ROWS)]),
            "duration": pa.array(rng.integers(0, 10**9, ROWS), pa.duration("us")),
            "byte": pa.array(rng.integers(0, 255, ROWS), pa.uint8()),
            "large": pa.array(rng.integers(0, 2**62, ROWS)),
            "half": pa.array(rng.normal(size=ROWS).astype(np.float16)),
            "nothing": pa.nulls(ROWS),
            "one": ["x"] * ROWS,
            "day": rng.integers(20200101, 20200131, ROWS),
            "zone": pa.array(rng.integers(1_600_000_000, 1_700_000_000, ROWS), pa.timestamp("s", tz="Europe/Berlin")),
            "share": [f"{value}%" for value in rng.integers(0, 100, ROWS)],
            "answer": rng.choice(["Yes", "No"], ROWS),
        }
    )
    found = _looked_at(table)
    made = _rows(found)
    assert made.schema.types == table.schema.types
    assert {column.name for column in found.schema if column.kind == "constant"} == {"nothing", "one"}
    assert set(made["answer"].to_pylist()) == {"Yes", "No"}
    assert min(made["day"].to_pylist()) >= 20200101
    assert all(text.endswith("%") for text in made["share"].to_pylist())


def test_what_few_rows_hold_is_nowhere():
    table = TABLE.select(["label", "price", "day"]).to_pandas()
    table.loc[0, ["label", "price", "day"]] = ["Kim alone", 98_765_432.11, dt.date(1931, 5, 4)]
    found = _looked_at(pa.Table.from_pandas(table, preserve_index=False))
    kept = json.dumps(
        [found.schema.model_dump(mode="json"), found.encoder.state(), found.encoder.arrow_schema.to_string()]
    )
    assert "Kim" not in kept
    assert "98765" not in kept.replace("_", "")
    rows = _rows(found).to_pandas()
    assert rows.price.max() < 1_000
    assert min(rows.day) > dt.date(2021, 1, 1)
    assert set(rows.label) == {"a", "b", "c"}


def test_the_number_of_rows_is_not_kept_by_pandas_metadata():
    frame = TABLE.select(["label", "price"]).to_pandas()
    found = _looked_at(pa.Table.from_pandas(frame))
    assert str(ROWS).encode() not in (found.encoder.arrow_schema.metadata or {})[b"pandas"]


def test_the_codes_of_a_row_depend_on_no_other_row():
    found = _looked_at(TABLE)
    alone = found.encoder.encode(TABLE.slice(7, 1))
    np.testing.assert_array_equal(found.codes[7], alone[0])


def test_keys_and_personal_values_are_made_up_without_a_look():
    table = pa.table({"id": [f"C-{i:05d}" for i in range(ROWS)], "label": TABLE["label"]})
    assert FileLayout.of(table, None).looks == (1, 1)
    rows = _rows(_looked_at(table))
    assert len(set(rows["id"].to_pylist())) == 5_000
    assert not any(text.startswith("C-") for text in rows["id"].to_pylist())


def test_a_column_without_common_labels_is_left_out_with_a_warning():
    table = pa.table({"code": [f"{i % 9_000}x{i % 7}" for i in range(ROWS)], "label": TABLE["label"]})
    with pytest.warns(UserWarning, match="'code': no value is held by the .* rows that this epsilon needs"):
        found = _looked_at(table, schema={"columns": {"code": "category"}})
    assert found.schema.kept == ["label"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="no column has a value that enough rows hold"):
            _looked_at(table.select(["code"]), schema={"columns": {"code": "category"}})


def test_bounds_and_decimals_that_all_know_cost_no_look():
    table = TABLE.select(["price"])
    assert FileLayout.of(table, None).looks == (6, 1)
    schema = {"columns": {"price": {"minimum": 0, "maximum": 100, "precision": 0}}}
    assert FileLayout.of(table, schema).looks == (5, 1)
    rows = _rows(_looked_at(table, schema=schema))["price"].to_numpy()
    assert rows.max() <= 100
    assert (rows == np.rint(rows)).all()


def test_facts_in_the_schema_are_refused():
    with pytest.raises(SchemaError, match="facts are not kept under epsilon"):
        FileLayout.of(TABLE, {"facts": [{"kind": "order", "column": "price", "of": ["whole"]}]})


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=50))
def test_keys_of_numbers_are_in_their_order_and_lie_between_the_ends_of_their_cells(numbers):
    values = np.sort(np.array(numbers))
    found = keys(values)
    assert (found[1:] >= found[:-1]).all()
    for value, key in zip(values.tolist(), found.tolist(), strict=True):
        low, high = ends(key >> 44, 20)
        assert low <= value <= high or abs(value) > 1e300
