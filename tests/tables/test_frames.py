import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import narwhals
import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import pytest

from tabgan.errors import DataError
from tabgan.tables import from_arrow, read_table, to_arrow, write_table

DAYS = pd.Series(pd.to_datetime(["2024-01-01 00:00", "2024-07-01 12:30", "2024-01-03 00:00"]))
PANDAS = {
    "int64": pd.Series([1, 2, 3]),
    "uint8": pd.Series([1, 2, 3], dtype="uint8"),
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "ints among objects": pd.Series([1, None, 3], dtype=object),
    "float64": pd.Series([1.5, None, 3]),
    "float16": pd.Series([1.5, None, 3], dtype="float16"),
    "Float32": pd.Series([1.5, None, 3], dtype="Float32"),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "truth among objects": pd.Series([True, None, False], dtype=object),
    "objects": pd.Series(["a", None, "b"], dtype=object),
    "string": pd.Series(["a", None, "b"], dtype="string"),
    "pyarrow string": pd.Series(["a", None, "b"], dtype="string[pyarrow]"),
    "category": pd.Series(["a", None, "b"], dtype=pd.CategoricalDtype(["z", "b", "a"], ordered=True)),
    "category of ints": pd.Series([3, 1, 3], dtype="category"),
    "ns": DAYS,
    "s": DAYS.astype("datetime64[s]"),
    "zone": DAYS.dt.tz_localize("Europe/Berlin"),
    "offset": DAYS.dt.tz_localize("+02:00"),
    "timedelta": pd.to_timedelta(pd.Series([1, 2, 3]), unit="s"),
    "dates": pd.Series([dt.date(2024, 1, 1), None, dt.date(2024, 1, 2)]),
    "times": pd.Series([dt.time(1), None, dt.time(2)]),
    "decimals": pd.Series([Decimal("1.50"), None, Decimal("2.25")]),
    "arrow": pd.Series([1, None, 3], dtype=pd.ArrowDtype(pa.int32())),
    "nothing": pd.Series([None, None, None], dtype=object),
}


def there_and_back(frame: object) -> tuple[object, str]:
    table, kind = to_arrow(frame)
    return from_arrow(table, kind), kind


@pytest.mark.parametrize("name", PANDAS)
def test_a_pandas_column_comes_back_with_its_dtype(name: str) -> None:
    frame = pd.DataFrame({"b": [1, 2, 3], "a": PANDAS[name]})
    back, kind = there_and_back(frame)
    assert kind == "pandas"
    pd.testing.assert_frame_equal(back, frame)


def test_a_pandas_frame_comes_back_from_parts_too() -> None:
    """As sampling does it: other rows, in blocks, under the schema of the fitted table."""
    frame = pd.DataFrame(PANDAS)
    rows, kind = to_arrow(frame)
    back = from_arrow(pa.concat_tables([rows, rows]), kind)
    pd.testing.assert_frame_equal(back, pd.concat([frame, frame], ignore_index=True))


def test_a_pandas_index_is_left_out() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 9], name="secret"))
    table, kind = to_arrow(frame)
    assert table.column_names == ["a"]
    pd.testing.assert_frame_equal(from_arrow(table, kind), frame.reset_index(drop=True))


def test_names_that_are_whole_numbers_come_back() -> None:
    frame = pd.DataFrame(np.arange(6).reshape(2, 3))
    table, kind = to_arrow(frame)
    assert table.column_names == ["0", "1", "2"]
    assert from_arrow(table, kind).columns.tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(from_arrow(table, kind), frame, check_column_type=False)


@pytest.mark.parametrize("names", [[1, "a"], [("a", "b"), ("a", "c")], [1.5, 2.5], [pd.Timestamp(0), pd.Timestamp(1)]])
def test_names_of_other_types_are_refused(names: list) -> None:
    with pytest.raises(DataError, match="column names must all be text, or all whole numbers"):
        to_arrow(pd.DataFrame([[1, 2]], columns=names))


def test_a_column_of_mixed_types_is_one_line_without_values() -> None:
    frame = pd.DataFrame({"ok": [1, 2, 3], "mixed": ["secret", 77, 1.5]})
    with pytest.raises(
        DataError, match=r"^column 'mixed' holds 'float', 'int', 'str'; make it one plain type"
    ) as caught:
        to_arrow(frame)
    for word in ("secret", "77", "\n"):
        assert word not in str(caught.value)


