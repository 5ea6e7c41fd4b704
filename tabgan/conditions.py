"""What rows must fulfil: `{"income": ">50K", "age": (30, 40)}` in Python, `age >= 30` on the command line.

A `Condition` is about one column. It says which values are allowed and whether a missing cell is; several conditions on
one column are joined by and.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa

from tabgan.column import Column
from tabgan.errors import ConfigError, meant, some_of

_OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_EXPRESSION = re.compile(
    rf"\s*(?P<column>{_QUOTED}|.+?)\s*"
    r"(?:(?P<null>\s+is\s+(?P<not>not\s+)?null)|(?P<in>\s+(?P<notin>not\s+)?in\s+)\[(?P<list>.*)\]"
    r"|(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>.+?))\s*",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Where:
    """A condition as a user states it: values, or a range, or both; `null` says whether a missing cell will do."""

    values: tuple[Any, ...] | None = None
    excluded: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False
    null: bool = False

    @classmethod
    def of(cls, wish: Any) -> Where:
        """A dict's value: one value, None for a missing cell, a list of values, or a tuple (low, high)."""
        if isinstance(wish, Where):
            return wish
        if wish is None:
            return cls(values=(), null=True)
        if isinstance(wish, tuple):
            if len(wish) != 2:
                raise ConfigError(f"a range has two ends, as in (30, 40), and not {len(wish)}; for values use a list.")
            return cls(low=wish[0], high=wish[1])
        if isinstance(wish, list | set | frozenset | np.ndarray):
            listed = list(wish)
            if not listed:
                raise ConfigError("a list of no values allows no row; name one.")
            return cls(values=tuple(each for each in listed if each is not None), null=None in listed)
        return cls(values=(wish,))

    def joined(self, other: Where) -> Where:
        """Both conditions together."""
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = tuple(value for value in self.values if value in other.values)
        low, low_open = _tighter((self.low, self.low_open), (other.low, other.low_open), above=True)
        high, high_open = _tighter((self.high, self.high_open), (other.high, other.high_open), above=False)
        return Where(
            values, (*self.excluded, *other.excluded), low, high, low_open, high_open, self.null and other.null
        )


NOT_NULL = Where()
"""Any value, but no missing cell."""


def _tighter(a: tuple[Any, bool], b: tuple[Any, bool], *, above: bool) -> tuple[Any, bool]:
    if a[0] is None or b[0] is None:
        return b if a[0] is None else a
    if a[0] == b[0]:
        return a[0], a[1] or b[1]
    return max(a, b, key=lambda end: end[0]) if above else min(a, b, key=lambda end: end[0])


def parse(expressions: Iterable[str]) -> dict[str, Any]:
    """`["age >= 30", "region in [N, S]"]` as conditions by column. Raises `ConfigError`."""
    found: dict[str, list[Where]] = {}
    for expression in expressions:
        match = _EXPRESSION.fullmatch(expression)
        if match is None:
            raise ConfigError(
                f"--where {expression!r} cannot be read; write COLUMN == VALUE (or != < <= > >=), "
                "COLUMN in [A, B], COLUMN is null, or COLUMN is not null."
            )
        column = _bare(match["column"])
        if match["null"]:
            where = NOT_NULL if match["not"] else Where(values=(), null=True)
        elif match["in"]:
            values = tuple(_bare(each) for each in re.findall(rf"\s*({_QUOTED}|[^,]+)\s*,?", match["list"]))
            where = Where(excluded=values) if match["notin"] else Where(values=values)
        else:
            value, operator = _bare(match["value"]), match["operator"]
            where = {
                "==": Where(values=(value,)),
                "!=": Where(excluded=(value,)),
                "<": Where(high=value, high_open=True),
                "<=": Where(high=value),
                ">": Where(low=value, low_open=True),
                ">=": Where(low=value),
            }[operator]
        found.setdefault(column, []).append(where)
    return {column: parts[0] if len(parts) == 1 else _All(tuple(parts)) for column, parts in found.items()}


