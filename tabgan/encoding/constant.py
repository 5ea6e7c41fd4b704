"""A column of one value, or of none: there is nothing to learn, and it comes back as it was."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain
from tabgan.conditions import Condition
from tabgan.encoding.base import ColumnEncoder, Draw, Restriction
from tabgan.encoding.cells import dictionary_of, from_json, to_json, with_dictionary
from tabgan.errors import ConfigError, MisfitError


class ConstantEncoder(ColumnEncoder):
    """One value, or missing throughout; no code."""

    kind = "constant"

    def fit(self, values: pa.ChunkedArray) -> Self:
        return self._set(plain(values).drop_null().slice(0, 1).combine_chunks(), dictionary_of(values))

    def _set(self, value: pa.Array, dictionary: pa.Array | None) -> Self:
        self.value_, self.dictionary_ = value, dictionary
        return self

    def see(self, values: pa.ChunkedArray) -> None:
        known = pc.unique(plain(values).drop_null())
        if len(known) > len(self.value_) or (len(known) and known[0] != self.value_[0]):
            raise MisfitError(self.column.name, f"column {self.column.name!r} is not the same in all rows.")

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        return np.zeros((len(values), 0), dtype=np.int64)

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        rows = len(draw.index)
        same = pa.nulls(rows, self.value_.type)
        if len(self.value_):
            same = self.value_.take(pa.array(np.zeros(rows, dtype=np.int64)))
        return with_dictionary(same, self.dictionary_, self.type)

    def restrict(self, condition: Condition) -> Restriction:
        value = self.value_ if len(self.value_) else pa.nulls(1, self.value_.type)
        if not condition.allows(pa.chunked_array([value])).any():
            raise ConfigError(f"column {self.column.name!r} has one value in the whole table, and not an allowed one.")
        return Restriction([])

    def state(self) -> dict[str, Any]:
        dictionary = None if self.dictionary_ is None else to_json(self.dictionary_)
        return {"value": to_json(self.value_), "dictionary": dictionary}

    def restore(self, state: dict[str, Any]) -> Self:
        dictionary = None if state["dictionary"] is None else from_json(state["dictionary"], self.type)
        return self._set(from_json(state["value"], self.type), dictionary)
