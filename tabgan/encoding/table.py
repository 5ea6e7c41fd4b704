"""A whole table <-> one matrix of codes: the encoders of all columns, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tabgan.encoding.base import Code, ColumnEncoder, Draw
from tabgan.encoding.category import CategoryEncoder
from tabgan.encoding.constant import ConstantEncoder
from tabgan.encoding.dates import DateEncoder
from tabgan.encoding.key import KeyEncoder
from tabgan.encoding.number import NumberEncoder
from tabgan.errors import SchemaError, some_of
from tabgan.schema import Schema

ENCODERS: dict[str, type[ColumnEncoder]] = {
    "boolean": CategoryEncoder,
    "category": CategoryEncoder,
    "constant": ConstantEncoder,
    "datetime": DateEncoder,
    "key": KeyEncoder,
    "number": NumberEncoder,
}


class TableEncoder:
    """A table <-> `(rows, codes)` int64; `codes` says what each column of the matrix is."""

    def __init__(self, schema: Schema, arrow_schema: pa.Schema) -> None:
        self.schema = schema
        self.arrow_schema = arrow_schema
        self.encoders = [ENCODERS[column.kind](column, arrow_schema.field(column.name).type) for column in schema]

    def fit(self, table: pa.Table) -> TableEncoder:
        """Learn every column."""
        for encoder in self.encoders:
            encoder.fit(table[encoder.column.name])
        return self

    @property
    def codes(self) -> list[Code]:
        """What stands in each column of the matrix."""
        return [code for encoder in self.encoders for code in encoder.codes_]

    def encode(self, table: pa.Table) -> np.ndarray:
        """`(rows, codes)` int64. Raises `SchemaError` where `table` lacks columns or holds labels not seen by fit."""
        lacking = [name for name in self.schema.names if name not in table.column_names]
        if lacking:
            raise SchemaError(f"the table lacks column(s) {some_of(lacking)} that the model was fitted on.")
        parts = [_encoded(encoder, table[encoder.column.name]) for encoder in self.encoders]
        return np.concatenate(parts, axis=1) if parts else np.zeros((table.num_rows, 0), dtype=np.int64)

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Table:
        """Undo `encode`: a table of the schema that was fitted on, one row for each row of `draw`."""
        columns, at = [], 0
        for encoder in self.encoders:
            part = slice(at, at + len(encoder.codes_))
            at = part.stop
            columns.append(encoder.decode(codes[:, part], Draw(draw.index, draw.uniforms[:, part], draw.seed)))
        return pa.Table.from_arrays(columns, schema=self.arrow_schema)

    def state(self) -> list[dict[str, Any]]:
        """What was learned, as JSON: one mapping a column."""
        return [encoder.state() for encoder in self.encoders]

    def restore(self, state: list[dict[str, Any]]) -> TableEncoder:
        """Undo `state`."""
        for encoder, each in zip(self.encoders, state, strict=True):
            encoder.restore(each)
        return self


def _encoded(encoder: ColumnEncoder, values: pa.ChunkedArray) -> np.ndarray:
    try:
        return encoder.encode(values)
    except pa.ArrowException:
        raise SchemaError(
            f"column {encoder.column.name!r} holds {values.type} here and {encoder.type} where the model was fitted, "
            "and not every cell can be turned into the latter; give it that type."
        ) from None
