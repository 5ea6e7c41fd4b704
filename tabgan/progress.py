"""What a long run says of itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a long run stands: `fit`, `sample` or a report."""

    stage: str
    """Of a fit "encode", "private tree", "private descent", "teacher 1" and so on, "warm-up", "game" or "choose"."""
    step: int
    steps: int
    """At most so many steps; the stage may end earlier."""
    loss: float | None = None
    held_out: float | None = None
    """The latest error on held-out rows: cross-entropy in the warm-up, the distance that is minimised in the game."""
    seconds_left: float | None = None
    """An estimate for this stage, at most."""


Listener = Callable[[Progress], None]


def time_left(spent: float, done: int, left: int) -> float | None:
    """The seconds that `left` steps take if `done` ones took `spent` seconds; None before any is done."""
    return spent / done * left if done else None
