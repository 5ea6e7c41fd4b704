"""A column that one other column fixes, or two: its values are looked up by theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, Part, as_float, plain
from tabgan.encoding.cells import dictionary_of, from_json, to_json, with_dictionary
from tabgan.encoding.scale import nearest


class Lookup:
    """Values of the columns `of` -> the value of `column` that goes with them, missing cells included."""

    def __init__(self, column: Column, of: Sequence[Column], part: Part | None = None, *, dropped: bool) -> None:
        """`part`: the part of the date in `of` that is looked up, not the date; `dropped`: whether the column is left
        out of what is learned, since it says no more than the other."""
        self.column, self.of, self.part, self.dropped = column, list(of), part, dropped

    def fit(self, table: pa.Table) -> Self:
        """Learn every combination that occurs."""
        self.type_ = table.schema.field(self.column.name).type
        self.dictionary_ = dictionary_of(table[self.column.name])
        self.keys_ = [pc.unique(self._key(column, table[column.name])) for column in self.of]
        cells, first, counts = np.unique(self._cells(table), return_index=True, return_counts=True)
        self.cells_ = cells
        values = plain(table[self.column.name]).combine_chunks()
        if self.column.kind in ("number", "datetime"):
            first = _shared(self.column.numbers(table[self.column.name]), first, counts)
        self.values_ = values.take(pa.array(first))
        return self

    def see(self, table: pa.Table) -> None:
        """Learn combinations that only these rows hold."""
        if self.column.kind in ("number", "datetime") and not self.dropped:
            return  # they may be of one person each: what is drawn stays
        new = pa.array(~self._is_known(self._cells(table)))
        if not pc.any(new).as_py():
            return
        place = self.cells_.copy()
        old: list[pa.Array] = []
        for keys in reversed(self.keys_):
            place, at = np.divmod(place, len(keys))
            old.insert(0, keys.take(pa.array(at)))
        more = [self._key(column, table[column.name]).filter(new) for column in self.of]
        both = [pa.concat_arrays([a, b.cast(a.type)]) for a, b in zip(old, more, strict=True)]
        values = plain(table[self.column.name]).combine_chunks().filter(new)
        values = pa.concat_arrays([self.values_, values])
        self.keys_ = [pc.unique(keys) for keys in both]
        self.cells_, first = np.unique(self._numbered(both), return_index=True)
        self.values_ = values.take(pa.array(first))

    def _is_known(self, number: np.ndarray) -> np.ndarray:
        at = np.minimum(np.searchsorted(self.cells_, number), len(self.cells_) - 1)
        known: np.ndarray = self.cells_[at] == number
        return known

    def _cells(self, cells: pa.Table | dict[str, pa.Array]) -> np.ndarray:
        """A number for each combination of values, `(rows,)` int64; -1 where one was not seen by fit."""
        return self._numbered([self._key(column, pa.chunked_array(cells[column.name])) for column in self.of])

    def _numbered(self, combinations: Sequence[pa.Array]) -> np.ndarray:
        number = np.zeros(len(combinations[0]), dtype=np.int64)
        unseen = np.zeros(len(number), dtype=bool)
        for values, keys in zip(combinations, self.keys_, strict=True):
            at = pc.index_in(values, keys)
            unseen |= np.asarray(pc.is_null(at))
            number = number * len(keys) + np.asarray(pc.fill_null(at, 0))
        number[unseen] = -1
        return number

    def _key(self, column: Column, values: pa.ChunkedArray) -> pa.Array:
        return plain(values).combine_chunks() if self.part is None else column.part(values, self.part)

    def expand(self, cells: dict[str, pa.Array]) -> None:
        """Put the column into `cells`; a combination that fit did not see keeps what is there, or, where the column is
        not learned, has what goes with the nearest."""
        number = self._cells(cells)
        if self.dropped:
            number = self._nearest(cells, number)
        at = np.minimum(np.searchsorted(self.cells_, number), len(self.cells_) - 1)
        known = pa.array(self.cells_[at] == number)
        found = self.values_.take(pa.array(at))
        name = self.column.name
        rest = pa.nulls(len(number), found.type)
        if not self.dropped:
            rest = plain(pa.chunked_array([cells[name]])).combine_chunks()
        cells[name] = with_dictionary(pc.if_else(known, found, rest), self.dictionary_, self.type_)

    def _nearest(self, cells: dict[str, pa.Array], number: np.ndarray) -> np.ndarray:
        """`number`, and where that is -1 for a number, a date or a part of one, that of the nearest known one."""
        unseen = number < 0
        column = self.of[0]
        if not unseen.any() or (self.part is None and column.kind not in ("number", "datetime")):
            return number
        known, new = (
            as_float(pa.chunked_array([keys])) if self.part else column.numbers(pa.chunked_array([keys]))
            for keys in (
                self.keys_[0],
                self._key(column, pa.chunked_array(cells[column.name])).filter(pa.array(unseen)),
            )
        )
        order = np.argsort(known)[: int((~np.isnan(known)).sum())]
        if not len(order):
            return number
        at = nearest(known[order], new)
        found = number.copy()
        found[unseen] = np.where(np.isnan(new), -1, order[at])
        return found

    def state(self) -> dict[str, Any]:
        """What `fit` learned, as JSON."""
        return {
            "keys": [to_json(keys) for keys in self.keys_],
            "cells": self.cells_.tolist(),
            "values": to_json(self.values_),
            "dictionary": None if self.dictionary_ is None else to_json(self.dictionary_),
        }

    def restore(self, state: dict[str, Any], arrow_schema: pa.Schema) -> Self:
        """Undo `state`."""
        self.type_ = arrow_schema.field(self.column.name).type
        types = [pa.int64() if self.part else arrow_schema.field(column.name).type for column in self.of]
        self.keys_ = [from_json(keys, kind) for keys, kind in zip(state["keys"], types, strict=True)]
        self.cells_ = np.array(state["cells"], dtype=np.int64)
        self.values_ = from_json(state["values"], self.type_)
        self.dictionary_ = None if state["dictionary"] is None else from_json(state["dictionary"], self.type_)
        return self


def _shared(numbers: np.ndarray, first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """`first`, a row for each combination, but where a combination has one row alone, the row of the nearest number
    among the others: no number of one person is kept."""
    shared = first[counts > 1]
    shared = shared[~np.isnan(numbers[shared])]
    if not len(shared):
        return first
    shared = shared[np.argsort(numbers[shared], kind="stable")]
    known = numbers[shared]
    alone = (counts == 1) & ~np.isnan(numbers[first])
    found = first.copy()
    found[alone] = shared[nearest(known, numbers[first[alone]])]
    return found
