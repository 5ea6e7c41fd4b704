"""Dates <-> codes for the parts that behave differently: week and weekday (or month and day), and time of day."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa

from tabgan.conditions import Condition, Where
from tabgan.encoding.base import Code, ColumnEncoder, Draw, Restriction
from tabgan.encoding.number import nearest_allowed, scale_restriction
from tabgan.encoding.scale import Scale

FEW_DAYS = 4
"""Dates on no more days of the month than this (1st; 15th; 28th to 31st) are counted in months, not weeks."""


class DateEncoder(ColumnEncoder):
    """Dates and timestamps <-> ordered codes `week`, `weekday` (or `month`, `day`) and `time`.

    A part that never varies has no code.
    """

    kind = "datetime"
    first_: int
    last_: int

    def fit(self, values: pa.ChunkedArray) -> Self:
        ticks, missing = self.column.ticks(values)
        ticks = ticks[~missing]
        days = ticks // self._ticks_a_day
        in_month = days - month_start(month_of(days))
        monthly = len(np.unique(in_month)) <= FEW_DAYS and len(np.unique(days)) > FEW_DAYS
        time = ticks - days * self._ticks_a_day
        steps = [step * self.column.ticks_a_second for step in (3600, 60, 1)] + [1]
        step = next(step for step in steps if not (time % step).any())
        parts = self._parts(ticks, monthly, step)
        scales = [Scale.fit(part, 0) for part in parts]
        return self._set(scales, monthly, step, int(ticks.min()), int(ticks.max()))

    def see(self, values: pa.ChunkedArray) -> None:
        ticks, missing = self.column.ticks(values)
        if not missing.all():
            self.first_ = min(self.first_, int(ticks[~missing].min()))
            self.last_ = max(self.last_, int(ticks[~missing].max()))

    def _set(self, scales: list[Scale], monthly: bool, step: int, first: int, last: int) -> Self:
        self.scales_, self.monthly_, self.step_, self.first_, self.last_ = scales, monthly, step, first, last
        names = ["month", "day", "time"] if monthly else ["week", "weekday", "time"]
        # The first part is always there: it also says whether the cell is missing.
        self._used = [i for i, scale in enumerate(scales) if i == 0 or scale.knots[0, 0] < scale.knots[-1, -1]]
        self.codes_ = tuple(
            Code(f"{self.column.name} ({names[i]})", scales[i].size + 1, ordered=True) for i in self._used
        )
        return self

    @property
    def _ticks_a_day(self) -> int:
        return 86_400 * self.column.ticks_a_second

    def _parts(self, ticks: np.ndarray, monthly: bool, step: int) -> list[np.ndarray]:
        days = ticks // self._ticks_a_day
        time = (ticks - days * self._ticks_a_day) // step
        if monthly:
            months = month_of(days)
            return [part.astype(np.float64) for part in (months, days - month_start(months), time)]
        monday = days + 3  # 1 January 1970 was a Thursday
        return [part.astype(np.float64) for part in (monday // 7, monday % 7, time)]

    def encode(self, values: pa.ChunkedArray) -> np.ndarray:
        ticks, missing = self.column.ticks(values)
        parts = self._parts(ticks, self.monthly_, self.step_)
        codes = np.column_stack([self.scales_[i].encode(parts[i]) + 1 for i in self._used])
        codes[missing] = 0
        return codes

    def decode(self, codes: np.ndarray, draw: Draw) -> pa.Array:
        missing = codes[:, 0] == 0
        parts = [np.broadcast_to(scale.knots[0, 0], len(codes)) for scale in self.scales_]
        for j, i in enumerate(self._used):
            parts[i] = self.scales_[i].decode(np.maximum(codes[:, j], 1) - 1, draw.uniforms[:, j])
        major, minor, time = (np.rint(part).astype(np.int64) for part in parts)
        if self.monthly_:
            days = np.minimum(month_start(major) + minor, month_start(major + 1) - 1)  # no 31 April
        else:
            days = major * 7 + minor - 3
        ticks = days * self._ticks_a_day + time * self.step_
        # The ends of int64 lie inside a day: what would wrap around there is far outside as a float.
        rough = days.astype(np.float64) * self._ticks_a_day + time * self.step_
        if not self.monthly_:
            # What would pass an end is some weeks nearer: the end itself may be a moment of one row alone.
            week = 7 * self._ticks_a_day
            weeks = np.ceil(np.maximum(rough - self.last_, 0) / week)
            weeks -= np.ceil(np.maximum(self.first_ - rough, 0) / week)
            ticks, rough = ticks - weeks.astype(np.int64) * week, rough - weeks * week
        ticks = np.where(rough <= self.first_, self.first_, np.where(rough >= self.last_, self.last_, ticks))
        return self.column.from_ticks(np.clip(ticks, self.first_, self.last_), missing, self.type)

    def restrict(self, condition: Condition) -> Restriction:
        where, (low, high) = condition.where, condition.ends
        ticks = [low, high] if where.values is None else list(where.values)
        ticks = np.clip(np.array([*ticks, low, high], dtype=float), self.first_, self.last_).astype(np.int64)
        majors, minors, _ = self._parts(ticks, self.monthly_, self.step_)
        if where.values is not None:
            inside = [m for m, t in zip(majors[:-2], where.values, strict=True) if self.first_ <= t <= self.last_]
            major = Where(values=tuple(inside), null=where.null)
        elif low > self.last_ or high < self.first_:
            major = Where(values=(), null=where.null)
        else:
            major = Where(low=majors[0], high=majors[1], null=where.null)
        first, last = pa.array([self.first_, self.last_]).cast(pa.timestamp(self.column.unit)).cast(pa.string())
        kept = scale_restriction(
            self.column.name, self.scales_[0], Condition(self.column, major), 0.5, f"{first} to {last}"
        )
        weights = [kept.weights[0]]
        pairs = {}
        for j, i in enumerate(self._used[1:], start=1):
            every = np.ones(self.codes_[j].cardinality)
            every[0] = where.null
            weights.append(every)
            if i == 1:
                pairs[0, j] = self._days_allowed(majors, minors, where.values is not None)
        return Restriction(weights, pairs, kept.within)

    def _days_allowed(self, majors: np.ndarray, minors: np.ndarray, values: bool) -> np.ndarray:
        """Which weekdays (days of the month) go with which weeks (months), where a code is one week."""
        major, minor = self.scales_[0], self.scales_[1]
        allowed = np.ones((major.size + 1, minor.size + 1), dtype=bool)
        allowed[0, 1:] = allowed[1:, 0] = False
        first, last = minor.knots[:, 0], minor.knots[:, -1]
        for place in np.flatnonzero(major.is_atom):
            week = major.knots[place, 0]
            if values:
                days = minors[:-2][majors[:-2] == week]
                if len(days):
                    allowed[place + 1, 1:] = [
                        ((days >= a) & (days <= b)).any() for a, b in zip(first, last, strict=True)
                    ]
                continue
            if week == majors[-2]:
                allowed[place + 1, 1:] &= last >= minors[-2]
            if week == majors[-1]:
                allowed[place + 1, 1:] &= first <= minors[-1]
        return allowed

    def mend(self, values: pa.Array, condition: Condition) -> pa.Array:
        out = ~condition.allows(pa.chunked_array([values]))
        if not out.any():
            return values
        ticks, missing = self.column.ticks(pa.chunked_array([values]))
        ticks = ticks.copy()
        ticks[out] = nearest_allowed(ticks[out].astype(float), condition).astype(np.int64)
        return self.column.from_ticks(np.clip(ticks, self.first_, self.last_), missing, self.type)

    def state(self) -> dict[str, Any]:
        return {
            "scales": [scale.state() for scale in self.scales_],
            "monthly": self.monthly_,
            "step": self.step_,
            "first": self.first_,
            "last": self.last_,
        }

    def restore(self, state: dict[str, Any]) -> Self:
        scales = [Scale.restore(scale) for scale in state["scales"]]
        return self._set(scales, state["monthly"], state["step"], state["first"], state["last"])


def month_of(days: np.ndarray) -> np.ndarray:
    """Months since January 1970 of days since 1 January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: np.ndarray) -> np.ndarray:
    """The first day, in days since 1970, of months since January 1970."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
