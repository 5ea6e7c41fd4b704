"""Noisy counts of numbers nobody knows the range of: in octaves, and where there are many, in finer and finer parts.

A number's leading bits are its sign, its exponent and the first digits of its mantissa; so many of them name a cell,
and a few more of them a part of it.
"""

from __future__ import annotations

import numpy as np

from tabgan.inference import LARGEST
from tabgan.private.looks import Looks

REFINED = (12, 14, 16, 18)
"""Leading bits of a number that tell cells apart, one look after the other: sign and exponent, then 4, 16 and 64 parts
of each octave."""
PARTS = 4
SPLIT = 4.0
"""A cell is refined where each part would hold so many times the noise on the average. One that is not reaches beyond
its rows."""
SEEN, NEAR = 3.0, 1.0
"""A part counts where it holds so many times the noise; beside another that counts, the latter will do."""


def cells(numbers: np.ndarray, looks: Looks) -> list[tuple[float, float, float]]:
    """Cells (from, to, rows) that hold the numbers, `(rows,)`, finer where there are many."""
    leading = keys(numbers[~np.isnan(numbers)])
    found: list[tuple[int, int, float]] = []  # leading bits, how many of them, rows
    parents = {0: np.inf}
    before = 0
    for bits in REFINED:
        if not parents:
            break
        more = bits - before
        children = np.concatenate([np.arange(parent << more, (parent + 1) << more) for parent in parents])
        counts = looks.known(_counted(leading >> (64 - bits), children))
        refined: dict[int, float] = {}
        for (parent, size), own, held in zip(
            parents.items(), np.split(children, len(parents)), np.split(counts, len(parents)), strict=True
        ):
            seen = _standing_out(held, looks.noise) if before else np.where(held >= looks.threshold, held, 0.0)
            if not seen.any() and before:
                found.append((parent, before, size))
            scale = size / max(seen.sum(), 1.0) if before else 1.0
            for cell, count in zip(own[seen > 0].tolist(), (seen[seen > 0] * scale).tolist(), strict=True):
                if bits < REFINED[-1] and count >= SPLIT * PARTS * looks.noise:
                    refined[cell] = count
                else:
                    found.append((cell, bits, count))
        parents, before = refined, bits
    return [(*ends(cell, bits), size) for cell, bits, size in found]


def _standing_out(counts: np.ndarray, noise: float) -> np.ndarray:
    """Counts of neighbouring cells, 0 where they may well be noise: those of `SEEN` times it, and their neighbours'
    as far as they hold `NEAR` times it (hysteresis, as in Canny 1986, "A computational approach to edge
    detection")."""
    kept = counts >= SEEN * noise
    for _ in range(len(counts)):
        beside = np.zeros_like(kept)
        beside[1:] |= kept[:-1]
        beside[:-1] |= kept[1:]
        grown = kept | (beside & (counts >= NEAR * noise))
        if (grown == kept).all():
            break
        kept = grown
    return np.where(kept, counts, 0.0)


def _counted(parts: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """How many of `parts` are each of `cells`, which rise."""
    parts = np.sort(parts)
    counted: np.ndarray = np.searchsorted(parts, cells, side="right") - np.searchsorted(parts, cells, side="left")
    return counted


def keys(numbers: np.ndarray) -> np.ndarray:
    """Numbers as whole ones of 64 bits, uint64, in the same order: their leading bits are sign, exponent, mantissa."""
    bits = (numbers + 0.0).view(np.uint64)  # no negative zero
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))


def ends(cell: int, bits: int) -> tuple[float, float]:
    """The least and the greatest number that begin with these bits."""
    both = np.array([cell << (64 - bits), ((cell + 1) << (64 - bits)) - 1], dtype=np.uint64)
    top = np.uint64(1 << 63)
    low, high = np.where(both & top, both ^ top, ~both).view(np.float64).tolist()
    return max(low, -LARGEST), min(high, LARGEST)
