"""What each column of a table is: inferred from the values, shown to the user, kept in the model file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from tabgan.errors import DataError, SchemaError, nearest
from tabgan.inference import (
    KEY_ROWS,
    LARGEST,
    date_format,
    date_unit,
    decimals,
    determines,
    is_key,
    is_monotone,
    named_like_an_id,
    parse_dates,
    write_dates,
)

Kind = Literal["category", "number", "datetime", "boolean", "key", "constant"]

CODE_VALUES = 20
"""A column of whole numbers with more different values than this is looked at for being an id in disguise."""


class Column(BaseModel):
    """One column: what it is, and what its values look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    dtype: str
    """The Arrow type as text, for example `int64` or `timestamp[us]`."""
    nullable: bool = False
    """Whether missing cells were seen."""
    format: str | None = None
    """How a date that is text is written (strftime)."""
    precision: int | None = None
    """Decimals of a number; -3 for multiples of 1,000; None where values are kept in full."""

    def numbers(self, values: pa.ChunkedArray) -> np.ndarray:
        """`(rows,)` float64, NaN where missing: a number's values, a date's seconds since 1970 (wall clock)."""
        if self.kind == "datetime":
            ticks, missing = self.ticks(values)
            return np.where(missing, np.nan, ticks / self.ticks_a_second)
        return as_float(values)

    def labels(self, values: pa.ChunkedArray) -> np.ndarray:
        """`(rows,)` objects: every value as text, None where missing."""
        return np.array(plain(values).cast(pa.string()).to_pylist(), dtype=object)

    def ticks(self, values: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """A date as ticks since 1970 on the wall clock, `(rows,)` int64, and where it is missing, `(rows,)` bool."""
        stamps = plain(values)
        if not pa.types.is_temporal(stamps.type):
            stamps = self._parsed(stamps.cast(pa.string()))
        if pa.types.is_timestamp(stamps.type) and stamps.type.tz:
            stamps = pc.local_timestamp(stamps)
        missing = np.asarray(pc.is_null(stamps))
        whole = stamps.cast(pa.timestamp(self.unit), safe=False).cast(pa.int64())
        return np.asarray(pc.fill_null(whole, 0)), missing

    def _parsed(self, text: pa.ChunkedArray) -> pa.ChunkedArray:
        """Dates written as text: in the column's format, or, in another table, in one of their own."""
        if self.format is not None:
            stamps = parse_dates(text, self.format)
            if stamps.null_count == text.null_count:
                return stamps
        form = date_format(text)
        if form is None:
            written = f" like {self.format}" if self.format else ""
            raise DataError(f"column {self.name!r}: dates{written} are expected, and some cells are none; mend them.")
        return parse_dates(text, form)

    def from_ticks(self, ticks: np.ndarray, missing: np.ndarray, kind: pa.DataType) -> pa.Array:
        """Undo `ticks`: an Arrow array of type `kind`, text in the column's format where it was text."""
        stamps = pa.array(ticks, pa.int64(), mask=missing).cast(pa.timestamp(self.unit))
        if self.format is not None:
            return write_dates(stamps, self.format).cast(kind)
        if pa.types.is_timestamp(kind) and kind.tz:
            return pc.assume_timezone(stamps, kind.tz, ambiguous="earliest", nonexistent="earliest").cast(kind)
        return stamps.cast(kind)

    @property
    def unit(self) -> str:
        """The unit of `ticks`: s, ms, us or ns."""
        if self.format is not None:
            return date_unit(self.format)
        found = re.match(r"timestamp\[(s|ms|us|ns)", self.dtype)
        return found[1] if found else "s"

    @property
    def ticks_a_second(self) -> int:
        """How many ticks make a second."""
        return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[self.unit]


class Schema(BaseModel):
    """The columns of a table, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]

    @classmethod
    def infer(cls, table: pa.Table) -> Schema:
        """Look at every column of `table`. Raises `DataError` for types that no column of rows can be learned from."""
        if table.num_rows == 0:
            raise DataError("the table has no rows; at least one row is needed.")
        labelled = {field.name: _codes(table[field.name]) for field in table.schema if _is_text(field.type)}
        labels = [codes for codes in labelled.values() if 2 <= codes.max() + 1 < table.num_rows / 2]
        return cls(columns=tuple(_column(field, table[field.name], labels) for field in table.schema))

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        close = nearest(name, self.names)
        raise SchemaError(f"no column {name!r}" + (f"; did you mean {close!r}?" if close else "."))

    def __iter__(self) -> Iterator[Column]:  # type: ignore[override]
        return iter(self.columns)

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The schema as YAML text, one mapping a column; also written to `path` where one is given."""
        import yaml

        content: dict[str, Any] = {
            "columns": {column.name: column.model_dump(exclude={"name"}, exclude_defaults=True) for column in self}
        }
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        if path is not None:
            from tabgan.tables.files import WholeFile

            with WholeFile(path) as file:
                file.write(text.encode())
        return text


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values in the type of `plain_type`: categories as what they stand for, NaN as missing."""
    values = values.cast(plain_type(values.type))
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves: a dictionary's (pandas' and polars' categories).

    Arrow computes little with views of text and with halves, so these are widened.
    """
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.float32() if pa.types.is_float16(kind) else kind


def as_float(values: pa.ChunkedArray) -> np.ndarray:
    """Numbers, decimals, times and durations as `(rows,)` float64, NaN where missing."""
    kind = values.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        values = values.cast(whole).cast(pa.int64())
    return np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), float("nan")))


