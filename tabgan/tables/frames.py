"""Frames in and out: pandas, polars, pyarrow or a file goes in, and the same kind comes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import narwhals
import pyarrow as pa

from tabgan.errors import DataError, check_names, some_of
from tabgan.tables.files import Source, open_table, read_table

_NARWHALS = "narwhals "
_KEPT = b"tabgan.pandas"
"""Metadata of a table: what of a pandas frame Arrow does not bring back, namely the type of the names, some dtypes."""


def to_arrow(source: Any) -> tuple[pa.Table, str]:
    """The table in `source` and the kind it came in: "file", "pandas", "polars", "pyarrow", "duckdb" or, wrapped by
    narwhals, "narwhals pandas" and so on.

    `source` is a path, a pandas or polars frame, a pyarrow table, a duckdb relation, one of these wrapped by narwhals,
    or any frame that speaks Arrow's C stream, which comes back as a pyarrow table. A pandas index is left out.

    Raises `FileError` for what cannot be read and `DataError` for tables that Arrow cannot hold or that have no rows.
    """
    if isinstance(source, str | Path):
        return read_table(source), "file"
    if isinstance(source, pa.Table):
        return _checked(source), "pyarrow"
    if "pandas" in sys.modules and _is_pandas(source):
        return _checked(_from_pandas(source)), "pandas"
    if "polars" in sys.modules and _is_polars(source):
        frame = source.lazy().collect()
        if any("\0" in name for name in frame.columns):  # where polars panics
            raise DataError("a column name holds a NUL character; rename it.")
        return _checked(frame.to_arrow()), "polars"
    if isinstance(source, narwhals.DataFrame | narwhals.LazyFrame):
        table, kind = to_arrow(source.to_native())
        return table, f"{_NARWHALS}{kind}"
    if "duckdb" in sys.modules and _is_duckdb(source):
        return _checked(source.to_arrow_table()), "duckdb"
    if hasattr(source, "__arrow_c_stream__") and (hasattr(source, "columns") or hasattr(source, "schema")):
        return _checked(pa.table(source)), "pyarrow"
    raise DataError(
        f"a {type(source).__name__} is no table; give a path, a pandas or polars frame, or a pyarrow table."
    )


def open_source(source: Any) -> tuple[Source, str]:
    """As `to_arrow`, but a file is not read as a whole: its rows come in blocks."""
    if isinstance(source, str | Path):
        return open_table(source), "file"
    table, kind = to_arrow(source)
    return Source.of(table), kind


def from_arrow(table: pa.Table, kind: str) -> Any:
    """`table` as a frame of `kind`, as `to_arrow` named it; "file" gives a pandas frame."""
    if kind.startswith(_NARWHALS):
        return narwhals.from_native(from_arrow(table, kind.removeprefix(_NARWHALS)))
    if kind == "pyarrow":
        return table
    if kind == "duckdb":
        import duckdb

        return duckdb.from_arrow(table)
    if kind == "polars":
        import polars

        return polars.from_arrow(table)
    # In a pandas frame whole numbers with missing ones were objects, as floats they would not come back.
    frame = table.to_pandas(integer_object_nulls=kind == "pandas")
    kept = (table.schema.metadata or {}).get(_KEPT)
    if kept is not None:
        names, dtypes = json.loads(kept)
        frame = frame.astype(dtypes)
        for name, dtype in dtypes.items():
            if dtype == "object":  # pandas 3 reads text as str, in which a missing cell is NaN
                frame[name] = frame[name].where(frame[name].notna(), None)
        frame.columns = frame.columns.astype(names)
    return frame


def _is_pandas(source: Any) -> bool:
    import pandas

    return isinstance(source, pandas.DataFrame)


def _is_duckdb(source: Any) -> bool:
    import duckdb

    return isinstance(source, duckdb.DuckDBPyRelation)


def _is_polars(source: Any) -> bool:
    import polars

    return isinstance(source, polars.DataFrame | polars.LazyFrame)


def _from_pandas(frame: Any) -> pa.Table:
    if frame.columns.inferred_type not in ("string", "integer", "empty"):
        raise DataError(
            "column names must all be text, or all whole numbers; use frame.columns.map(str) for the former."
        )
    names = [str(column) for column in frame.columns]
    check_names(names)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError):
        raise DataError(_mixed(frame)) from None
    back = table.slice(0, 1).to_pandas().dtypes
    differ = [(name, dtype) for name, dtype, other in zip(names, frame.dtypes, back, strict=True) if dtype != other]
    dtypes = {name: spelled for name, dtype in differ if (spelled := _spelled(dtype))}
    if not dtypes and frame.columns.inferred_type != "integer":
        return table
    kept = json.dumps([str(frame.columns.dtype), dtypes])
    return table.replace_schema_metadata({**table.schema.metadata, _KEPT: kept})


def _spelled(dtype: Any) -> str | None:
    """The text that pandas reads as `dtype`, for example `string[pyarrow]`; None where there is none."""
    import pandas

    text = "object" if str(dtype) == "object" else repr(dtype)
    try:
        return text if pandas.api.types.pandas_dtype(text) == dtype else None
    except TypeError:
        return None


def _mixed(frame: Any) -> str:
    """Which column Arrow could not hold, by the types found in it and not by its values."""
    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowException, TypeError, ValueError):
            types = sorted({type(value).__name__ for value in frame[name].dropna()})
            return f"column {str(name)!r} holds {some_of(types)}; make it one plain type, for example with astype(str)."
    return "the frame cannot be turned into an Arrow table; check the types of its columns."


def _checked(table: pa.Table) -> pa.Table:
    if table.num_columns == 0:
        raise DataError("the table has no columns.")
    check_names(table.column_names)
    if table.num_rows == 0:
        raise DataError("the table has no rows; at least one row is needed.")
    return table
