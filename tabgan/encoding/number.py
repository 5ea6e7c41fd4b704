"""Numbers of any Arrow type <-> codes, which are the places of a scale; and what is drawn gets its type again."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import as_float, plain
from tabgan.conditions import Condition
from tabgan.encoding.base import Code, ColumnEncoder, Draw, Restriction
from tabgan.encoding.cells import from_json, from_storage, to_json, to_storage
from tabgan.encoding.scale import Scale, nearest
from tabgan.errors import ConfigError
from tabgan.inference import LARGEST


class NumberEncoder(ColumnEncoder):
    """Numbers of any Arrow type <-> one ordered code: 0 is missing, then the places of a `Scale`.

    Infinities go to the outermost places. Whole numbers and decimals that float64 cannot hold lose their last digits,
    but never leave the range of the real ones, whose ends `ends_` keeps in full.
    """

    kind = "number"
    ends_: pa.Array

    def fit(self, values: pa.ChunkedArray) -> Self:
        values = plain(values)
        numbers = as_float(values)
        usable = np.abs(numbers) <= LARGEST  # False for NaN
        ends = outermost(values.filter(pa.array(usable)))
        return self._set(Scale.fit(numbers[usable], self.column.precision), ends)

    def see(self, values: pa.ChunkedArray) -> None:
        values = plain(values)
        usable = values.filter(pa.array(np.abs(as_float(values)) <= LARGEST))
        if len(usable):
            self.ends_ = outermost(pa.chunked_array([self.ends_, outermost(usable)]))

    def _set(self, scale: Scale, ends: pa.Array) -> Self:
        self.scale_, self.ends_ = scale, ends
        self.codes_ = (Code(self.column.name, scale.size + 1, ordered=True),)
        return self

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        numbers = as_float(plain(values))
        missing = np.isnan(numbers)
        places = self.scale_.encode(np.where(missing, 0.0, numbers)) + 1
        places[missing] = 0
        return places[:, None]

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        numbers = self.scale_.decode(np.maximum(codes[:, 0], 1) - 1, draw.uniforms[:, 0])
        return to_type(numbers, codes[:, 0] == 0, self.ends_).cast(self.type)

    def restrict(self, condition: Condition) -> Restriction:
        half = 0.0 if self.column.precision is None else 0.5 * 10.0**-self.column.precision
        low, high = as_float(self.ends_)
        return scale_restriction(self.column.name, self.scale_, condition, half, f"{low:g} to {high:g}")

    def mend(self, values: pa.Array, condition: Condition) -> pa.Array:
        out = ~condition.allows(pa.chunked_array([values]))
        if not out.any():
            return values
        numbers = as_float(pa.chunked_array([values])).copy()
        numbers[out] = nearest_allowed(numbers[out], condition)
        return to_type(np.nan_to_num(numbers), np.isnan(numbers), self.ends_).cast(values.type)

    def state(self) -> dict[str, Any]:
        return {**self.scale_.state(), "ends": to_json(self.ends_)}

    def restore(self, state: dict[str, Any]) -> Self:
        return self._set(Scale.restore(state), from_json(state["ends"], self.type))


def scale_restriction(name: str, scale: Scale, condition: Condition, half: float, holds: str) -> Restriction:
    """What a condition leaves of the one code of a scale; `holds`: what the column holds, for errors."""
    within = scale.allowed(condition, half)
    weights = np.maximum(within[:, 1] - within[:, 0], 0.0)
    if not weights.any() and not condition.where.null:
        raise ConfigError(f"column {name!r}: no value is allowed; the table holds {holds}.")
    code = np.concatenate([[float(condition.where.null)], weights])
    return Restriction([code], {}, {0: np.concatenate([[[0.0, 1.0]], within])})


def nearest_allowed(numbers: np.ndarray, condition: Condition) -> np.ndarray:
    """Numbers moved to the nearest that the condition allows; missing ones stay."""
    where = condition.where
    if where.values:
        values = np.sort(np.array(where.values, dtype=float))
        moved = values[nearest(values, numbers)]
    else:
        moved = np.clip(numbers, *condition.ends)
    return np.where(np.isnan(numbers), numbers, moved)


def outermost(values: pa.ChunkedArray) -> pa.Array:
    """The lowest and the highest of values, none of which is missing."""
    order = pc.array_sort_indices(values)
    return values.take(pa.chunked_array([pa.array([order[0].as_py(), order[-1].as_py()])])).combine_chunks()


def to_type(numbers: np.ndarray, missing: np.ndarray, ends: pa.Array) -> pa.Array:
    """`(rows,)` float64 as an Arrow array of the type of `ends`, missing where `missing` says so.

    No number leaves the range between the two `ends`, not even where float64 rounds them.
    """
    low, high = as_float(ends)
    inside = np.where((numbers > low) & (numbers < high), numbers, 0.0)
    if pa.types.is_floating(ends.type) or pa.types.is_decimal(ends.type):
        values = pa.array(inside).cast(ends.type, safe=False)
    else:
        stored = to_storage(ends).type
        values = from_storage(pa.array(np.rint(inside).astype(stored.to_pandas_dtype())), ends.type)
    values = pc.if_else(pa.array(numbers <= low), ends[0], values)
    values = pc.if_else(pa.array(numbers >= high), ends[1], values)
    return pc.if_else(pa.array(missing), pa.scalar(None, ends.type), values)
