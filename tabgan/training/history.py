"""The log of a fit: one record a look at the held-out rows, told to the listener and kept in the model file."""

from __future__ import annotations

import time
from typing import Any

from tabgan.progress import Listener, Progress, time_left

REPORT_SECONDS = 0.5
"""At least so long between two reports of a stage's steps."""


class History:
    """Collects records and reports progress; knows the time that is left where there is a limit."""

    def __init__(self, listener: Listener | None, time_limit: float | None) -> None:
        """`time_limit`: seconds that the whole fit may take, from now; None for no limit."""
        self.records: list[dict[str, Any]] = []
        self._listener = listener
        self._time_limit = time_limit
        self._started = time.monotonic()
        self._told = -REPORT_SECONDS
        self._stage, self._stage_started, self._first_step = "", self._started, 0

    @property
    def elapsed(self) -> float:
        """Seconds since the fit began, less the time in which it was interrupted."""
        return time.monotonic() - self._started

    @property
    def spent(self) -> float:
        """The share of the time limit that is spent; 0 without a limit."""
        return 0.0 if self._time_limit is None else self.elapsed / self._time_limit

    def go_on(self, records: list[dict[str, Any]], seconds: float) -> None:
        """Go on from the records of a fit that was interrupted, and count the seconds that it has taken."""
        self.records = records
        self._started -= seconds

    def until(self, share: float) -> float:
        """The share of the time limit at which `share` of the time that is left now will be spent."""
        return self.spent + share * (1 - self.spent)

    def left(self, share: float) -> float | None:
        """The seconds until `share` of the time limit is spent; None without a limit."""
        return None if self._time_limit is None else max(share * self._time_limit - self.elapsed, 0.1)

    def due(self) -> bool:
        """Whether it is time to report again: a report may make a GPU wait, so not every step does."""
        return time.monotonic() - self._told >= REPORT_SECONDS

    def report(
        self, stage: str, step: int, steps: int, loss: float | None = None, held_out: float | None = None
    ) -> None:
        """Tell the listener where the stage stands."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._stage_started, self._first_step = stage, now, step
        self._told = now
        seen = step - self._first_step  # of a stage that went on these are fewer than its steps
        left = time_left(now - self._stage_started, seen, steps - step)
        if self._time_limit is not None:
            remaining = max(self._time_limit - self.elapsed, 0.0)
            left = remaining if left is None else min(left, remaining)
        if self._listener is not None:
            self._listener(
                Progress(stage=stage, step=step, steps=steps, loss=loss, held_out=held_out, seconds_left=left)
            )

    def relay(self, progress: Progress) -> None:
        """Tell the listener what another process says of itself."""
        if self._listener is not None:
            self._listener(progress)

    def record(self, stage: str, step: int, **figures: float) -> None:
        """Keep figures of a step. No time of day or duration is among them: the same seed gives the same file."""
        self.records.append({"stage": stage, "step": step, **figures})
