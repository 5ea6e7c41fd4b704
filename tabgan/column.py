"""One column: what it is, and its values as numbers, as text and as ticks of a clock."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from tabgan.errors import MisfitError
from tabgan.inference import date_format, date_unit, parse_dates, write_dates
from tabgan.written import NumberFormat

Kind = Literal["category", "number", "datetime", "boolean", "key", "text", "pii", "constant", "drop"]
Personal = Literal[
    "name", "first_name", "last_name", "user_name", "email", "phone", "address", "iban", "ip", "url", "ssn"
]
Part = Literal["weekday", "hour", "quarter", "month", "year", "day", "week", "day of the year"]

RARE_BELOW = 5
"""Labels of fewer rows than this are rare, if the schema says no other number."""


class Column(BaseModel):
    """One column: what it is, and what its values look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    dtype: str
    """The Arrow type as text, for example `int64` or `timestamp[us]`."""
    nullable: bool = False
    """Whether missing cells were seen."""
    format: str | None = None
    """How a date that is text or a whole number is written (strftime), or a number that is text (`#,##0.00 €`)."""
    precision: int | None = None
    """Decimals of a number; -3 for multiples of 1,000; None where values are kept in full."""
    minimum: int | float | str | None = None
    """No new number or date is below this."""
    maximum: int | float | str | None = None
    """No new number or date is above this."""
    pii: Personal | None = None
    """What of a person the column says; new values are made up."""
    locale: str = "en_US"
    """The language and country of made-up personal values."""
    rare: Literal["keep", "pool"] = "keep"
    """Whether labels of fewer than `rare_below` rows are learned, or replaced by others before anything is learned."""
    rare_below: int = Field(default=RARE_BELOW, ge=2)
    reason: str | None = None
    """Why the column is taken for personal, or for text."""

    @property
    def is_learned(self) -> bool:
        """Whether new values follow the real ones; others are made up, or left out."""
        return self.kind not in ("key", "text", "pii", "drop")

    def numbers(self, values: pa.ChunkedArray) -> np.ndarray:
        """`(rows,)` float64, NaN where missing: a number's values, a date's seconds since 1970 (wall clock)."""
        if self.kind == "datetime":
            ticks, missing = self.ticks(values)
            return np.where(missing, np.nan, ticks / self.ticks_a_second)
        if self.kind == "number" and self.format is not None:
            return as_float(self.as_numbers(values))
        return as_float(values)

    def as_numbers(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Numbers that are text as float64. Raises `MisfitError` where a cell is none."""
        if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
            return values  # another table, where they are numbers
        found = NumberFormat.parse(self.format or "").read(plain(values))
        if found.null_count > values.null_count:
            raise MisfitError(
                self.name,
                f"column {self.name!r}: numbers like {self.format} are expected, and "
                f"{found.null_count - values.null_count} cell(s) are none; mend them, or give another kind or format.",
            )
        return found

    def labels(self, values: pa.ChunkedArray) -> np.ndarray:
        """`(rows,)` objects: every value as text, None where missing."""
        return np.array(plain(values).cast(pa.string()).to_pylist(), dtype=object)

    def ticks(self, values: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """A date as ticks since 1970 on the wall clock, `(rows,)` int64, and where it is missing, `(rows,)` bool."""
        stamps = plain(values)
        if not pa.types.is_temporal(stamps.type):
            stamps = self._parsed(stamps.cast(pa.string()))
        if pa.types.is_timestamp(stamps.type) and stamps.type.tz:
            stamps = pc.local_timestamp(stamps)
        missing = np.asarray(pc.is_null(stamps))
        whole = stamps.cast(pa.timestamp(self.unit), safe=False).cast(pa.int64())
        return np.asarray(pc.fill_null(whole, 0)), missing

    def tick(self, iso: str) -> int:
        """A date in ISO 8601 in the unit of `ticks`. Raises `ArrowInvalid` for other text."""
        return int(pa.array([iso]).cast(pa.timestamp(self.unit)).cast(pa.int64())[0].as_py())

    def part(self, values: pa.ChunkedArray, part: Part) -> pa.Array:
        """A part of a date's wall clock as whole numbers, missing where it is; weeks run from Monday, which is 0."""
        ticks, missing = self.ticks(values)
        days, tick = np.divmod(ticks, 86_400 * self.ticks_a_second)
        stamps = days.astype("datetime64[D]")
        months, years = stamps.astype("datetime64[M]"), stamps.astype("datetime64[Y]")
        match part:
            case "year":
                found = years.astype(np.int64)
            case "quarter":
                found = months.astype(np.int64) % 12 // 3
            case "month":
                found = months.astype(np.int64) % 12
            case "week":
                found = (stamps - years).astype(np.int64) // 7
            case "day of the year":
                found = (stamps - years).astype(np.int64)
            case "day":
                found = (stamps - months).astype(np.int64)
            case "weekday":
                found = (days + 3) % 7  # 1 January 1970 was a Thursday
            case "hour":
                found = tick // (3_600 * self.ticks_a_second)
        return pa.array(found, mask=missing)

    def _parsed(self, text: pa.ChunkedArray) -> pa.ChunkedArray:
        """Dates written as text: in the column's format, or, in another table, in one of their own."""
        if self.format is not None:
            stamps = parse_dates(text, self.format)
            if stamps.null_count == text.null_count:
                return stamps
        form = date_format(text)
        if form is None:
            written = f" like {self.format}" if self.format else ""
            raise MisfitError(
                self.name,
                f"column {self.name!r}: dates{written} are expected, and some cells are none; mend them.",
            )
        return parse_dates(text, form)

    def from_ticks(self, ticks: np.ndarray, missing: np.ndarray, kind: pa.DataType) -> pa.Array:
        """Undo `ticks`: an Arrow array of type `kind`, text in the column's format where it was text."""
        stamps = pa.array(ticks, pa.int64(), mask=missing).cast(pa.timestamp(self.unit))
        if self.format is not None:
            return write_dates(stamps, self.format).cast(kind)
        if pa.types.is_timestamp(kind) and kind.tz:
            return pc.assume_timezone(stamps, kind.tz, ambiguous="earliest", nonexistent="earliest").cast(kind)
        return stamps.cast(kind)

    @property
    def unit(self) -> str:
        """The unit of `ticks`: s, ms, us or ns."""
        if self.format is not None:
            return date_unit(self.format)
        found = re.match(r"timestamp\[(s|ms|us|ns)", self.dtype)
        return found[1] if found else "s"

    @property
    def ticks_a_second(self) -> int:
        """How many ticks make a second."""
        return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[self.unit]

    def write_numbers(self, numbers: pa.Array) -> pa.Array:
        """Undo `as_numbers`."""
        return NumberFormat.parse(self.format or "").write(numbers)


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values in the type of `plain_type`: categories as what they stand for, NaN as missing."""
    values = values.cast(plain_type(values.type))
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves: a dictionary's (pandas' and polars' categories).

    Arrow computes little with views of text and with halves, so these are widened.
    """
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.float32() if pa.types.is_float16(kind) else kind


def as_float(values: pa.ChunkedArray) -> np.ndarray:
    """Numbers, decimals, times and durations as `(rows,)` float64, NaN where missing."""
    kind = values.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        values = values.cast(whole).cast(pa.int64())
    return np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), float("nan")))


def labels_as_codes(values: pa.ChunkedArray) -> np.ndarray:
    """`(rows,)` int64: a number for each distinct value, missing included."""
    encoded = plain(values).combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64)
