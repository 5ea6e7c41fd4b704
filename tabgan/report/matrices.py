"""What the page's heat maps show, as classes of colour: similarities of pairs, and associations in both tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tabgan.report.association import Associations, Matrix
from tabgan.report.drawing import Cells
from tabgan.report.pairs import PairScore

LEVELS = (0.99, 0.97, 0.94, 0.90)
"""Least similarities of the classes; below the last comes one more, and one for what is undefined."""
_BETWEEN = (0.02, 0.05, 0.1, 0.2)
"""Bounds of the classes of differences of associations."""
_ENDS = (-0.6, -0.3, -0.1, 0.1, 0.3, 0.6)
"""Bounds of the classes of associations."""


def level(similarity: float | None) -> int:
    """The class of a similarity: 0 is best, then `LEVELS` downwards, and the last one is undefined."""
    if similarity is None:
        return len(LEVELS) + 1
    return sum(similarity < least for least in LEVELS)


def similarity_cells(names: Sequence[str], pairs: Sequence[PairScore]) -> Cells:
    """The similarity of every pair, in percent, below the diagonal: columns `names[:-1]`, rows `names[1:]`."""
    place = {name: i for i, name in enumerate(names)}
    return {
        (place[pair.columns[0]], place[pair.columns[1]] - 1): (
            level(pair.similarity),
            "" if pair.similarity is None else str(int(100 * pair.similarity)),
        )
        for pair in pairs
    }


def association_cells(matrix: Matrix) -> Cells:
    """Classes 0 (most negative) to 6, 7 where undefined; in hundredths."""
    return {
        (x, y): (len(_ENDS) + 1, "") if value is None else (sum(value >= end for end in _ENDS), _hundredths(value))
        for y, row in enumerate(matrix)
        for x, value in enumerate(row)
        if x != y
    }


def difference_cells(associations: Associations) -> Cells:
    """How far the synthetic association is from the real one: class 0 is best, 5 where one is undefined."""
    found = {}
    for y, rows in enumerate(zip(associations.real, associations.synthetic, strict=True)):
        for x, (real, synthetic) in enumerate(zip(*rows, strict=True)):
            if x == y:
                continue
            if real is None or synthetic is None:
                found[x, y] = (len(_BETWEEN) + 1, "")
            else:
                gap = synthetic - real
                found[x, y] = (sum(abs(gap) >= bound for bound in _BETWEEN), _hundredths(gap))
    return found


def similarity_legend(with_undefined: bool) -> list[tuple[str, str]]:
    """Colour and words of each class."""
    bounds = [f"{100 * least:.0f}" for least in LEVELS]
    between = [f"{low} to {high}" for high, low in pairwise(bounds)]
    return _legend("level", [f"{bounds[0]} and more", *between, f"under {bounds[-1]}", *["undefined"] * with_undefined])


def association_legend() -> list[tuple[str, str]]:
    """Colour and words of each class."""
    between = [f"{low:g} to {high:g}" for low, high in pairwise(_ENDS)]
    return _legend("assoc", [f"under {_ENDS[0]:g}", *between, f"{_ENDS[-1]:g} and more"])


def difference_legend() -> list[tuple[str, str]]:
    """Colour and words of each class."""
    between = [f"{low:g} to {high:g}" for low, high in pairwise(_BETWEEN)]
    return _legend("level", [f"off by under {_BETWEEN[0]:g}", *between, f"{_BETWEEN[-1]:g} and more"])


def _legend(name: str, words: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"--{name}-{i}", text) for i, text in enumerate(words)]


def _hundredths(value: float) -> str:
    return f"{100 * value:.0f}".replace("-0", "0")
