"""Brings tables to columns that can be compared: numbers and dates as floats, all else as codes of shared labels.

What a column is comes from the real table. A missing number is NaN; a missing label is a label of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tabgan.column import Column
from tabgan.errors import DataError, some_of
from tabgan.schema import Schema

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

DAY = 86_400
"""Seconds of a day."""
LARGEST = 1e300
"""Differences of such numbers are floats still."""


@dataclass(frozen=True, kw_only=True)
class ComparableColumn:
    """What one column is: its kind, and for labels what code 0, 1, ... stand for (the last code: a missing cell)."""

    name: str
    kind: str
    is_number: bool
    labels: tuple[str, ...] = ()

    @property
    def cardinality(self) -> int:
        """The number of codes, the one for a missing cell included."""
        return len(self.labels) + 1


@dataclass(frozen=True, kw_only=True)
class ComparableTable:
    """The values of one table: for each column `(rows,)` float64 with NaN, or `(rows,)` int64 codes."""

    columns: tuple[ComparableColumn, ...]
    values: tuple[npt.NDArray[np.generic], ...]
    rows: int

    def take(self, rows: Rows) -> ComparableTable:
        """The table of these rows."""
        taken = tuple(values[rows] for values in self.values)
        return ComparableTable(columns=self.columns, values=taken, rows=len(rows))

    def shuffled(self, rng: np.random.Generator) -> ComparableTable:
        """Every column shuffled by itself: the distributions stay, the ties between columns go."""
        return ComparableTable(columns=self.columns, values=tuple(map(rng.permutation, self.values)), rows=self.rows)

    def numbers(self, index: int) -> Numbers:
        """The values of a column of numbers; what is larger than can be reckoned with, infinity too, is cut off."""
        return self.values[index].astype(np.float64, copy=False).clip(-LARGEST, LARGEST)

    def codes(self, index: int) -> Codes:
        """The codes of a column of labels."""
        return self.values[index].astype(np.int64, copy=False)

    def missing_share(self, index: int) -> float:
        """The share of the column's cells that are missing, in [0, 1]."""
        column = self.columns[index]
        missing = np.isnan(self.numbers(index)) if column.is_number else self.codes(index) == len(column.labels)
        return float(missing.mean())


def comparable(schema: Schema, tables: Mapping[str, pa.Table]) -> dict[str, ComparableTable]:
    """Bring tables to comparable columns: those of `schema` (inferred from the real table) that are learned.

    `tables` are named by their part ("real", "synthetic", ...), and come back so. Raises `DataError` where one lacks a
    column of the schema, or holds something else in it than the real table.
    """
    for part, table in tables.items():
        check_columns(schema, part, table)
    columns: list[ComparableColumn] = []
    values: list[list[npt.NDArray[np.generic]]] = []
    for column in schema:
        if not column.is_learned:
            continue
        chunks = {part: table[column.name] for part, table in tables.items()}
        number = _as_number(column, tables["real"].schema.field(column.name).type)
        if number is not None:
            columns.append(ComparableColumn(name=column.name, kind=column.kind, is_number=True))
            values.append([_numbers(number, part, chunk) for part, chunk in chunks.items()])
        else:
            kind = chunks["real"].type
            labels, codes = _shared_codes([_labels(column, part, chunk, kind) for part, chunk in chunks.items()])
            columns.append(ComparableColumn(name=column.name, kind=column.kind, is_number=False, labels=labels))
            values.append(list(codes))
    return {
        part: ComparableTable(columns=tuple(columns), values=tuple(column[i] for column in values), rows=table.num_rows)
        for i, (part, table) in enumerate(tables.items())
    }


def check_columns(schema: Schema, part: str, table: pa.Table) -> None:
    """Raises `DataError` where a table lacks a column of the schema."""
    lacking = [name for name in schema.names if name not in table.column_names]
    if lacking:
        raise DataError(
            f"the {part} table lacks {len(lacking)} column(s) of the real table: {some_of(lacking)}. "
            "Add them, or drop them from the real table."
        )


def _as_number(column: Column, kind: pa.DataType) -> Column | None:
    """The column as one whose values are numbers or dates, or None where they are labels."""
    if column.kind in ("number", "datetime"):
        return column
    if column.kind != "constant":
        return None
    types = pa.types
    if types.is_date(kind) or types.is_timestamp(kind):
        return column.model_copy(update={"kind": "datetime"})
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return column if is_number or types.is_time(kind) or types.is_duration(kind) else None


def _numbers(column: Column, part: str, values: pa.ChunkedArray) -> Numbers:
    """`(rows,)` float64; what is not finite counts as missing."""
    try:
        numbers = _dates(column, values) if column.kind == "datetime" else column.numbers(values)
    except (pa.ArrowException, DataError):
        what = "dates" if column.kind == "datetime" else "numbers"
        raise DataError(
            f"column {column.name!r} holds {what} in the real table and {values.type} in the {part} table that cannot "
            f"be read as {what}; write the column as {what} there."
        ) from None
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _dates(column: Column, values: pa.ChunkedArray) -> Numbers:
    """Seconds since 1970. Text is ISO 8601, in whatever form, or written as in the real table."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        try:
            return column.numbers(values.cast(pa.timestamp("us")))
        except pa.ArrowException:
            pass  # not ISO 8601
    return column.numbers(values)


def _labels(column: Column, part: str, values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The values as text, spelled as in the real table where its type `kind` can hold them: 2.0 and '2' become 2."""
    try:
        return values.cast(kind).cast(pa.large_string())
    except pa.ArrowException:
        pass  # labels that the real table does not have
    try:
        return values.cast(pa.large_string())
    except pa.ArrowException:
        raise DataError(
            f"column {column.name!r} holds {values.type} in the {part} table, which is no plain value; write text."
        ) from None


def _shared_codes(texts: list[pa.ChunkedArray]) -> tuple[tuple[str, ...], list[Codes]]:
    """Code the labels of several tables alike, the most frequent of the first table first; the last code is missing."""
    encoded = pa.concat_arrays([chunk for text in texts for chunk in text.chunks]).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = np.asarray(encoded.indices.fill_null(len(names))).astype(np.int64)
    frequency = np.bincount(codes[: len(texts[0])], minlength=len(names) + 1)[:-1]
    order = np.argsort(-frequency, kind="stable")
    renamed = np.append(np.argsort(order), len(names))
    splits = np.cumsum([len(text) for text in texts])[:-1]
    return tuple(names[i] for i in order), np.split(renamed[codes].astype(np.int64), splits)


def weekdays(seconds: Numbers) -> Numbers:
    """Of seconds since 1970, from 0 for Monday; NaN stays."""
    found: Numbers = (seconds // DAY + 3) % 7  # 1 January 1970 was a Thursday
    return found


def hours(seconds: Numbers) -> Numbers:
    """The hours of the day of seconds since 1970; NaN stays."""
    found: Numbers = seconds % DAY // 3_600
    return found
