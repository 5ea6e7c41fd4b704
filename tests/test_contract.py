"""The type contract: what goes in comes out, whatever the types, in every kind of frame and file."""

from __future__ import annotations

import datetime as dt
import string
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.column import plain
from tabgan.tables import read_table, write_table

QUICK = TrainConfig(warmup_steps=1, folds=1, game_steps=0)
ROWS = 24


def whole(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high) | st.integers(max(low, -3), min(high, 3))


WORDS = st.text(string.ascii_letters + ' ,;"\n\u00e9\u2603', max_size=6)
MOMENTS = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1))
TYPES: dict[pa.DataType, st.SearchStrategy] = {
    **{getattr(pa, f"int{bits}")(): whole(bits, signed=True) for bits in (8, 16, 32, 64)},
    **{getattr(pa, f"uint{bits}")(): whole(bits, signed=False) for bits in (8, 16, 32, 64)},
    pa.float32(): st.floats(-1e6, 1e6, width=32),
    pa.float64(): st.floats(-1e12, 1e12),
    pa.bool_(): st.booleans(),
    pa.string(): WORDS,
    pa.large_string(): WORDS,
    pa.decimal128(12, 2): st.decimals(-(10**6), 10**6, places=2),
    pa.date32(): st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
    pa.date64(): st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
    pa.time32("s"): st.times().map(lambda time: time.replace(microsecond=0)),
    pa.time64("us"): st.times(),
    **{pa.timestamp(unit): MOMENTS.map(lambda each: each.replace(microsecond=0)) for unit in ("s", "ms", "us", "ns")},
    pa.timestamp("us", "Europe/Berlin"): MOMENTS,
    pa.timestamp("ms", "UTC"): MOMENTS.map(lambda each: each.replace(microsecond=0)),
    pa.duration("s"): st.integers(0, 10**6).map(lambda seconds: dt.timedelta(seconds=seconds)),
    pa.duration("us"): st.integers(0, 10**9).map(lambda us: dt.timedelta(microseconds=us)),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["red", "green", "blue"]),
    pa.dictionary(pa.int32(), pa.int64(), ordered=True): st.sampled_from([10, 20, 30]),
    pa.null(): st.none(),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table of one to four columns of any types, some of which have missing cells."""
    fields, columns = [], []
    for i, kind in enumerate(draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=4))):
        nullable = draw(st.booleans()) or pa.types.is_null(kind)
        cells = TYPES[kind] | st.none() if nullable else TYPES[kind]
        values = draw(st.lists(cells, min_size=ROWS, max_size=ROWS))
        array = pa.array(values, kind.value_type).dictionary_encode() if pa.types.is_dictionary(kind) else values
        columns.append(array.cast(kind) if pa.types.is_dictionary(kind) else pa.array(values, kind))
        fields.append(pa.field(f"column {i}", kind, nullable=nullable))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def keeps_domain(real: pa.ChunkedArray, made: pa.ChunkedArray, kind: str) -> None:
    """Labels are real ones, numbers and dates lie between real ones, and cells are missing only where some were."""
    real, made = plain(real), plain(made)
    assert real.null_count or not made.null_count
    known, new = real.drop_null(), made.drop_null()
    if kind in ("category", "boolean", "constant"):
        assert pc.all(pc.is_in(new, pc.unique(known)), min_count=0).as_py()
    elif kind in ("number", "datetime") and len(new) and not pa.types.is_string(real.type):
        order, places = known.sort(), new.sort()
        assert order[0].as_py() <= places[0].as_py()
        assert places[-1].as_py() <= order[-1].as_py()
    elif kind == "key":
        assert len(pc.unique(new)) == len(new)


def through_a_file(fitted: Synthesizer, folder: Path) -> Synthesizer:
    """The same model saved and loaded, as between `tabgan fit` and `tabgan sample`."""
    fitted.save(folder / "model.tabgan")
    return load(folder / "model.tabgan")


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(tables())
def test_any_table_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> None:
    folder = tmp_path_factory.mktemp("contract")
    synthesizer = through_a_file(Synthesizer(train=QUICK).fit(table), folder)
    made = synthesizer.sample(30)
    assert made.schema.equals(table.schema, check_metadata=True)
    for column in synthesizer.schema:
        keeps_domain(table[column.name], made[column.name], column.kind)

    path = folder / "table.parquet"
    pq.write_table(table, path)
    from_file = through_a_file(Synthesizer(train=QUICK).fit(path), folder)
    write_table(pa.concat_tables(from_file.sample_tables(30)), folder / "rows.parquet")
    assert pq.read_schema(folder / "rows.parquet").equals(pq.read_schema(path), check_metadata=True)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(tables())
def test_any_csv_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> None:
    folder = tmp_path_factory.mktemp("contract")
    write_table(table, folder / "table.csv")
    real = read_table(folder / "table.csv")
    synthesizer = through_a_file(Synthesizer(train=QUICK).fit(folder / "table.csv"), folder)
    write_table(pa.concat_tables(synthesizer.sample_tables(40)), folder / "rows.csv")
    made = read_table(folder / "rows.csv")
    assert made.column_names == real.column_names
    for column in synthesizer.schema:
        values = made[column.name]
        # Forty rows may lack what made a column of text one: then it is read as a narrower type.
        if values.type == real.schema.field(column.name).type:
            keeps_domain(real[column.name], values, column.kind)
        else:
            assert values.null_count == len(values) or pa.types.is_string(real.schema.field(column.name).type)


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.mark.parametrize("name", ["adult", "shoppers", "reviews", "magic", "taxis"])
def test_the_shared_tables_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    path = SHARED / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    real = read_table(path)
    train, model = TrainConfig(warmup_steps=5, game_steps=0, rounds=2), ModelConfig(width=64, blocks=1)
    fitted = Synthesizer(train=train, model=model).fit(path)
    synthesizer = through_a_file(fitted, tmp_path)
    for ending in ("csv", "parquet"):
        out = tmp_path / f"rows.{ending}"
        write_table(pa.concat_tables(synthesizer.sample_tables(3_000)), out)
        made = read_table(out)
        assert made.schema.equals(real.schema)
        for column in synthesizer.schema:
            keeps_domain(real[column.name], made[column.name], column.kind)


PANDAS = pd.DataFrame(
    {
        "int64": range(40),
        "Int32": pd.array([1, None, 3, 4] * 10, dtype="Int32"),
        "uint8": pd.array([1, 2, 3, 4] * 10, dtype="uint8"),
        "float32": pd.array([1.5, 2.5, None, 3] * 10, dtype="float32"),
        "Float64": pd.array([1.5, 2.5, None, 3] * 10, dtype="Float64"),
        "boolean": pd.array([True, None, False, True] * 10, dtype="boolean"),
        "string": pd.array(["a", "b", None, "c"] * 10, dtype="string"),
        "object": pd.Series(["a", "b", None, "c"] * 10, dtype=object),
        "category": pd.Categorical(["a", "b", "a", None] * 10, ["z", "b", "a"], ordered=True),
        "s": pd.Series(pd.date_range("2024-01-01", periods=40)).astype("datetime64[s]"),
        "ns": pd.Series(pd.date_range("2024-01-01", periods=40)).astype("datetime64[ns]"),
        "zone": pd.Series(pd.date_range("2024-01-01", periods=40, tz="Europe/Berlin")),
        "timedelta": pd.Series(pd.to_timedelta(range(40), unit="h")),
        "arrow": pd.array([1, None, 3, 4] * 10, dtype=pd.ArrowDtype(pa.int16())),
        "arrow text": pd.array(["a", None, "b", "c"] * 10, dtype=pd.ArrowDtype(pa.large_string())),
        "decimal": [Decimal("1.50"), None, Decimal("2.25"), Decimal("3.00")] * 10,
        "date": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 2), dt.date(2024, 1, 3)] * 10,
    }
)


def test_pandas_dtypes_come_back_from_frames_and_from_parquet(tmp_path: Path) -> None:
    made = Synthesizer(train=QUICK).fit(PANDAS).sample(25)
    assert made.dtypes.to_dict() == PANDAS.dtypes.to_dict()
    PANDAS.to_parquet(tmp_path / "t.parquet", index=False)
    synthesizer = Synthesizer(train=QUICK).fit(tmp_path / "t.parquet")
    write_table(pa.concat_tables(synthesizer.sample_tables(25)), tmp_path / "rows.parquet")
    back = pd.read_parquet(tmp_path / "rows.parquet")
    assert back.dtypes.to_dict() == pd.read_parquet(tmp_path / "t.parquet").dtypes.to_dict()


def test_polars_dtypes_come_back() -> None:
    frame = pl.from_pandas(PANDAS.drop(columns=["decimal"])).with_columns(
        pl.col("object").cast(pl.Categorical).alias("categorical"),
        pl.Series("decimal", PANDAS["decimal"].tolist(), dtype=pl.Decimal(10, 2)),
        pl.Series("time", [dt.time(1), None, dt.time(2), dt.time(3)] * 10),
        pl.Series("nothing", [None] * 40),
    )
    made = Synthesizer(train=QUICK).fit(frame).sample(25)
    assert made.schema == frame.schema


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, b"bytes"])
def test_nested_cells_are_named_in_one_line_and_may_be_dropped(cell: object) -> None:
    table = pa.table({"nested": pa.array([cell] * 30), "x": range(30)})
    with pytest.raises(ValueError, match=r"^column 'nested' holds .*: drop`\) or split it into plain ones\.$"):
        Synthesizer(train=QUICK).fit(table)
    made = Synthesizer(train=QUICK).fit(table, schema={"columns": {"nested": "drop"}}).sample(5)
    assert made.column_names == ["x"]
