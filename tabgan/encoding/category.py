"""Labels <-> codes. Labels are numbered by falling frequency; very many labels are written as digits of that number."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain
from tabgan.conditions import Condition
from tabgan.encoding.base import Code, ColumnEncoder, Draw, Restriction
from tabgan.encoding.cells import dictionary_of, from_json, to_json, with_dictionary
from tabgan.errors import ConfigError, SchemaError, meant, some_of

MAX_LABELS = 2_000
"""More labels than this are written as two or three digits, so that no code is as wide as the column's cardinality."""


class CategoryEncoder(ColumnEncoder):
    """Labels of any plain type <-> codes from 1 up, the commonest label first."""

    kind = "category"
    dictionary_: pa.Array | None

    def fit(self, values: pa.ChunkedArray) -> Self:
        self._counts = _counts(values)
        return self._sorted(dictionary_of(values))

    def see(self, values: pa.ChunkedArray) -> None:
        if self.column.rare == "pool":
            return  # labels that only the other rows hold are rare
        both = pa.concat_tables([self._counts, _counts(values)]).group_by("label").aggregate([("count", "sum")])
        self._counts = both.rename_columns({"count_sum": "count"})
        dictionary = dictionary_of(values)
        if dictionary is not None and self.dictionary_ is not None:
            new = dictionary.filter(pc.invert(pc.is_in(dictionary, self.dictionary_)))
            self.dictionary_ = pa.concat_arrays([self.dictionary_, new])

    def settle(self) -> None:
        self._sorted(self.dictionary_)

    def _sorted(self, dictionary: pa.Array | None) -> Self:
        """Number the labels counted by falling frequency, those of ties in a fixed order."""
        labels, sizes = self._counts["label"].combine_chunks(), np.asarray(self._counts["count"])
        by_label = np.asarray(pc.array_sort_indices(labels))
        order = by_label[np.argsort(-sizes[by_label], kind="stable")]
        self.shares_ = sizes[order] / max(1, sizes.sum()) if self.column.rare == "pool" else None
        return self._set(labels.take(pa.array(order)), dictionary)

    def _set(self, labels: pa.Array, dictionary: pa.Array | None) -> Self:
        self.labels_, self.dictionary_ = labels, dictionary
        digits = 1
        while len(labels) > MAX_LABELS**digits:
            digits += 1
        self.base_ = math.ceil(len(labels) ** (1 / digits)) if digits > 1 else len(labels)
        name = self.column.name
        names = [name] if digits == 1 else [f"{name} (digit {i + 1})" for i in range(digits)]
        self.codes_ = tuple(Code(each, self.base_ + 1, ordered=False) for each in names)
        return self

    def knows(self, values: pa.ChunkedArray) -> np.ndarray:
        """Which cells are missing or hold a label that `encode` takes, `(rows,)` bool."""
        if self.column.rare == "pool":
            return np.ones(len(values), dtype=bool)
        cells = plain(values).cast(self.labels_.type)
        return np.asarray(pc.or_(pc.is_null(cells), pc.is_in(cells, self.labels_)))

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        known = plain(values).cast(self.labels_.type)
        number = pc.index_in(known, self.labels_)
        unseen = pc.and_(pc.is_valid(known), pc.is_null(number))
        if pc.any(unseen).as_py() and self.column.rare == "keep":
            labels = pc.unique(known.filter(unseen)).to_pylist()
            raise SchemaError(
                f"column {self.column.name!r}: {len(labels)} label(s) not seen by fit: {some_of(labels)}. "
                "Fit on a table that holds them, or replace them before encoding."
            )
        rank = np.asarray(pc.fill_null(number, -1)).astype(np.int64)
        if self.shares_ is not None:
            rng = np.random.default_rng(list(f"pool {self.column.name}".encode()))
            rank[np.asarray(unseen)] = rng.choice(len(self.shares_), int(pc.sum(unseen).as_py() or 0), p=self.shares_)
        places = self.base_ ** np.arange(len(self.codes_))[::-1]
        digits: np.ndarray = rank[:, None] // places % self.base_ + 1
        digits[rank < 0] = 0
        return digits

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        missing = codes[:, 0] == 0
        places = self.base_ ** np.arange(len(self.codes_))[::-1]
        rank = ((np.maximum(codes, 1) - 1) * places).sum(axis=1)
        # The last digits of the last number are not all taken; what lies past the end is the rarest label.
        rank = np.minimum(rank, len(self.labels_) - 1)
        labels = self.labels_.take(pa.array(rank, pa.int64(), mask=missing))
        return with_dictionary(labels, self.dictionary_, self.type)

    def restrict(self, condition: Condition) -> Restriction:
        allowed = condition.allows(pa.chunked_array([self.labels_]))
        null = condition.where.null
        if not allowed.any() and not null:
            raise ConfigError(f"column {self.column.name!r}: {self._unseen(condition)}")
        places = self.base_ ** np.arange(len(self.codes_))[::-1]
        digits = np.flatnonzero(allowed)[:, None] // places % self.base_ + 1
        weights = []
        for i, code in enumerate(self.codes_):
            weight = np.zeros(code.cardinality)
            weight[digits[:, i]] = 1.0
            weight[0] = null
            weights.append(weight)
        pairs = {}
        for i in range(len(self.codes_) - 1):
            pair = np.zeros((self.codes_[i].cardinality, self.codes_[i + 1].cardinality), dtype=bool)
            pair[digits[:, i], digits[:, i + 1]] = True
            pair[0, 0] = null
            pairs[i, i + 1] = pair
        return Restriction(weights, pairs)

    def _unseen(self, condition: Condition) -> str:
        values = condition.where.values
        if not values:
            return "no label of the table fulfils the condition."
        hint = meant(values[0], self.column.labels(pa.chunked_array([self.labels_])).tolist())
        return f"{values[0]!r} does not occur in the table that the model was fitted on{hint}"

    def state(self) -> dict[str, Any]:
        dictionary = None if self.dictionary_ is None else to_json(self.dictionary_)
        shares = None if self.shares_ is None else self.shares_.tolist()
        return {"labels": to_json(self.labels_), "dictionary": dictionary, "shares": shares}

    def restore(self, state: dict[str, Any]) -> Self:
        dictionary = None if state["dictionary"] is None else from_json(state["dictionary"], self.type)
        self.shares_ = None if state["shares"] is None else np.array(state["shares"])
        return self._set(from_json(state["labels"], self.type), dictionary)


def _counts(values: pa.ChunkedArray) -> pa.Table:
    """The labels and how many rows hold each."""
    counts = pc.value_counts(plain(values).drop_null())
    return pa.table({"label": counts.field("values"), "count": counts.field("counts")})
