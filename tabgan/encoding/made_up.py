"""Columns whose values are made up, not learned: keys, personal values, free text. Only what is missing is learned."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain, plain_type
from tabgan.conditions import NOT_NULL, Condition
from tabgan.encoding.base import Code, ColumnEncoder, Draw, Restriction
from tabgan.errors import ConfigError, DataError


class MadeUpEncoder(ColumnEncoder):
    """A code only where some cells are missing: 0 missing, 1 there.

    Row i of a sample gets the same value whatever block it is made in.
    """

    def fit(self, values: pa.ChunkedArray) -> Self:
        known = plain(values).drop_null()
        return self._set({"missing": len(known) < len(values), **self.look(known)})

    def see(self, values: pa.ChunkedArray) -> None:
        known = plain(values).drop_null()
        missing = self.state_["missing"] or len(known) < len(values)
        self._set({**self.state_, **self.more(known), "missing": missing})

    def more(self, known: pa.ChunkedArray) -> dict[str, Any]:
        """What of the state changes by more rows."""
        return {}

    @abstractmethod
    def look(self, known: pa.ChunkedArray) -> dict[str, Any]:
        """What new values need of the real ones, as JSON; `known`: cells that are not missing."""

    @abstractmethod
    def make(self, rows: np.ndarray, seed: int) -> pa.Array | Sequence[int]:
        """A value for each row number in `rows`, `(rows,)` int64."""

    def _set(self, state: dict[str, Any]) -> Self:
        self.state_ = state
        self.codes_ = (Code(self.column.name, 2, ordered=False),) if state["missing"] else ()
        return self

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        known = np.asarray(plain(values).is_valid()).astype(np.int64)
        return np.repeat(known[:, None], len(self.codes_), axis=1)

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        missing = pa.array((codes == 0).any(axis=1))
        try:
            made = self.make(draw.index, draw.seed)
            kind = plain_type(self.type)
            made = made.cast(kind) if isinstance(made, pa.Array) else pa.array(made, kind)
            return pc.if_else(missing, pa.scalar(None, made.type), made).cast(self.type)
        except (pa.ArrowInvalid, OverflowError):
            raise DataError(
                f"column {self.column.name!r}: {self.type} has no room for so many new values; use a wider type."
            ) from None

    def restrict(self, condition: Condition) -> Restriction:
        where = condition.where
        only_null = where.values == () and where.null
        if (only_null and self.codes_) or where == NOT_NULL:
            allowed = [float(only_null), float(not only_null)]
            return Restriction([np.array(allowed)] if self.codes_ else [])
        raise ConfigError(
            f"column {self.column.name!r} is made up ({self.column.kind}) and cannot be conditioned on its values; "
            "leave it out, or give it another kind in the schema."
        )

    def state(self) -> dict[str, Any]:
        return self.state_

    def restore(self, state: dict[str, Any]) -> Self:
        return self._set(state)


def hashed(numbers: np.ndarray, *key: object) -> np.ndarray:
    """Random whole numbers, `(rows,)` uint64, that depend on `numbers` and `key` alone: SplitMix64 (Steele 2014)."""
    start = hashlib.sha256(repr(key).encode()).digest()
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(int.from_bytes(start[:8], "big"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
