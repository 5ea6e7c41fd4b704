"""A whole table <-> one matrix of codes: the encoders of all columns, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain, plain_type
from tabgan.conditions import Condition
from tabgan.encoding.base import Code, ColumnEncoder, Draw
from tabgan.encoding.category import CategoryEncoder
from tabgan.encoding.cells import dictionary_of, with_dictionary
from tabgan.encoding.constant import ConstantEncoder
from tabgan.encoding.dates import DateEncoder
from tabgan.encoding.dependencies import find_dependencies
from tabgan.encoding.key import KeyEncoder
from tabgan.encoding.number import NumberEncoder
from tabgan.encoding.personal import PersonalEncoder, TextEncoder
from tabgan.encoding.relations import Relations
from tabgan.encoding.unique import UniqueRows, unique_pairs
from tabgan.errors import ConfigError, SchemaError, other_type, some_of
from tabgan.schema import Schema

ENCODERS: dict[str, type[ColumnEncoder]] = {
    "boolean": CategoryEncoder,
    "category": CategoryEncoder,
    "constant": ConstantEncoder,
    "datetime": DateEncoder,
    "key": KeyEncoder,
    "number": NumberEncoder,
    "pii": PersonalEncoder,
    "text": TextEncoder,
}


class TableEncoder:
    """A table <-> `(rows, codes)` int64; `codes` says what each column of the matrix is."""

    def __init__(self, schema: Schema, arrow_schema: pa.Schema) -> None:
        """`arrow_schema`: that of the tables to encode; columns that the schema does not keep may be among its own."""
        self.schema = schema
        fields = [arrow_schema.field(name) for name in schema.kept]
        self.arrow_schema = pa.schema(fields, metadata=arrow_schema.metadata)
        types = schema.types(self.arrow_schema)
        self.relations = Relations(schema, types)
        self.unique = unique_pairs(schema, types)
        self.encoders: list[ColumnEncoder] = []

    def fit(self, table: pa.Table) -> TableEncoder:
        """Learn every column."""
        table = self.schema.pool(self.schema.prepare(table))
        for pair in self.unique:
            pair.fit(table)
        self._set(self.relations.fit(table))
        table = self.relations.reduce(table)
        for encoder in self.encoders:
            encoder.fit(table[encoder.column.name])
        return self

    def see(self, tables: Iterable[pa.Table]) -> None:
        """Take account of all rows, after `fit` on some of them: labels, ends, keys. Raises `MisfitError`."""
        for table in tables:
            prepared = self.schema.prepare(table)
            self.relations.see(prepared)
            for pair in self.unique:
                pair.see(prepared)
            reduced = self.relations.reduce(prepared)
            for encoder in self.encoders:
                encoder.see(reduced[encoder.column.name])
        for encoder in self.encoders:
            encoder.settle()

    def _set(self, relations: Relations) -> None:
        self.relations = relations
        self.encoders = [ENCODERS[column.kind](column, kind) for column, kind in relations.columns_]

    @property
    def codes(self) -> list[Code]:
        """What stands in each column of the matrix."""
        return [code for encoder in self.encoders for code in encoder.codes_]

    def places(self) -> dict[str, tuple[ColumnEncoder, int]]:
        """The encoder of each encoded column and the number of its first code."""
        found, at = {}, 0
        for encoder in self.encoders:
            found[encoder.column.name] = encoder, at
            at += len(encoder.codes_)
        return found

    def knows(self, table: pa.Table) -> np.ndarray:
        """Which rows hold labels alone that fit has seen, `(rows,)` bool. Raises `SchemaError` for lacking columns."""
        self._check_columns(table)
        known = np.ones(table.num_rows, dtype=bool)
        for encoder in self.encoders:
            if isinstance(encoder, CategoryEncoder):
                known &= encoder.knows(table[encoder.column.name])
        return known

    def _check_columns(self, table: pa.Table) -> None:
        names = set(table.column_names)
        lacking = [name for name in self.schema.kept if name not in names]
        if lacking:
            raise SchemaError(f"the table lacks column(s) {some_of(lacking)} that the model was fitted on.")

    def encode(self, table: pa.Table) -> np.ndarray:
        """`(rows, codes)` int64. Raises `SchemaError` where `table` lacks columns or holds labels not seen by fit."""
        self._check_columns(table)
        table = self.relations.reduce(self.schema.prepare(table))
        parts = [_encoded(encoder, table[encoder.column.name]) for encoder in self.encoders]
        return np.concatenate(parts, axis=1) if parts else np.zeros((table.num_rows, 0), dtype=np.int64)

    def decode(
        self, codes: np.ndarray, draw: Draw, conditions: Iterable[Condition] = (), given: pa.Table | None = None
    ) -> pa.Table:
        """Undo `encode`: a table of the schema that was fitted on, one row for each row of `draw`.

        `conditions`: values that rounding took out of them are moved to the nearest that are allowed; `given`: cells
        that stay as they are where they are not missing, and from which others follow."""
        cells, at = {}, 0
        for encoder in self.encoders:
            part = slice(at, at + len(encoder.codes_))
            at = part.stop
            cells[encoder.column.name] = encoder.decode(
                codes[:, part], Draw(draw.index, draw.uniforms[:, part], draw.seed)
            )
            name = encoder.column.name
            for condition in conditions:
                if condition.column.name == name and not self.relations.works_out(name):
                    cells[name] = encoder.mend(cells[name], condition)
        if given is not None:
            given = self.schema.prepare(given)
            names = [name for name in cells if name in given.column_names and not self.relations.works_out(name)]
            cells |= {name: filled(given[name], cells[name]) for name in names}
        table = self.relations.expand(cells)
        if given is not None:
            table = self.relations.agree(table, given)
            columns = [filled(given[name], table[name]) for name in table.column_names]
            table = pa.Table.from_arrays(columns, schema=table.schema)
        return self.schema.finish(table, self.arrow_schema)

    def check_rows(self, rows: int) -> None:
        """Raise `ConfigError` where a key's pattern, or a composite key, has fewer values than `rows`."""
        for pair in self.unique:
            pair.check_rows(rows)
        for encoder in self.encoders:
            if isinstance(encoder, KeyEncoder) and encoder.most is not None and encoder.most < rows:
                raise ConfigError(
                    f"{encoder.column.name!r} has a pattern of {encoder.most:,} keys, and n is {rows:,}; ask for fewer "
                    "rows, or give the column another kind in the schema."
                )

    def unique_rows(self, conditions: Sequence[Condition], seed: int) -> UniqueRows:
        """What keeps composite keys unique in a sample."""
        return UniqueRows(self.unique, conditions, seed)

    def impossible(self, codes: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Which values of two codes exclude each other, by the encoded table and by the schema's facts; as
        `find_dependencies` gives them."""
        linked = self._code_pairs(self.relations.links, first=True)
        pairs = [fact.of for fact in self.relations.facts if fact.kind == "fixed" and len(fact.of) == 2]
        left_out = [(name, fact.column) for fact in self.schema.facts if not fact.keep for name in fact.columns[1:]]
        found = find_dependencies(
            codes,
            self.codes,
            linked=linked,
            closed=self._code_pairs(pairs),
            exempt=self._code_pairs(left_out),
        )
        for low, high in self.relations.orders:
            for a, b in self._code_pairs([(low, high)]):
                crossed = self._crossed(low, high)
                crossed = crossed if self.codes[a].name == low else crossed.T
                found[a, b] = found.get((a, b), False) | crossed
        return found

    def _code_pairs(self, names: Iterable[tuple[str, ...]], *, first: bool = False) -> set[tuple[int, int]]:
        """Pairs a < b of codes of two columns each; of columns of several codes all of them, or the `first` alone."""
        codes_of = {name: list(range(at, at + len(encoder.codes_))) for name, (encoder, at) in self.places().items()}
        pairs = set()
        for left, right in names:
            lefts, rights = codes_of.get(left, []), codes_of.get(right, [])
            pairs |= {
                (min(a, b), max(a, b)) for a in lefts[: 1 if first else None] for b in rights[: 1 if first else None]
            }
        return pairs

    def _crossed(self, low: str, high: str) -> np.ndarray:
        """For two numbers of which one is never below the other, the codes that would be for certain."""
        scales = {each.column.name: each.scale_ for each in self.encoders if isinstance(each, NumberEncoder)}
        crossed = np.zeros((scales[low].size + 1, scales[high].size + 1), dtype=bool)
        crossed[1:, 1:] = scales[low].knots[:, :1] > scales[high].knots[:, -1]
        return crossed

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {
            "relations": self.relations.state(),
            "columns": [encoder.state() for encoder in self.encoders],
            "unique": [pair.state() for pair in self.unique],
        }

    def restore(self, state: dict[str, Any]) -> TableEncoder:
        """Undo `state`."""
        self._set(self.relations.restore(state["relations"]))
        for encoder, each in zip(self.encoders, state["columns"], strict=True):
            encoder.restore(each)
        for pair, each in zip(self.unique, state["unique"], strict=True):
            pair.restore(each)
        return self


def filled(cells: pa.ChunkedArray, new: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`cells` with those of `new` where they are missing."""
    if not plain(cells).null_count:
        return cells.combine_chunks()
    made = new if isinstance(new, pa.ChunkedArray) else pa.chunked_array([new])
    old, other = plain(cells), plain(made)
    found = pc.if_else(pc.is_valid(old), old, other.cast(old.type)).combine_chunks()
    dictionary = dictionary_of(made)
    return with_dictionary(found.cast(plain_type(made.type)), dictionary, made.type)


def _encoded(encoder: ColumnEncoder, values: pa.ChunkedArray) -> np.ndarray:
    try:
        return encoder.encode(values)
    except pa.ArrowException:
        raise other_type(encoder.column.name, values.type, encoder.type) from None
