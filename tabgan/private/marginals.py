"""A table -> its schema, its encoder and its codes, of which the first two follow from noisy counts alone.

Taken as known are the names, types and order of the columns, their kinds (keys, personal values, text, dates, numbers,
labels) and how dates and numbers that are text are written: the layout of the file. Everything else that a schema and
the encoders hold is learned from a made-up table, whose columns are drawn one by one from noisy counts.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain
from tabgan.encoding.base import ColumnEncoder
from tabgan.encoding.category import CategoryEncoder
from tabgan.encoding.table import TableEncoder
from tabgan.errors import DataError, SchemaError, some_of
from tabgan.private.columns import Unlearnable, looks_of, made_up
from tabgan.private.looks import Looks
from tabgan.schema import Schema
from tabgan.schemafile import Wishes

LEAST_MADE, MOST_MADE = 2_000, 100_000
"""Rows of the made-up table: about as many as the real one has, within these."""
KNOWN = ("dtype", "format", "pii", "locale")
"""Of a column's settings those that belong to the layout, beside its kind."""


@dataclass(frozen=True)
class FileLayout:
    """What is known of a table beforehand."""

    schema: Schema
    wishes: Mapping[str, Mapping[str, Any]]
    """What the user says of columns, by their names: known to all."""

    @classmethod
    def of(cls, table: pa.Table, schema: Any) -> FileLayout:
        """The layout of `table`, and `schema` as a user gives it. Raises `SchemaError` for one that does not fit."""
        wishes = _wishes(schema)
        return cls(Schema.infer(table, replace(wishes, facts=())), wishes.columns)

    @property
    def looks(self) -> tuple[int, int]:
        """How many looks the columns take, and how many of these at cells that are not known beforehand."""
        asked = [looks_of(column, self.wishes.get(column.name, {})) for column in self.schema]
        return sum(looks for looks, _ in asked), sum(unknown for _, unknown in asked)


@dataclass(frozen=True)
class Marginals:
    """What follows from noisy counts of single columns; but for `codes` it owes the rows nothing else."""

    schema: Schema
    encoder: TableEncoder
    frequencies: np.ndarray
    """`(total,)`: how often each value of each code occurs."""
    codes: np.ndarray
    """`(rows, codes)` int64 of the real rows."""


def look(table: pa.Table, layout: FileLayout, looks: Looks, rows: int) -> Marginals:
    """Look at the columns one by one; `rows`: about how many there are. Raises `DataError` where nothing is seen."""
    made, left_out = _made(table, layout, looks, min(max(rows, LEAST_MADE), MOST_MADE))
    found = Schema.infer(made, Wishes(_settings(layout, made, left_out), ()))
    found = found.model_copy(update={"columns": tuple(each.model_copy(update={"reason": None}) for each in found)})
    encoder = TableEncoder(found, made.schema).fit(made)
    codes = encoder.encode(made)
    counts = [np.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(encoder.codes)]
    frequencies = np.concatenate([*counts, np.zeros(0)]) / made.num_rows
    return Marginals(found, encoder, frequencies, _encoded(encoder.encoders, table, looks.rng))


def _wishes(schema: Any) -> Wishes:
    """What a user says of a table; of a whole schema only what belongs to the layout."""
    if isinstance(schema, Schema):
        known = {*KNOWN, "kind", "precision"}
        return Wishes({column.name: column.model_dump(include=known, exclude_none=True) for column in schema})
    wishes = Wishes.given(schema)
    if wishes.facts:
        raise SchemaError(f"{wishes.at('facts')}facts are not kept under epsilon; leave them out.")
    return wishes


def _made(table: pa.Table, layout: FileLayout, looks: Looks, rows: int) -> tuple[pa.Table, list[str]]:
    """The made-up table, and the columns that are left out of it for want of common values."""
    columns, left_out = [], []
    for column in layout.schema:
        values = table[column.name]
        try:
            columns.append(made_up(column, values, layout.wishes.get(column.name, {}), rows, looks))
        except Unlearnable:
            left_out.append(column.name)
            columns.append(pa.nulls(rows, values.type))
    if left_out:
        warnings.warn(
            f"column(s) {some_of(left_out)}: no value is held by the {looks.threshold:,.0f} rows that this epsilon "
            "needs; they are left out. What is a key, personal or text can be made up: say so in the schema.",
            stacklevel=2,
        )
    if len(left_out) == len(layout.schema.columns):
        raise DataError(
            "no column has a value that enough rows hold for this epsilon; ask for more, or give more rows."
        )
    return pa.Table.from_arrays(columns, schema=table.schema.with_metadata(_metadata(table.schema))), left_out


def _metadata(schema: pa.Schema) -> dict[bytes, bytes] | None:
    """The metadata of the table without the number of rows, which pandas writes there."""
    found: dict[bytes, bytes] = dict(schema.metadata or {})
    if b"pandas" not in found:
        return found or None
    told = json.loads(found[b"pandas"])
    for index in told.get("index_columns", ()):
        if isinstance(index, dict):
            index.update({end: 0 for end in ("start", "stop") if end in index})
    return {**found, b"pandas": json.dumps(told).encode()}


def _settings(layout: FileLayout, made: pa.Table, left_out: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is known of the columns, for the schema of the made-up table."""
    found: dict[str, dict[str, Any]] = {}
    for column in layout.schema:
        kind: str = "category" if column.kind == "constant" else column.kind
        if column.name in left_out:
            kind = "drop"
        elif column.is_learned and len(pc.unique(plain(made[column.name]))) <= 1:
            kind = "constant"
        known = column.model_dump(include=set(KNOWN), exclude_none=True)
        found[column.name] = {**known, **layout.wishes.get(column.name, {}), "kind": kind}
    return found


def _encoded(encoders: Sequence[ColumnEncoder], table: pa.Table, rng: np.random.Generator) -> np.ndarray:
    """The codes of the real rows, each of which depends on its own row alone."""
    parts = []
    for encoder in encoders:
        values = table[encoder.column.name]
        if isinstance(encoder, CategoryEncoder):
            values = _among(values, encoder.labels_, rng)
        elif encoder.column.kind == "number" and encoder.column.format is not None:
            values = encoder.column.as_numbers(values)
        parts.append(encoder.encode(values))
    return np.concatenate(parts, axis=1) if parts else np.zeros((table.num_rows, 0), dtype=np.int64)


def _among(values: pa.ChunkedArray, labels: pa.Array, rng: np.random.Generator) -> pa.ChunkedArray:
    """Labels that came out of no noisy count, replaced by one of those that did."""
    known = plain(values).cast(labels.type)
    lost = pc.and_(pc.is_valid(known), pc.invert(pc.is_in(known, labels)))
    drawn = labels.take(pa.array(rng.integers(len(labels), size=len(known))))
    return pa.chunked_array([pc.if_else(lost, drawn, known).combine_chunks()])