def test_the_same_name_twice_is_refused() -> None:
    for frame in (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pa.table([[1], [2]], names=["a", "a"]),
    ):
        with pytest.raises(DataError, match=r"more than once: 'a'\. Rename them"):
            to_arrow(frame)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_without_columns_or_rows_are_refused(make: type) -> None:
    with pytest.raises(DataError, match="no columns"):
        to_arrow(make({}))
    with pytest.raises(DataError, match="no rows"):
        to_arrow(make({"a": []}))


@pytest.mark.parametrize(
    "source", [{"a": [1]}, [1, 2], None, 7, np.ones((2, 2)), pd.Series([1, 2]), pl.Series([1, 2]), pa.array([1])]
)
def test_what_is_no_table_is_refused(source: object) -> None:
    with pytest.raises(DataError, match=f"a {type(source).__name__} is no table; give a path"):
        to_arrow(source)


POLARS = pl.DataFrame(
    {
        "z": pl.Series([1, None, 3], dtype=pl.UInt16),
        "float": pl.Series([1.5, None, 3], dtype=pl.Float32),
        "text": ["a", None, "c"],
        "category": pl.Series(["a", None, "b"], dtype=pl.Categorical),
        "enum": pl.Series(["low", None, "high"], dtype=pl.Enum(["low", "middle", "high"])),
        "truth": [True, None, False],
        "day": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 2)],
        "moment": pl.Series([dt.datetime(2024, 1, 1), None, dt.datetime(2024, 1, 2)], dtype=pl.Datetime("ms")),
        "zone": pl.Series([dt.datetime(2024, 1, 1)] * 3, dtype=pl.Datetime("us")).dt.replace_time_zone("Europe/Berlin"),
        "duration": pl.Series([dt.timedelta(seconds=1)] * 3),
        "time": [dt.time(1), None, dt.time(2)],
        "decimal": pl.Series([Decimal("1.50"), None, Decimal("2.25")], dtype=pl.Decimal(10, 2)),
        "nothing": pl.Series([None, None, None], dtype=pl.Null),
        "a": [1, 2, 3],
    }
)


def test_a_polars_frame_comes_back_in_kind() -> None:
    for source in (POLARS, POLARS.lazy()):
        back, kind = there_and_back(source)
        assert kind == "polars"
        pl.testing.assert_frame_equal(back, POLARS)


def test_an_arrow_table_comes_back_as_it_is() -> None:
    table = pa.table({"a": [1], "b": pa.array(["x"]).dictionary_encode()})
    assert there_and_back(table) == (table, "pyarrow")


def test_other_frames_are_read_through_arrow() -> None:
    table, kind = to_arrow(pa.record_batch({"a": [1]}))
    assert (table.to_pydict(), kind) == ({"a": [1]}, "pyarrow")


@pytest.mark.parametrize(
    "native", [pl.DataFrame({"a": [1]}), pl.LazyFrame({"a": [1]}), pd.DataFrame({"a": [1]}), pa.table({"a": [1]})]
)
def test_a_frame_of_narwhals_comes_back_as_one(native: object) -> None:
    back, kind = there_and_back(narwhals.from_native(native))
    assert kind.startswith("narwhals ")
    assert isinstance(back, narwhals.DataFrame)
    expected = pl.DataFrame if isinstance(native, pl.LazyFrame) else type(native)
    assert isinstance(back.to_native(), expected)
    assert back["a"].to_list() == [1]


def test_a_duckdb_relation_comes_back_as_one() -> None:
    back, kind = there_and_back(duckdb.sql("select 1 as a, 'x' as b"))
    assert kind == "duckdb"
    assert isinstance(back, duckdb.DuckDBPyRelation)
    assert back.fetchall() == [(1, "x")]


def test_a_file_comes_as_a_pandas_frame(tmp_path: Path) -> None:
    frame = pd.DataFrame({"b": [1.0, None], "a": ["x", None]})
    write_table(to_arrow(frame)[0], tmp_path / "t.csv")
    pd.testing.assert_frame_equal(from_arrow(read_table(tmp_path / "t.csv"), "file"), frame)
    whole = tmp_path / "whole.csv"
    whole.write_text("a,b\n1,x\n,y\n")
    pd.testing.assert_frame_equal(from_arrow(read_table(whole), "file"), pd.read_csv(whole))


def test_a_polars_name_with_a_nul_is_refused() -> None:
    with pytest.raises(DataError, match="holds a NUL character"):
        to_arrow(pl.DataFrame({"a\0": [1, 2]}))