def narrowed(wishes: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """`wishes`, and that column `name` has one value, too."""
    before = wishes.get(name, Where(null=True))
    parts = before.parts if isinstance(before, _All) else (Where.of(before),)
    return {**wishes, name: _All((*parts, Where.of(value)))}


@dataclass(frozen=True)
class _All:
    """Conditions on one column that are joined when its type is known: until then the ends of ranges are text."""

    parts: tuple[Where, ...]


def _bare(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


@dataclass(frozen=True)
class Condition:
    """A `Where` on a column, in the column's own terms: text for labels, numbers, or a date's ticks."""

    column: Column
    where: Where

    @property
    def is_one_value(self) -> bool:
        """Whether one value alone, or a missing cell alone, is allowed."""
        return self.where.values is not None and len(self.where.values) + self.where.null == 1

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and highest number or tick that is allowed; infinite where there is none."""
        where = self.where
        low = -math.inf if where.low is None else self._after(where.low, 1) if where.low_open else where.low
        high = math.inf if where.high is None else self._after(where.high, -1) if where.high_open else where.high
        return float(low), float(high)

    def _after(self, end: float, direction: int) -> float:
        """The nearest number beyond an open end, in the column's own decimals."""
        if self.column.kind == "datetime":
            beyond = np.nextafter(float(end), math.inf * direction)  # of nanoseconds float64 holds every 256th
            return float(min(beyond, end - 1) if direction < 0 else max(beyond, end + 1))
        if self.column.precision is None:
            return float(np.nextafter(end, math.inf * direction))
        return float(end + direction * 10.0**-self.column.precision)

    def allows(self, values: pa.ChunkedArray) -> np.ndarray:
        """Which cells fulfil it, `(rows,)` bool."""
        missing = np.asarray(values.is_null())
        if self.column.kind not in ("number", "datetime"):
            missing |= np.asarray([cell is None for cell in self.column.labels(values).tolist()])
        if self.column.kind == "number":
            numbers = self.column.numbers(values)
            missing |= np.isnan(numbers)
        elif self.column.kind == "datetime":
            numbers, gone = self.column.ticks(values)
            missing |= gone
        else:
            allowed = self._labels(self.column.labels(values))
            return np.where(missing, self.where.null, allowed)
        return np.where(missing, self.where.null, self.allows_numbers(numbers))

    def _labels(self, labels: np.ndarray) -> np.ndarray:
        where = self.where
        allowed = np.ones(len(labels), dtype=bool)
        if where.values is not None:
            allowed &= np.isin(labels, np.array(where.values, dtype=object))
        if where.excluded:
            allowed &= ~np.isin(labels, np.array(where.excluded, dtype=object))
        if where.low is not None or where.high is not None:
            numbers = np.array([_float(label) for label in labels.tolist()])
            low, high = self.ends
            allowed &= (numbers >= low) & (numbers <= high)
        return allowed

    def allows_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """Which numbers or ticks fulfil it, `(rows,)` bool."""
        where = self.where
        allowed = np.ones(len(numbers), dtype=bool)
        if where.low is not None:
            allowed &= numbers > where.low if where.low_open else numbers >= where.low
        if where.high is not None:
            allowed &= numbers < where.high if where.high_open else numbers <= where.high
        if self.where.values is not None:
            allowed &= np.isin(numbers, np.array(self.where.values, dtype=float))
        if self.where.excluded:
            allowed &= ~np.isin(numbers, np.array(self.where.excluded, dtype=float))
        return allowed


def _float(label: str | None) -> float:
    try:
        return math.nan if label is None else float(label)
    except ValueError:
        return math.nan


def conditions(wishes: Mapping[str, Any], columns: Sequence[Column], arrow_schema: pa.Schema) -> list[Condition]:
    """The conditions on `columns`. Raises `ConfigError` for a column or a value that is none."""
    by_name = {column.name: column for column in columns}
    found = []
    for name, wish in wishes.items():
        if name not in by_name:
            hint = meant(name, by_name, f"; there are {some_of(by_name)}.")
            raise ConfigError(f"there is no column {name!r}{hint}")
        column, kind = by_name[name], arrow_schema.field(name).type
        parts = wish.parts if isinstance(wish, _All) else (Where.of(wish),)
        where = reduce(Where.joined, [_typed(part, column, kind) for part in parts])
        condition = Condition(column, where)
        low, high = condition.ends
        if low > high or (where.values == () and not where.null):
            raise ConfigError(f"the conditions on column {name!r} allow no value; widen them.")
        found.append(condition)
    return found


def _typed(where: Where, column: Column, kind: pa.DataType) -> Where:
    """The condition's values in the column's own terms."""

    def one(value: Any) -> Any:
        if value is None:
            return None
        if column.kind == "number":
            return _number(value, column)
        if column.kind == "datetime":
            return _ticks(value, column)
        return _label(value, kind)

    def end(value: Any) -> Any:
        if value is None or column.kind in ("number", "datetime"):
            return one(value)
        number = _float(str(value))
        if math.isnan(number) or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ConfigError(f"column {column.name!r} holds labels, which have no order; name them in a list.")
        return number

    values = None if where.values is None else tuple(dict.fromkeys(one(value) for value in where.values))
    excluded = tuple(one(value) for value in where.excluded)
    return replace(where, values=values, excluded=excluded, low=end(where.low), high=end(where.high))


def _number(value: Any, column: Column) -> float:
    if isinstance(value, str) and column.format is not None and math.isnan(_float(value)):
        return float(column.as_numbers(pa.chunked_array([[value]]))[0].as_py())
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"column {column.name!r} holds numbers, and {value!r} is none.") from None
    if math.isnan(number):
        raise ConfigError(f"column {column.name!r}: for a missing cell use None, or `is null`.")
    return number


def _ticks(value: Any, column: Column) -> int:
    text = value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    for read in (column.tick, lambda text: int(column.ticks(pa.chunked_array([[text]]))[0][0])):
        try:
            return read(text)
        except (pa.ArrowException, ValueError):
            continue
    raise ConfigError(f"column {column.name!r} holds dates, and {text!r} is none; write it like 2024-01-31.")


def _label(value: Any, kind: pa.DataType) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and not pa.types.is_floating(kind):
        return str(int(value))
    text = str(value)
    return text.lower() if pa.types.is_boolean(kind) else text
