"""What each column of a table is: inferred from the values, shown to the user, kept in the model file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, model_validator

from tabgan.column import Column, as_float, labels_as_codes, plain, plain_type
from tabgan.errors import DataError, SchemaError, nearest
from tabgan.facts import Fact, find_facts
from tabgan.inference import (
    KEY_ROWS,
    LARGEST,
    date_format,
    decimals,
    determines,
    is_key,
    is_monotone,
    named_like_an_id,
)

CODE_VALUES = 20
"""A column of whole numbers with more different values than this is looked at for being an id in disguise."""


class Schema(BaseModel):
    """The columns of a table, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    facts: tuple[Fact, ...] = ()
    """What holds in every row."""

    @model_validator(mode="after")
    def _facts_name_columns(self) -> Schema:
        for fact in self.facts:
            for name in fact.columns:
                if name not in self.names:
                    close = nearest(name, self.names)
                    hint = f"; did you mean {close!r}?" if close else "."
                    raise ValueError(f"the fact '{fact}' names a column {name!r} that is not there{hint}")
        return self

    @classmethod
    def infer(cls, table: pa.Table) -> Schema:
        """Look at every column of `table`. Raises `DataError` for types that no column of rows can be learned from."""
        if table.num_rows == 0:
            raise DataError("the table has no rows; at least one row is needed.")
        labelled = {field.name: labels_as_codes(table[field.name]) for field in table.schema if _is_text(field.type)}
        labels = [codes for codes in labelled.values() if 2 <= codes.max() + 1 < table.num_rows / 2]
        columns = tuple(_column(field, table[field.name], labels) for field in table.schema)
        return cls(columns=columns, facts=find_facts(table, columns))

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
        """The schema as YAML text, one mapping a column and one a fact; also written to `path` where one is given."""
        import yaml

        content: dict[str, Any] = {
            "columns": {column.name: column.model_dump(exclude={"name"}, exclude_defaults=True) for column in self}
        }
        if self.facts:
            content["facts"] = [
                fact.model_dump(mode="json", exclude_defaults=True) | {"keep": fact.keep} for fact in self.facts
            ]
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        if path is not None:
            from tabgan.tables.files import WholeFile

            with WholeFile(path) as file:
                file.write(text.encode())
        return text


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


def _is_code(numbers: np.ndarray, labels: list[np.ndarray]) -> bool:
    """Whether whole numbers name things: each one fixes the label of another column, and not by being high or low."""
    known = ~np.isnan(numbers)
    _, codes = np.unique(numbers[known], return_inverse=True)
    return any(determines(codes, other[known]) and not is_monotone(numbers[known], other[known]) for other in labels)