def _column(field: pa.Field, values: pa.ChunkedArray, labels: list[np.ndarray]) -> Column:
    kind, is_dictionary = plain_type(field.type), pa.types.is_dictionary(field.type)
    if not _is_plain(kind):
        raise DataError(
            f"column {field.name!r} holds {field.type}, no plain values; drop the column or split it into plain ones."
        )
    values = plain(values)
    nullable = values.null_count > 0
    column = Column(name=field.name, kind="category", dtype=str(field.type), nullable=nullable)
    known = pc.unique(values).drop_null()
    distinct = len(known)
    if distinct + nullable <= 1:
        return column.model_copy(update={"kind": "constant"})
    if pa.types.is_boolean(field.type):
        return column.model_copy(update={"kind": "boolean"})
    if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
        return column.model_copy(update={"kind": "datetime"})
    if _is_text(kind):
        return _text_column(column, values, distinct, is_dictionary)
    if is_dictionary:
        return column  # the user's own categories
    numbers = as_float(values)
    if not (np.abs(numbers) <= LARGEST).any():
        return column  # infinities, between which there is no number
    places = decimals(numbers.astype(np.float32) if kind == pa.float32() else numbers)
    number = column.model_copy(update={"kind": "number", "precision": places})
    if not pa.types.is_integer(kind):
        return number
    # Floats would make one of large keys that differ in their last digits.
    if distinct == len(values) - values.null_count and is_key(np.asarray(known), field.name):
        return column.model_copy(update={"kind": "key"})
    if distinct <= 2 or named_like_an_id(field.name) or (distinct > CODE_VALUES and _is_code(numbers, labels)):
        return column
    return number


def _text_column(column: Column, values: pa.ChunkedArray, distinct: int, is_dictionary: bool) -> Column:
    form = None if is_dictionary else date_format(values)
    if form is not None:
        return column.model_copy(update={"kind": "datetime", "format": form})
    if distinct == len(values) - values.null_count >= KEY_ROWS:
        return column.model_copy(update={"kind": "key"})
    return column


def _is_plain(kind: pa.DataType) -> bool:
    """Whether the values of a type are single ones: numbers, text, truth values, dates, times, or nothing at all."""
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    is_when = pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    return bool(_is_text(kind) or is_number or is_when or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _codes(values: pa.ChunkedArray) -> np.ndarray:
    """`(rows,)` int64: a number for each distinct value, missing included."""
    encoded = plain(values).combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64)


def _is_code(numbers: np.ndarray, labels: list[np.ndarray]) -> bool:
    """Whether whole numbers name things: each one fixes the label of another column, and not by being high or low."""
    known = ~np.isnan(numbers)
    _, codes = np.unique(numbers[known], return_inverse=True)
    return any(determines(codes, other[known]) and not is_monotone(numbers[known], other[known]) for other in labels)
