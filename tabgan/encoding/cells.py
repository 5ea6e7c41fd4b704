"""Cells <-> JSON, exactly (what an encoder keeps must survive the model file), and cells <-> dictionaries."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain_type


def to_json(cells: pa.Array) -> list[Any]:
    """Cells of any plain type as JSON: truth values, whole numbers and text."""
    cells = to_storage(cells)
    if pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        cells = cells.cast(pa.string())
    listed: list[Any] = cells.to_pylist()
    return listed


def from_json(listed: list[Any], kind: pa.DataType) -> pa.Array:
    """Undo `to_json`: an array of the plain type of `kind`."""
    kind = plain_type(kind)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array(listed, pa.string()).cast(kind)
    return from_storage(pa.array(listed, to_storage(pa.nulls(0, kind)).type), kind)


def to_storage(cells: pa.Array) -> pa.Array:
    """Dates, times and durations as the whole numbers that Arrow keeps them as; other cells as they are."""
    if not pa.types.is_temporal(cells.type):
        return cells
    return cells.view(pa.int32() if cells.type.bit_width == 32 else pa.int64())


def from_storage(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Undo `to_storage`."""
    return cells.view(kind) if pa.types.is_temporal(kind) else cells.cast(kind)


def dictionary_of(values: pa.ChunkedArray) -> pa.Array | None:
    """The dictionary of categories, those that no row has included; None for other columns."""
    if not pa.types.is_dictionary(values.type):
        return None
    dictionary = values.unify_dictionaries().chunk(0).dictionary
    return dictionary.cast(plain_type(values.type))


def with_dictionary(cells: pa.Array, dictionary: pa.Array | None, kind: pa.DataType) -> pa.Array:
    """Cells of a plain type as an array of type `kind`, which is that of categories where there is a dictionary."""
    if dictionary is None:
        return cells.cast(kind)
    indices = pc.index_in(cells, dictionary, skip_nulls=True).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(indices, dictionary.cast(kind.value_type), ordered=kind.ordered)
