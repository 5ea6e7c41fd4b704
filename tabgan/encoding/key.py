"""Unique row ids: never learned, made anew, different in every row, in the look of the real ones.

Whole numbers and numbered texts (`C-00042`) go on after the last real one. Other texts fill the shape of the real ones
with random characters, the last of which are the digits of a scrambled row number, so that no two rows can meet.
"""

from __future__ import annotations

import hashlib
import string
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain, plain_type
from tabgan.encoding.base import Code, ColumnEncoder, Draw
from tabgan.errors import DataError

_NUMBERED = "(?s)^(?P<head>.*?)(?P<end>[0-9]+)$"
_ALPHABETS = {"9": string.digits, "a": string.ascii_lowercase, "A": string.ascii_uppercase}
_ALPHABETS |= {"h": "0123456789abcdef", "H": "0123456789ABCDEF"}
_SCRAMBLED = 2**31
"""Row numbers are scrambled within at least so many; the characters before these are random."""


class KeyEncoder(ColumnEncoder):
    """Unique values; a code only where some are missing: 0 missing, 1 there.

    Row i of a sample gets the same key whatever block it is made in.
    """

    kind = "key"

    def fit(self, values: pa.ChunkedArray) -> Self:
        keys = plain(values).drop_null()
        return self._set({"missing": len(keys) < len(values), **_pattern(keys)})

    def _set(self, state: dict[str, Any]) -> Self:
        self.state_ = state
        self.codes_ = (Code(self.column.name, 2, ordered=False),) if state["missing"] else ()
        return self

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        known = np.asarray(plain(values).is_valid()).astype(np.int64)
        return np.repeat(known[:, None], len(self.codes_), axis=1)

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        if "shape" in self.state_:
            keys = _fill(self.state_["shape"], draw.index, (draw.seed, self.column.name))
        else:
            head, width, last = self.state_["head"], self.state_["width"], self.state_["last"]
            # Python's whole numbers have no end.
            listed = [last + 1 + row for row in draw.index.tolist()]
            keys = [f"{head}{number:0{width}d}" for number in listed] if head is not None else listed
        missing = pa.array((codes == 0).any(axis=1))
        try:
            made = pa.array(keys, plain_type(self.type))
            return pc.if_else(missing, pa.scalar(None, made.type), made).cast(self.type)
        except (pa.ArrowInvalid, OverflowError):
            raise DataError(
                f"column {self.column.name!r}: {self.type} has no room for so many new keys; use a wider type."
            ) from None

    def state(self) -> dict[str, Any]:
        return self.state_

    def restore(self, state: dict[str, Any]) -> Self:
        return self._set(state)


def _pattern(keys: pa.ChunkedArray) -> dict[str, Any]:
    """What the keys have in common: a last number, a head before it and its width; or else a shape."""
    if pa.types.is_integer(keys.type):
        return {"head": None, "width": 0, "last": pc.max(keys).as_py()}
    keys = keys.cast(pa.string())
    numbered = _numbered(keys.slice(0, 100)) and _numbered(keys)  # the first few mostly tell
    if numbered:
        return numbered
    shapes = pc.value_counts(_shapes(keys.slice(0, 10_000))).to_pylist()
    common = sorted(shapes, key=lambda shape: (-shape["counts"], shape["values"]))[:20]
    return {"shape": max((shape["values"] for shape in common), key=lambda shape: (_room(shape), len(shape)))}


def _numbered(keys: pa.ChunkedArray) -> dict[str, Any] | None:
    parts = pc.extract_regex(keys, _NUMBERED).combine_chunks()
    heads = pc.unique(parts.field("head"))
    if parts.null_count or len(heads) > 1:
        return None
    ends = parts.field("end").to_pylist()
    return {"head": heads[0].as_py(), "width": min(map(len, ends)), "last": max(map(int, ends))}


def _shapes(keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """The keys with each letter and digit replaced by the name of its alphabet; others stand for themselves."""
    for mark, digits in (("h", "a-f"), ("H", "A-F")):
        is_hex = pc.match_substring_regex(keys, f"^[0-9{digits}-]{{16,}}$")
        if pc.all(is_hex).as_py() and pc.any(pc.match_substring_regex(keys, f"[{digits}]")).as_py():
            return pc.replace_substring_regex(keys, f"[0-9{digits}]", mark)
    # Letters of other scripts too: what is kept of a real key must not be a name.
    for mark, characters in (("A", r"\p{Lu}"), ("a", r"[\p{Ll}\p{Lm}\p{Lo}\p{Lt}]"), ("9", r"\p{N}")):
        keys = pc.replace_substring_regex(keys, characters, mark)
    return keys


def _room(shape: str) -> int:
    """How many texts have this shape."""
    room = 1
    for mark in shape:
        room *= len(_ALPHABETS.get(mark, " "))
    return room


def _fill(shape: str, rows: np.ndarray, key: tuple[int, str]) -> pa.Array:
    """A text of this shape for each row number in `rows`, `(rows,)` int64; `key` says which.

    Rows that are more than the room of the shape get a number at the end as well.
    """
    letters = np.tile(np.array(list(shape)), (len(rows), 1))
    free = [place for place, mark in enumerate(shape) if mark in _ALPHABETS]
    room = 1
    while free and room < _SCRAMBLED:
        room *= len(_ALPHABETS[shape[free.pop()]])
    numbers = _scrambled(rows % room, room, key)
    for place in range(len(shape) - 1, -1, -1):
        if shape[place] in _ALPHABETS:
            alphabet = np.array(list(_ALPHABETS[shape[place]]))
            if place in free:
                digits = _hashed(rows.astype(np.uint64), *key, place) % np.uint64(len(alphabet))
            else:
                numbers, digits = np.divmod(numbers, len(alphabet))
            letters[:, place] = alphabet[digits]
    texts = pa.array(letters.view(f"<U{len(shape)}").ravel(), pa.string())
    again = rows // room
    if not again.any():
        return texts
    return pc.if_else(
        pa.array(again > 0), pc.binary_join_element_wise(texts, pa.array(again).cast(pa.string()), "-"), texts
    )


def _scrambled(rows: np.ndarray, room: int, key: tuple[int, str]) -> np.ndarray:
    """Row numbers below `room` in another order: a * row + b meets each once where a and `room` share no factor."""
    a, b = (int(number) for number in _hashed(np.arange(2, dtype=np.uint64), *key))
    a = a % 2**26 | 1  # room is below 2^36, so that a * row stays below 2^63
    while any(a % prime == 0 for prime in (2, 5, 13)):  # rooms are products of 10, 16 and 26
        a += 2
    return (a * rows + b % room) % room


def _hashed(numbers: np.ndarray, *key: object) -> np.ndarray:
    """Random whole numbers, `(rows,)` uint64, that depend on `numbers` and `key` alone: SplitMix64 (Steele 2014)."""
    start = hashlib.sha256(repr(key).encode()).digest()
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15) + np.uint64(int.from_bytes(start[:8], "big"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
