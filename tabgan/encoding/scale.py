"""Numbers <-> places: atoms (values that many rows share) have places of their own, the rest is cut into quantile bins.

The bins are found after the atoms are taken out, so a spike never widens them. Inside a bin a value is drawn by
interpolating between quantiles, and rounded to the column's own decimals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan.conditions import Condition

MAX_ATOMS = 120
MAX_BINS = 50
BIN_ROWS = 20
"""A bin holds at least this many rows, so that no quantile of it is one person's value: fewer only where all bins
together would hold fewer, and at the ends of a column of few different values on a grid."""
ATOM_ROWS = 5
"""A value of fewer rows is never kept as it is, but for a whole number of two next to one of so many: of counts that
end at 4, with few rows, 3 would say as much of these."""
FARTHER = 2.0
"""How many times farther than its inner half the outer half of the outermost bin reaches where that is cut in two."""
PARTS = 8
"""Quantile steps inside a bin."""
SHARED_SHARE = 0.9
"""In a bin of which so many rows hold a number of `ATOM_ROWS` rows or more, new numbers are among these."""
HEAVY_SHARE = 0.01
"""No bin reaches across an atom of more than this share of the rows."""
ACROSS_SHARE = 0.05
"""Nor, where a column holds few different values, across atoms that together hold more than this share of the rows."""
SPIKE, NEIGHBOURS = 4, 8
"""Among many values, one is an atom if it is this many times commoner than the median of so many neighbours a side."""


class Scale:
    """Numbers `(rows,)` float64 without missing ones <-> places 0 to `size` - 1 in rising order of value.

    `knots` is `(size, PARTS + 1)`: the quantiles of each bin; an atom's are all its value. `shared` holds, for bins of
    numbers that are shared by many rows, these numbers and the cumulative shares of their rows: what is drawn from such
    a bin is one of them.
    """

    def __init__(
        self,
        knots: np.ndarray,
        is_atom: np.ndarray,
        decimals: int | None,
        shared: dict[int, tuple[np.ndarray, np.ndarray]],
    ) -> None:
        self.knots, self.is_atom, self.decimals, self.shared = knots, is_atom, decimals, shared
        self.size = len(knots)
        self._atoms, self._bins = np.flatnonzero(is_atom), np.flatnonzero(~is_atom)
        self._values = knots[self._atoms, 0]
        self._between_atoms = (self._values[:-1] + self._values[1:]) / 2
        self._between_bins = (knots[self._bins[:-1], -1] + knots[self._bins[1:], 0]) / 2

    @classmethod
    def fit(cls, numbers: np.ndarray, decimals: int | None) -> Scale:
        """Find the atoms and bins of `numbers`, of which there is at least one."""
        values, counts = np.unique(numbers, return_counts=True)
        atoms = _atoms(values, counts)
        rest = np.sort(numbers[~np.isin(numbers, atoms)])
        if decimals is not None and len(values) <= MAX_ATOMS and len(atoms):
            chunks, left = _near_together(rest, numbers)
            if decimals == 0:
                atoms = _with_neighbours(atoms, left)
        elif len(rest) < ATOM_ROWS and len(atoms):
            chunks = []  # too few rows for a bin: they count as their nearest atom
        else:
            chunks = _chunks(rest, values[counts > HEAVY_SHARE * len(numbers)])
        rows = [np.full(PARTS + 1, atom) for atom in atoms]
        rows += [np.quantile(chunk, np.linspace(0, 1, PARTS + 1)) for chunk in chunks]
        knots = np.array(rows)
        order = np.argsort(knots.mean(axis=1), kind="stable")
        shared = {place: shared_values(chunks[i - len(atoms)]) for place, i in enumerate(order) if i >= len(atoms)}
        found = {place: values for place, values in shared.items() if values is not None}
        return cls(knots[order], order < len(atoms), decimals, found)

    def encode(self, numbers: np.ndarray) -> np.ndarray:
        """Each number's place; one that is no atom and in no bin goes to the nearest."""
        if not len(self._bins):
            nearest: np.ndarray = self._atoms[np.searchsorted(self._between_atoms, numbers)]
            return nearest
        place: np.ndarray = self._bins[np.searchsorted(self._between_bins, numbers)]
        if len(self._atoms):
            at = np.searchsorted(self._between_atoms, numbers)
            away = np.maximum(self.knots[place, 0] - numbers, numbers - self.knots[place, -1])
            far = np.abs(self._values[at] - numbers)
            place = np.where((far == 0) | (far < away), self._atoms[at], place)
        return place

    def decode(self, places: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """A number for each place, `uniforms` of the way through the bin's rows."""
        along = uniforms * PARTS
        step = along.astype(np.int64)
        left, right = self.knots[places, step], self.knots[places, step + 1]
        numbers: np.ndarray = np.minimum(left + (right - left) * (along - step), right)
        for place, (values, shares) in self.shared.items():
            here = places == place
            numbers[here] = values[np.searchsorted(shares, uniforms[here], side="right")]
        return numbers if self.decimals is None else np.round(numbers, self.decimals)

    def along(self, places: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Undo `decode` where that can be: how far through its place's rows each number is, `(rows,)` in [0, 1)."""
        found = np.zeros(len(numbers))
        for place in np.unique(places):
            here = places == place
            if place in self.shared:
                values, shares = self.shared[place]
                at = np.minimum(np.searchsorted(values, numbers[here]), len(values) - 1)
                found[here] = (shares[at] + np.append(0.0, shares)[at]) / 2
            else:
                found[here] = np.interp(numbers[here], self.knots[place], np.linspace(0, 1, PARTS + 1))
        return np.minimum(found, np.nextafter(1.0, 0.0))

    def allowed(self, condition: Condition, half: float) -> np.ndarray:
        """Between which uniforms the values of each place are allowed, `(size, 2)`; equal ones where none is.

        `half`: half a step of rounding, so much outside of an end a value still rounds to it."""
        low, high = condition.ends
        values = condition.where.values
        found = np.zeros((self.size, 2))
        for place, knots in enumerate(self.knots):
            if self.is_atom[place]:
                is_value = values is None or knots[0] in values
                found[place] = 0, low <= knots[0] <= high and is_value and knots[0] not in condition.where.excluded
            elif place in self.shared:
                numbers, shares = self.shared[place]
                ok = (numbers >= low) & (numbers <= high)
                if values is not None:
                    ok &= np.isin(numbers, values)
                if ok.any():
                    first, last = np.flatnonzero(ok)[[0, -1]]
                    found[place] = shares[first - 1] if first else 0.0, shares[last]
            elif values is None:
                found[place] = _along(knots, low - half), _along(knots, high + half)
            else:
                inside = [v for v in values if knots[0] <= v <= knots[-1] and low <= v <= high]
                if inside:
                    width = max(half, 1e-9 * max(1.0, abs(inside[0])), 1e-4 * (knots[-1] - knots[0]))
                    found[place] = _along(knots, min(inside) - width), _along(knots, max(inside) + width)
        return found

    def state(self) -> dict[str, Any]:
        """The scale as JSON; an atom is one number."""
        rows = [row[0] if atom else row for row, atom in zip(self.knots.tolist(), self.is_atom, strict=True)]
        shared = {str(place): [values.tolist(), shares.tolist()] for place, (values, shares) in self.shared.items()}
        return {"knots": rows, "decimals": self.decimals, "shared": shared}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Scale:
        """Undo `state`."""
        rows = state["knots"]
        knots = [row if isinstance(row, list) else [row] * (PARTS + 1) for row in rows]
        is_atom = np.array([not isinstance(row, list) for row in rows])
        shared = {
            int(place): (np.array(values), np.array(shares)) for place, (values, shares) in state["shared"].items()
        }
        return cls(np.array(knots, dtype=np.float64), is_atom, state["decimals"], shared)


def _along(knots: np.ndarray, number: float) -> float:
    """How far along a bin's rows a number lies, in [0, 1]."""
    return float(np.interp(number, knots, np.linspace(0, 1, len(knots))))


def _atoms(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The values that stand out, sorted: all common ones of a short list, else those commoner than neighbours."""
    rows = counts.sum()
    common = counts >= max(ATOM_ROWS, rows // 2_000)
    if len(values) > MAX_ATOMS:
        around = np.lib.stride_tricks.sliding_window_view(
            np.pad(counts, NEIGHBOURS, mode="reflect"), 2 * NEIGHBOURS + 1
        )
        common &= (counts > HEAVY_SHARE * rows) | (counts > SPIKE * np.median(around, axis=1))
    found = np.flatnonzero(common)
    return np.sort(values[found[np.argsort(-counts[found], kind="stable")][:MAX_ATOMS]])


def _chunks(rest: np.ndarray, heavy: np.ndarray) -> list[np.ndarray]:
    """Sorted numbers cut into bins of about equal rows, never between equal numbers, and never across a heavy atom
    unless a side has too few rows."""
    rows = max(BIN_ROWS, -(-len(rest) // MAX_BINS))
    chunks: list[np.ndarray] = []
    run = rest[:0]
    for piece in np.split(rest, np.unique(np.searchsorted(rest, heavy))):
        run = np.concatenate([run, piece])
        if len(run) >= BIN_ROWS:
            chunks += _even(run, max(1, len(run) // rows))
            run = rest[:0]
    if len(run) and chunks:
        chunks[-1] = np.concatenate([chunks[-1], run])
    elif len(run):
        chunks = [run]
    return _tails(chunks)


def _near_together(rest: np.ndarray, numbers: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Sorted numbers of a column of few different ones cut into bins that reach across few of its rows, and those that
    are too few for one and count as their nearest atom. One bin for both ends would give all that lies between."""
    order = np.sort(numbers)
    across = np.searchsorted(order, rest[1:], "left") - np.searchsorted(order, rest[:-1], "right")
    rows = max(BIN_ROWS, -(-len(rest) // MAX_BINS))
    chunks: list[np.ndarray] = []
    left = [rest[:0]]
    for run in np.split(rest, np.flatnonzero(across > ACROSS_SHARE * len(numbers)) + 1):
        if len(run) >= BIN_ROWS:
            chunks += _even(run, max(1, len(run) // rows))
        elif len(run) >= ATOM_ROWS:
            chunks.append(run)
        else:
            left.append(run)
    return _tails(chunks), np.concatenate(left)


def _with_neighbours(atoms: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Atoms, and of the whole numbers in `rest` those next to one of them that two rows hold at least."""
    values, counts = np.unique(rest, return_counts=True)
    return np.union1d(atoms, [value for value in values[counts > 1] if np.abs(atoms - value).min() <= 1])


def _tails(chunks: list[np.ndarray]) -> list[np.ndarray]:
    """The outermost bins cut in two where they reach far."""
    if not chunks:
        return []
    low = [-part[::-1] for part in _tail(-chunks[0][::-1])][::-1]
    return [*low, *chunks[1:-1], *_tail(chunks[-1])] if len(chunks) > 1 else _tail(chunks[0])


def _tail(chunk: np.ndarray) -> list[np.ndarray]:
    """The last bin cut into halves, the outer half again, and so on, as long as that reaches much farther.

    One bin would smear the few rows far out over all that lies between.
    """
    cut = int(np.searchsorted(chunk, chunk[len(chunk) // 2], side="left"))
    inner, outer = chunk[:cut], chunk[cut:]
    if min(len(inner), len(outer)) < BIN_ROWS or outer[-1] - outer[0] < FARTHER * (outer[0] - inner[0]):
        return [chunk]
    return [inner, *_tail(outer)]


def shared_values(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The numbers that are shared by many rows, sorted, and their cumulative shares; None if many rows hold others."""
    values, counts = np.unique(numbers, return_counts=True)
    many = counts >= ATOM_ROWS
    if counts[many].sum() < SHARED_SHARE * len(numbers):
        return None
    shares = counts[many].cumsum() / counts[many].sum()
    return values[many], np.append(shares[:-1], 1.0)


def _even(run: np.ndarray, parts: int) -> list[np.ndarray]:
    """Sorted numbers cut into `parts` of about equal length, or fewer: equal numbers stay together."""
    chunks: list[np.ndarray] = []
    start = 0
    for left in range(parts, 0, -1):
        length = max(BIN_ROWS, (len(run) - start) // left)
        end = int(np.searchsorted(run, run[start + length - 1], side="right"))
        if len(run) - end < BIN_ROWS:  # too few rows for a bin of their own
            end = len(run)
        chunks.append(run[start:end])
        start = end
        if start == len(run):
            break
    return chunks


def nearest(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Which of the sorted `values` is the nearest to each of `numbers`."""
    found: np.ndarray = np.searchsorted(values[:-1] / 2 + values[1:] / 2, numbers)  # halves: a sum may be too large
    return found
