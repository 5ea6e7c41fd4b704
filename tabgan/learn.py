"""A source -> its schema, its encoder and its codes: at once where it is small, else in a few passes over its rows.

Of a large table some rows, drawn at random, say what the columns are. A pass over all rows adds what these lack
(labels, ends, keys), and a last one encodes. So memory holds the drawn rows, a block of rows and the codes, of which
training needs no more than `MOST_ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.encoding.table import TableEncoder
from tabgan.errors import DataError, MisfitError
from tabgan.inference import LARGEST
from tabgan.schema import Schema
from tabgan.schemafile import Wishes
from tabgan.tables import Source

WHOLE_CELLS = 20_000_000
"""A table of so many cells is read as a whole."""
SOME_CELLS, SOME_ROWS = 10_000_000, 20_000
"""Of a larger one so many cells are looked at, but no fewer rows than this."""
MOST_ROWS = 4_000_000
"""Rows that are encoded, at random: no fit at the default settings draws more."""


@dataclass
class Learned:
    """What training starts from."""

    schema: Schema
    encoder: TableEncoder
    codes: np.ndarray
    """`(rows, codes)` of the narrowest whole numbers."""
    impossible: dict[tuple[int, int], np.ndarray]


def learn(source: Source, schema: Schema | Wishes, seed: int, report: Callable[[int, int], None]) -> Learned:
    """Look at `source`; `schema` says what columns are, or what is wished of them. `report` is told (done, of all).

    Raises `DataError` or `SchemaError` for tables that cannot be learned.
    """
    if source.rows < 2:
        raise DataError("the table has 1 row; at least 2 are needed, and a few hundred to learn anything.")
    rng = np.random.default_rng([abs(seed), 2])
    cells = source.rows * len(source.schema)
    if cells <= WHOLE_CELLS:
        table = source.whole()
        found = schema if isinstance(schema, Schema) else Schema.infer(table, schema)
        return _encoded(Source.of(table), found, TableEncoder(found, table.schema).fit(table), rng, report)
    share = max(SOME_CELLS / cells, SOME_ROWS / source.rows)
    some, looks = _look(source, share, rng, report)
    # Each time that a column turns out to be something else further down, it is taken for labels.
    for _ in source.schema:
        try:
            found = schema if isinstance(schema, Schema) else looks.schema(some, schema)
            encoder = TableEncoder(found, source.schema).fit(some)
            encoder.see(source.tables())
            report(2 * source.rows, 3 * source.rows)
            return _encoded(source, found, encoder, rng, lambda done, rows: report(2 * rows + done, 3 * rows))
        except MisfitError as error:
            if isinstance(schema, Schema) or "kind" in schema.columns.get(error.column, {}):
                raise
            told = {**schema.columns.get(error.column, {}), "kind": "category"}
            schema = replace(schema, columns={**schema.columns, error.column: told})
    raise DataError("the columns of the table are not alike in all its rows.")


@dataclass
class _Looks:
    """What a pass over all rows says of columns: which have missing cells, and the ends of numbers and dates."""

    missing: dict[str, bool]
    ends: dict[str, tuple[float, float]]

    def schema(self, some: pa.Table, wishes: Wishes) -> Schema:
        """What is inferred from `some` rows, with the ends of all."""
        found = Schema.infer(some, wishes)
        columns = []
        for column in found:
            update: dict[str, Any] = {"nullable": column.nullable or self.missing[column.name]}
            if column.kind in ("number", "datetime"):
                # Some rows say nothing of the bounds of all; what is wished, holds.
                wished = wishes.columns.get(column.name, {})
                low, high = self.ends.get(column.name, (None, None)) if column.kind == "number" else (None, None)
                update |= {"minimum": wished.get("minimum", low), "maximum": wished.get("maximum", high)}
            columns.append(column.model_copy(update=update))
        return Schema(columns=tuple(columns), facts=found.facts)


def _look(
    source: Source, share: float, rng: np.random.Generator, report: Callable[[int, int], None]
) -> tuple[pa.Table, _Looks]:
    """About `share` of the rows, and what all rows say."""
    looks = _Looks(dict.fromkeys(source.schema.names, False), {})
    picked, done = [], 0
    for table in source.tables():
        picked.append(table.filter(pa.array(rng.random(table.num_rows) < share)))
        for field in source.schema:
            values = table[field.name]
            looks.missing[field.name] |= values.null_count > 0
            if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
                ends = pc.min_max(values).as_py()
                before = looks.ends.get(field.name, ())
                known = [end for end in (*before, ends["min"], ends["max"]) if end is not None and abs(end) <= LARGEST]
                if known:
                    looks.ends[field.name] = min(known), max(known)
        done += table.num_rows
        report(done, 3 * source.rows)
    return pa.concat_tables(picked).combine_chunks(), looks


def _encoded(
    source: Source, schema: Schema, encoder: TableEncoder, rng: np.random.Generator, report: Callable[[int, int], None]
) -> Learned:
    widest = max((code.cardinality for code in encoder.codes), default=0)
    narrow = np.int16 if widest < 2**15 else np.int32
    share = min(1.0, MOST_ROWS / source.rows)
    blocks, done = [], 0
    for table in source.tables():
        done += table.num_rows
        if share < 1:
            table = table.filter(pa.array(rng.random(table.num_rows) < share))
        blocks.append(encoder.encode(table).astype(narrow))
        report(done, source.rows)
    codes = np.concatenate(blocks)
    return Learned(schema, encoder, codes, encoder.impossible(codes))
