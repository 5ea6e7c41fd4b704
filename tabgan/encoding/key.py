"""Unique row ids: never learned, made anew, different in every row, in the look of the real ones.

Whole numbers and numbered texts (`C-00042`) go on after the last real one. Other texts fill the shape of the real ones
with random characters, the last of which are the digits of a scrambled row number, so that no two rows can meet.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.encoding.made_up import MadeUpEncoder, hashed
from tabgan.errors import MisfitError

_NUMBERED = "(?s)^(?P<head>.*?)(?P<end>[0-9]+)$"
_ALPHABETS = {"9": string.digits, "a": string.ascii_lowercase, "A": string.ascii_uppercase}
_ALPHABETS |= {"h": "0123456789abcdef", "H": "0123456789ABCDEF"}
_SCRAMBLED = 2**31
"""Row numbers are scrambled within at least so many; the characters before these are random."""


class KeyEncoder(MadeUpEncoder):
    """Unique values, new in every row."""

    kind = "key"

    def look(self, known: pa.ChunkedArray) -> dict[str, Any]:
        return _pattern(known)

    def more(self, known: pa.ChunkedArray) -> dict[str, Any]:
        if not len(known) or "shape" in self.state_:
            return {}
        new = _pattern(known)
        if "shape" in new or new["head"] != self.state_["head"]:
            raise MisfitError(self.column.name, f"column {self.column.name!r}: keys are not of one form.")
        return {"last": max(new["last"], self.state_["last"]), "width": min(new["width"], self.state_["width"])}

    def make(self, rows: np.ndarray, seed: int) -> pa.Array | Sequence[int]:
        if "shape" in self.state_:
            return fill(self.state_["shape"], rows, (seed, self.column.name))
        head, width, last = self.state_["head"], self.state_["width"], self.state_["last"]
        # Python's whole numbers have no end.
        listed = [last + 1 + row for row in rows.tolist()]
        return listed if head is None else pa.array([f"{head}{number:0{width}d}" for number in listed])

    @property
    def most(self) -> int | None:
        """How many different keys can be made; None where there is no end."""
        return _room(self.state_["shape"]) if "shape" in self.state_ else None


def _pattern(keys: pa.ChunkedArray) -> dict[str, Any]:
    """What the keys have in common: a last number, a head before it and its width; or else a shape."""
    if pa.types.is_integer(keys.type):
        return {"head": None, "width": 0, "last": pc.max(keys).as_py()}
    keys = keys.cast(pa.string())
    numbered = _numbered(keys.slice(0, 100)) and _numbered(keys)  # the first few mostly tell
    if numbered:
        return numbered
    shapes = pc.value_counts(shapes_of(keys.slice(0, 10_000))).to_pylist()
    common = sorted(shapes, key=lambda shape: (-shape["counts"], shape["values"]))[:20]
    shape = max((shape["values"] for shape in common), key=lambda shape: (_room(shape), len(shape)))
    return {"shape": shape if _room(shape) >= len(keys) else f"{shape}-999999999"}


def _numbered(keys: pa.ChunkedArray) -> dict[str, Any] | None:
    parts = pc.extract_regex(keys, _NUMBERED).combine_chunks()
    heads = pc.unique(parts.field("head"))
    if parts.null_count or len(heads) > 1:
        return None
    ends = parts.field("end").to_pylist()
    return {"head": heads[0].as_py(), "width": min(map(len, ends)), "last": max(map(int, ends))}


def shapes_of(keys: pa.ChunkedArray) -> pa.ChunkedArray:
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


def fill(shape: str, rows: np.ndarray, key: tuple[int, str]) -> pa.Array:
    """A text of this shape for each row number in `rows`, `(rows,)` int64; `key` says which.

    As long as row numbers are below the room of the shape, no two are the same.
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
                digits = hashed(rows, *key, place) % np.uint64(len(alphabet))
            else:
                numbers, digits = np.divmod(numbers, len(alphabet))
            letters[:, place] = alphabet[digits]
    return pa.array(letters.view(f"<U{len(shape)}").ravel(), pa.string())


def _scrambled(rows: np.ndarray, room: int, key: tuple[int, str]) -> np.ndarray:
    """Row numbers below `room` in another order: a * row + b meets each once where a and `room` share no factor."""
    a, b = (int(number) for number in hashed(np.arange(2), *key))
    a = a % 2**26 | 1  # room is below 2^36, so that a * row stays below 2^63
    while any(a % prime == 0 for prime in (2, 5, 13)):  # rooms are products of 10, 16 and 26
        a += 2
    return (a * rows + b % room) % room
