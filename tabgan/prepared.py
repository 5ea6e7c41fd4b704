"""A column as it is learned: within its bounds, numbers that are text as numbers, rare labels replaced if need be."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, plain
from tabgan.encoding.cells import dictionary_of, with_dictionary
from tabgan.errors import SchemaError, other_type
from tabgan.inference import LARGEST


def prepared(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """`values` as they are encoded. Raises `SchemaError` for bounds that are none."""
    if column.kind == "number" and column.format is not None:
        values = column.as_numbers(values)
    if column.kind == "number":
        return _within(column, values)
    if column.kind == "datetime":
        return _dates_within(column, values)
    return values


def _within(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if (column.minimum is None and column.maximum is None) or pa.types.is_temporal(values.type):
        return values
    given, values = values, plain(values)
    for bound, beyond, rounded in ((column.minimum, pc.less, math.ceil), (column.maximum, pc.greater, math.floor)):
        if bound is None:
            continue
        end = _number(column, bound, values.type, rounded)
        outside = pc.fill_null(beyond(values, end), False)
        if pa.types.is_floating(values.type):
            usable = pc.less_equal(pc.abs(values.cast(pa.float64())), LARGEST)  # the encoder knows infinities
            outside = pc.and_(outside, pc.fill_null(usable, False))
        if pc.any(outside).as_py():
            _tell(column, pc.sum(outside).as_py())
            values = given = pc.if_else(outside, end, values)
    return given


def _tell(column: Column, cells: int) -> None:
    warnings.warn(
        f"column {column.name!r}: {cells} cell(s) lie outside its bounds in the schema and count as the bound.",
        stacklevel=2,
    )


def _number(column: Column, bound: Any, kind: pa.DataType, rounded: Any) -> pa.Scalar:
    try:
        if pa.types.is_decimal(kind):
            return pa.scalar(Decimal(str(bound)), kind)
        number = float(bound) if not isinstance(bound, int) else bound
        if pa.types.is_integer(kind):
            least, most = _range(kind)
            return pa.scalar(min(max(rounded(number), least), most), kind)
        if pa.types.is_floating(kind):
            return pa.scalar(float(number), kind)
    except (ValueError, InvalidOperation, pa.ArrowException):
        raise SchemaError(f"column {column.name!r}: {bound!r} is no bound of {kind}; give a number.") from None
    raise other_type(column.name, kind, column.dtype)


def _range(kind: pa.DataType) -> tuple[int, int]:
    """The least and the greatest whole number that a type holds."""
    if pa.types.is_unsigned_integer(kind):
        return 0, 2**kind.bit_width - 1
    return -(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1) - 1


def _dates_within(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.minimum is None and column.maximum is None:
        return values
    ticks, missing = column.ticks(values)
    low, high = (_tick(column, bound) for bound in (column.minimum, column.maximum))
    inside = np.clip(ticks, low, high)
    moved = int((inside != ticks)[~missing].sum())
    if not moved:
        return values
    _tell(column, moved)
    return pa.chunked_array([column.from_ticks(inside, missing, values.type)])


def _tick(column: Column, bound: Any) -> int | None:
    if bound is None:
        return None
    try:
        return column.tick(str(bound))
    except pa.ArrowException:
        raise SchemaError(f"column {column.name!r}: {bound!r} is no date; write it like 2024-01-31.") from None


def pooled(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Labels of fewer rows than `rare_below` replaced by draws among the others, as often as these occur."""
    dictionary, known = dictionary_of(values), plain(values)
    counts = pc.value_counts(known.drop_null())
    labels, sizes = counts.field("values"), np.asarray(counts.field("counts"))
    common = sizes >= column.rare_below
    if common.all():
        return values
    if not common.any():
        raise SchemaError(
            f"column {column.name!r}: every label is held by fewer than {column.rare_below} rows; "
            "drop the column or lower rare_below."
        )
    order = np.flatnonzero(common)[np.asarray(pc.array_sort_indices(labels.filter(pa.array(common))))]
    at = pc.index_in(known, labels.take(pa.array(order)))
    rare = np.asarray(pc.and_(pc.is_valid(known), pc.is_null(at)))
    shares = sizes[order] / sizes[order].sum()
    rng = np.random.default_rng(list(f"pool {column.name}".encode()))
    drawn = rng.choice(order, size=int(rare.sum()), p=shares)
    place = np.zeros(len(known), dtype=np.int64)
    place[rare] = drawn
    replaced = pc.if_else(pa.array(rare), labels.take(pa.array(place)), known.combine_chunks())
    return pa.chunked_array([with_dictionary(replaced, _without(dictionary, labels, common), values.type)])


def _without(dictionary: pa.Array | None, labels: pa.Array, common: np.ndarray) -> pa.Array | None:
    """The categories of a column without the rare ones; those that no row has stay."""
    if dictionary is None:
        return None
    return dictionary.filter(pc.invert(pc.is_in(dictionary, labels.filter(pa.array(~common)))))
