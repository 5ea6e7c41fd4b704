"""What kind a column is, and what its values look like: by its type, its values and its name, or by the user's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, Kind, as_float, plain, plain_type
from tabgan.errors import DataError, SchemaError
from tabgan.inference import (
    KEY_ROWS,
    LARGEST,
    date_format,
    decimals,
    determines,
    is_key,
    is_monotone,
    named_like_an_id,
    whole_number_date_format,
)
from tabgan.personal import free_text, personal
from tabgan.written import NumberFormat

CODE_VALUES = 20
"""A column of whole numbers with more different values than this is looked at for being an id in disguise."""

LEAST_PHONE = 10**6
"""Whole numbers below this are no telephone numbers."""

TRUTH = [{"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"ja", "nein"}, {"oui", "non"}, {"on", "off"}]
"""Words that text says true and false in, in any case of letters."""


def infer_column(
    field: pa.Field, values: pa.ChunkedArray, labels: Sequence[np.ndarray], wishes: Mapping[str, Any]
) -> Column:
    """What the column `field` is; `wishes` are fields of a `Column` that the user has set.

    `labels`: the codes of all columns of text. Raises `DataError` for values that are no plain ones, and `SchemaError`
    for wishes that the values do not fit.
    """
    if wishes.get("kind") == "drop":
        return Column(name=field.name, kind="drop", dtype=str(field.type))
    kind = plain_type(field.type)
    if not _is_plain(kind):
        raise DataError(
            f"column {field.name!r} holds {field.type}, no plain values; drop the column (in a schema: `kind: drop`) "
            "or split it into plain ones."
        )
    if wishes.get("dtype", str(field.type)) != str(field.type):
        raise SchemaError(
            f"column {field.name!r} is of dtype {wishes['dtype']} there and of {field.type} in the table; "
            "leave dtype out, or give the table that type."
        )
    values = plain(values)
    column = Column(name=field.name, kind="category", dtype=str(field.type), nullable=values.null_count > 0)
    if wishes.get("nullable") is False and column.nullable:
        raise SchemaError(
            f"column {field.name!r} is not nullable there, and {values.null_count} cell(s) of it are missing; "
            "fill or drop these rows."
        )
    found = column.model_copy(update=_kind(column, field, values, labels))
    if "kind" in wishes or "format" in wishes:
        asked = wishes.get("kind", found.kind)
        details = found.model_dump(include={"format", "precision", "pii"}) if asked == found.kind else {}
        found = column.model_copy(update={"kind": asked, **details, **wishes})
    else:
        found = found.model_copy(update=dict(wishes))
    return _detailed(found, values)


def _kind(column: Column, field: pa.Field, values: pa.ChunkedArray, labels: Sequence[np.ndarray]) -> dict[str, Any]:
    """The kind, and how values are written."""
    kind = values.type
    known = pc.unique(values).drop_null()
    distinct, rows = len(known), len(values) - values.null_count
    if distinct + column.nullable <= 1:
        return {"kind": "constant"}
    if pa.types.is_dictionary(field.type):
        return {}  # the user's own categories
    if pa.types.is_boolean(kind):
        return {"kind": "boolean"}
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return {"kind": "datetime"}
    if is_text(kind):
        return _kind_of_text(column.name, values, known)
    numbers = as_float(values)
    if not (np.abs(numbers) <= LARGEST).any():
        return {}  # infinities, between which there is no number
    if not pa.types.is_integer(kind):
        return {"kind": "number"}
    form = whole_number_date_format(known, column.name)
    if form is not None:
        return {"kind": "datetime", "format": form}
    if pc.min(known).as_py() >= LEAST_PHONE:
        person = personal(column.name, known.cast(pa.string()), rows)
        if person is not None:
            return {"kind": "pii", "pii": person[0], "reason": person[1]}
    # Floats would make one of large keys that differ in their last digits.
    if distinct == rows and is_key(np.asarray(known), column.name):
        return {"kind": "key"}
    if distinct <= 2 or named_like_an_id(column.name) or (distinct > CODE_VALUES and _is_code(numbers, labels)):
        return {}
    return {"kind": "number"}


def _kind_of_text(name: str, values: pa.ChunkedArray, known: pa.Array) -> dict[str, Any]:
    form = date_format(values)
    if form is not None:
        return {"kind": "datetime", "format": form}
    rows = len(values) - values.null_count
    number = NumberFormat.of(values) if len(known) > 2 else None
    if number is not None:
        return {"kind": "number", "format": str(number)}
    person = personal(name, known, rows)
    if person is not None:
        return {"kind": "pii", "pii": person[0], "reason": person[1]}
    if len(known) == 2 and {word.lower() for word in known.to_pylist()} in TRUTH:
        return {"kind": "boolean"}
    text = free_text(known, rows)
    if text is not None:
        return {"kind": "text", "reason": text}
    if len(known) == rows >= KEY_ROWS:
        return {"kind": "key"}
    return {}


def _detailed(column: Column, values: pa.ChunkedArray) -> Column:
    """The column with the format, the precision and the bounds of its kind. Raises `SchemaError` where it is none."""
    checked = _CHECKS.get(column.kind)
    return column if checked is None else checked(column, values)


def _number(column: Column, values: pa.ChunkedArray) -> Column:
    if is_text(values.type):
        form = column.format or str(NumberFormat.of(values) or "0")
        column = column.model_copy(update={"format": form})
        values = column.as_numbers(values)
    elif pa.types.is_boolean(values.type) or pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        raise SchemaError(f"column {column.name!r} holds {values.type}, no numbers; give another kind.")
    numbers = as_float(values)
    usable = np.abs(numbers) <= LARGEST
    if not usable.any():
        raise SchemaError(f"column {column.name!r} holds no number; give another kind.")
    found = decimals(numbers.astype(np.float32) if values.type == pa.float32() else numbers)
    update: dict[str, Any] = {"precision": found if column.precision is None else column.precision}
    if not pa.types.is_temporal(values.type):
        update |= _bounds(column, values.filter(pa.array(usable)))
    return column.model_copy(update=update)


def _datetime(column: Column, values: pa.ChunkedArray) -> Column:
    if not pa.types.is_temporal(values.type):
        text = values.cast(pa.string())
        form = column.format or date_format(text)
        if form is None:
            raise SchemaError(f"column {column.name!r} holds no dates in one format; give its format (strftime).")
        column = column.model_copy(update={"format": form})
    ticks, missing = column.ticks(values)
    known = ticks[~missing]
    if not len(known):
        raise SchemaError(f"column {column.name!r} holds no date; give another kind.")
    ends = pa.array([known.min(), known.max()]).cast(pa.timestamp(column.unit))
    return column.model_copy(update=_bounds(column, pa.chunked_array([ends])))


def _bounds(column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    ends = pc.min_max(values)
    found = {}
    for name, key in (("minimum", "min"), ("maximum", "max")):
        end = ends[key].as_py() if not pa.types.is_timestamp(values.type) else _iso(ends[key])
        given = getattr(column, name)
        if isinstance(end, Decimal):
            end = str(end)
        if isinstance(end, float) and column.format is not None and end.is_integer():
            end = int(end)
        found[name] = end if given is None else given
    if column.minimum is not None and column.maximum is not None and _is_above(column.minimum, column.maximum):
        raise SchemaError(
            f"column {column.name!r} has a minimum of {column.minimum} above its maximum of {column.maximum}."
        )
    return found


def _iso(stamp: pa.Scalar) -> str | None:
    """A date as ISO 8601; None for the ends of int64, which cannot be read back."""
    text: str = pa.array([stamp]).cast(pa.string())[0].as_py()
    day, _, time = text.partition(" ")
    time = time.rstrip("0").rstrip(".") if "." in time else time
    found = day if time in ("", "00:00:00") else f"{day}T{time}"
    try:
        return found if pa.array([found]).cast(stamp.type)[0] == stamp else None
    except pa.ArrowInvalid:
        return None


def _is_above(low: Any, high: Any) -> bool:
    try:
        return bool(low > high)
    except TypeError:
        return False


def _key(column: Column, values: pa.ChunkedArray) -> Column:
    again = len(values) - values.null_count - len(pc.unique(values).drop_null())
    if again:
        raise SchemaError(f"column {column.name!r} is no key: {again} cell(s) repeat another one; give another kind.")
    if not is_text(values.type) and not pa.types.is_integer(values.type):
        raise SchemaError(f"column {column.name!r} holds {values.type}; a key is text or a whole number.")
    return column


def _few(column: Column, values: pa.ChunkedArray) -> Column:
    most = 2 if column.kind == "boolean" else 1
    distinct = len(pc.unique(values).drop_null())
    if distinct > most:
        raise SchemaError(f"column {column.name!r} is no {column.kind}: it holds {distinct} values.")
    return column


def _made_up(column: Column, values: pa.ChunkedArray) -> Column:
    if not is_text(values.type) and not (column.kind == "pii" and pa.types.is_integer(values.type)):
        raise SchemaError(f"column {column.name!r} holds {values.type}; {column.kind} is of text.")
    if column.kind == "pii" and column.pii is None:
        known = pc.unique(values).drop_null()
        person = personal(column.name, known.cast(pa.string()), len(values) - values.null_count)
        if person is None:
            raise SchemaError(f"column {column.name!r}: say what of a person it is, for example `pii: name`.")
        return column.model_copy(update={"pii": person[0]})
    return column


_CHECKS: dict[Kind, Any] = {
    "number": _number,
    "datetime": _datetime,
    "key": _key,
    "boolean": _few,
    "constant": _few,
    "text": _made_up,
    "pii": _made_up,
}


def _is_plain(kind: pa.DataType) -> bool:
    """Whether the values of a type are single ones: numbers, text, truth values, dates, times, or nothing at all."""
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    is_when = pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    return bool(is_text(kind) or is_number or is_when or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text, be they categories or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_code(numbers: np.ndarray, labels: Sequence[np.ndarray]) -> bool:
    """Whether whole numbers name things: each one fixes the label of another column, and not by being high or low."""
    known = ~np.isnan(numbers)
    _, codes = np.unique(numbers[known], return_inverse=True)
    return any(determines(codes, other[known]) and not is_monotone(numbers[known], other[known]) for other in labels)
