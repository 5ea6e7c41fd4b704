"""The contract of a column's encoder: a column <-> a few small whole-number codes, in which 0 is a missing cell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from tabgan.column import Column
from tabgan.conditions import Condition


@dataclass(frozen=True)
class Code:
    """One code of a column: it takes the values 0 (missing) to `cardinality` - 1."""

    name: str
    cardinality: int
    ordered: bool
    """Whether neighbouring codes are neighbouring values, so that they may share strength."""


@dataclass(frozen=True)
class Draw:
    """What decoding may use beside the codes: nothing in it depends on how rows are cut into blocks."""

    index: np.ndarray
    """`(rows,)` int64: the row's number in the whole sample."""
    uniforms: np.ndarray
    """`(rows, codes)` float64 in [0, 1): where inside its bin a value lies."""
    seed: int


@dataclass(frozen=True)
class Restriction:
    """What a condition on a column leaves of its codes."""

    weights: list[np.ndarray]
    """For each code, `(cardinality,)`: the share of each value that is allowed, in [0, 1]."""
    pairs: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    """For two codes of the column, which pairs of values are allowed, `(cardinality, cardinality)` bool."""
    within: dict[int, np.ndarray] = field(default_factory=dict)
    """For a code whose values are bins, `(cardinality, 2)`: between which uniforms a bin's values are allowed."""


class ColumnEncoder(ABC):
    """Learns a column by `fit`; `encode` and `decode` change nothing and undo each other.

    Shapes: `encode` turns `(rows,)` values into `(rows, codes)` int64; `decode` undoes it. A column may need no code
    at all (keys, constants): then `codes_` is empty.
    """

    kind: ClassVar[str]
    codes_: tuple[Code, ...] = ()

    def __init__(self, column: Column, type_: pa.DataType) -> None:
        self.column = column
        self.type = type_

    @abstractmethod
    def fit(self, values: pa.ChunkedArray) -> Self:
        """Learn what the values of the column look like."""

    def see(self, values: pa.ChunkedArray) -> None:  # noqa: B027  most encoders know enough by then
        """Take account of more rows, after `fit` on some of them and before the first `encode`. Raises `MisfitError`
        where they are something else than what `fit` saw."""

    def settle(self) -> None:  # noqa: B027
        """Called once when all rows have been seen."""

    @abstractmethod
    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        """`(rows,)` values to `(rows, codes)` int64."""

    @abstractmethod
    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        """`(rows, codes)` int64 to `(rows,)` values of the column's own type."""

    @abstractmethod
    def restrict(self, condition: Condition) -> Restriction:
        """What `condition` leaves of the codes. Raises `ConfigError` where that is nothing."""

    def mend(self, values: pa.Array, condition: Condition) -> pa.Array:
        """Decoded values, moved to the nearest that are allowed where rounding took them out."""
        return values

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What `fit` learned, as JSON."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> Self:
        """Undo `state`."""
