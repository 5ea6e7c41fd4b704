"""Composite keys: pairs of columns of which no two rows are equal in both, kept row after row of a sample.

A row that repeats a pair gets a new id in its first column, the same one for all rows that repeat once, where that
column is an id: an order that was drawn twice becomes two orders. Otherwise the row is left out and another one drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, plain
from tabgan.conditions import Condition
from tabgan.encoding.cells import from_json, to_json
from tabgan.encoding.key import KeyEncoder
from tabgan.errors import ConfigError, MisfitError
from tabgan.inference import named_like_an_id
from tabgan.schema import Schema

MANY_IDS = 1_000
"""Whole numbers of so many different values are taken for ids, whatever their name."""
FULL, LARGEST_GRID = 0.2, 5_000_000
"""Where so large a share of all pairs of values is there, of so many pairs at most, any of them may come."""


class UniquePair:
    """What is learned of one pair: whether the first column is an id, and how new ones look."""

    def __init__(self, column: Column, other: Column, types: pa.Schema) -> None:
        """`types`: the Arrow types of the columns."""
        self.columns, self.names = (column, other), [column.name, other.name]
        self.types = [types.field(name).type for name in self.names]
        self.ids_: KeyEncoder | None = None
        self.values_: list[pa.Array] = []
        """The values of both columns where any pair of them may come, else nothing."""

    def fit(self, table: pa.Table) -> Self:
        """Learn from a table of these columns."""
        values = [pc.unique(plain(table[name])) for name in self.names]
        if _is_id(self.columns[0], values[0], self.types[0]):
            self.ids_ = KeyEncoder(self.columns[0], self.types[0]).fit(pa.chunked_array([values[0]]))
        elif (grid := len(values[0]) * len(values[1])) <= LARGEST_GRID and table.num_rows >= FULL * grid:
            self.values_ = values
        return self

    def see(self, table: pa.Table) -> None:
        """Take account of more rows, after `fit` on some of them."""
        if self.ids_ is not None:
            try:
                self.ids_.see(table[self.names[0]])
            except MisfitError:  # ids of several forms
                self.ids_ = None
        if self.values_:
            self.values_ = [
                pc.unique(pa.chunked_array([old, *plain(table[name]).chunks]))
                for old, name in zip(self.values_, self.names, strict=True)
            ]

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"ids": self.ids_ and self.ids_.state(), "values": [to_json(values) for values in self.values_]}

    def restore(self, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        if state["ids"] is not None:
            self.ids_ = KeyEncoder(self.columns[0], self.types[0]).restore(state["ids"])
        self.values_ = [from_json(each, kind) for each, kind in zip(state["values"], self.types, strict=False)]
        return self

    def check_rows(self, rows: int) -> None:
        """Raise `ConfigError` where there are fewer pairs than `rows`."""
        if self.values_ and len(self.values_[0]) * len(self.values_[1]) < rows:
            one, two = (len(values) for values in self.values_)
            raise ConfigError(
                f"{self.names[0]!r} and {self.names[1]!r} are unique together, which leaves {one * two:,} pairs of "
                f"their values, and n is {rows:,}; ask for fewer rows, or switch the fact off in the schema."
            )


class UniqueRows:
    """A walk over the rows of one sample, in order: it knows the pairs that were there."""

    def __init__(self, pairs: Sequence[UniquePair], conditions: Sequence[Condition], seed: int) -> None:
        """`conditions`: what new pairs and ids must fulfil, too."""
        self.pairs, self.conditions, self.seed = pairs, conditions, seed
        self._conditioned = {condition.column.name for condition in conditions}
        self._seen: list[set[int]] = [set() for _ in pairs]
        self._again: list[dict[int, int]] = [{} for _ in pairs]
        self._new: list[dict[tuple[int, int], int]] = [{} for _ in pairs]

    def keep(self, table: pa.Table) -> pa.Table:
        """`table` without rows that repeat a pair, and with new ids where these can be had."""
        for i, pair in enumerate(self.pairs):
            first, both = _hashed(*(table[name] for name in pair.names))
            repeats = self._repeats(i, both)
            repeats &= ~np.any([np.asarray(pc.is_null(plain(table[name]))) for name in pair.names], axis=0)
            if not repeats.any():
                continue
            if pair.ids_ is None or pair.names[0] in self._conditioned:
                table = table.filter(pa.array(~repeats))
                continue
            numbers = [self._number(i, *each) for each in zip(first[repeats], both[repeats], strict=True)]
            made = pair.ids_.make(np.array(numbers), self.seed)
            made = made if isinstance(made, pa.Array) else pa.array(made, pair.types[0])
            name = pair.names[0]
            cells = pc.replace_with_mask(table[name].combine_chunks(), pa.array(repeats), made.cast(pair.types[0]))
            table = table.set_column(table.column_names.index(name), table.schema.field(name), cells)
        return table

    def left(self) -> pa.Table | None:
        """Pairs that were not there, in random order; None where it is not known which ones may come."""
        for i, pair in enumerate(self.pairs):
            if pair.values_:
                one, two = pair.values_
                rows = np.arange(len(one) * len(two))
                cells = [one.take(pa.array(rows // len(two))), two.take(pa.array(rows % len(two)))]
                both = _hashed(*(pa.chunked_array([each]) for each in cells))[1]
                new = np.array([number not in self._seen[i] for number in both.tolist()], dtype=bool)
                for condition in self.conditions:
                    if condition.column.name in pair.names:
                        at = pair.names.index(condition.column.name)
                        new &= condition.allows(pa.chunked_array([cells[at]]))
                order = np.random.default_rng([abs(self.seed), 5]).permutation(np.flatnonzero(new))
                return pa.table(cells, names=pair.names).take(pa.array(order))
        return None

    def _repeats(self, i: int, both: np.ndarray) -> np.ndarray:
        """Which rows repeat a pair of an earlier row, `(rows,)` bool."""
        seen, repeats = self._seen[i], np.zeros(len(both), dtype=bool)
        for row, number in enumerate(both.tolist()):
            repeats[row] = number in seen
            seen.add(number)
        return repeats

    def _number(self, i: int, first: int, both: int) -> int:
        """The number of the new id of a row that repeats a pair once more."""
        again = self._again[i][both] = self._again[i].get(both, 0) + 1
        return self._new[i].setdefault((first, again), len(self._new[i]))


def unique_pairs(schema: Schema, types: pa.Schema) -> list[UniquePair]:
    """The pairs that the schema's facts say are to be kept unique; `types`: of the columns that are kept."""
    return [
        UniquePair(schema[fact.column], schema[fact.of[0]], types)
        for fact in schema.facts
        if fact.kind == "unique" and fact.keep and set(fact.columns) <= set(types.names)
    ]


def _is_id(column: Column, values: pa.Array, kind: pa.DataType) -> bool:
    """Whether new values of the column can be made up: whole numbers and texts with numbers in them, if many."""
    if column.kind not in ("category", "number") or pa.types.is_dictionary(kind):
        return False
    many = named_like_an_id(column.name) or len(values) >= MANY_IDS
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return many and bool(pc.all(pc.match_substring_regex(values, "[0-9]")).as_py())
    return many and pa.types.is_integer(kind)


def _hashed(one: pa.ChunkedArray, two: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Of the first column and of both together, `(rows,)` uint64 each, equal for equal values."""
    texts = [plain(values).cast(pa.string()).to_pandas().to_numpy(object, na_value="") for values in (one, two)]
    first, second = (pd.util.hash_array(text, categorize=False) for text in texts)
    return first, first * np.uint64(0x9E3779B97F4A7C15) + second  # spread, so that sums do not meet
