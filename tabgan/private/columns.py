"""A column -> noisy counts -> values that are distributed like them, and owe the rows nothing else.

From a table of such values a schema and encoders are found as from any other table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, plain, plain_type
from tabgan.encoding.cells import from_storage, to_storage
from tabgan.encoding.dates import FEW_DAYS, month_of, month_start
from tabgan.inference import LARGEST, MAX_DECIMALS
from tabgan.kinds import is_text
from tabgan.private.grid import REFINED, SEEN, cells
from tabgan.private.looks import Looks, shared_out

DECIMALS_SHARE = 0.99
"""So many of the rows have all their decimals."""
MONTHLY_SHARE = 0.98
"""Dates of which so many lie on `FEW_DAYS` days of the month lie on these."""
GRAINS = (86_400, 3_600, 60, 1)
"""Seconds to which times are rounded; finer ones come after these."""


class Unlearnable(Exception):
    """No value of a column is held by enough rows."""


def looks_of(column: Column, wishes: Mapping[str, Any]) -> tuple[int, int]:
    """How many looks the column takes, and how many of these at cells that are not known beforehand."""
    if not column.is_learned:
        return 0, 0
    if column.kind == "datetime":
        return 5, 1
    if column.kind == "number":
        return 1 + len(REFINED) + _asks_decimals(column, wishes), 1
    return 1, 1


def made_up(column: Column, values: pa.ChunkedArray, wishes: Mapping[str, Any], rows: int, looks: Looks) -> pa.Array:
    """`rows` values of the type of `values`. Raises `Unlearnable`."""
    if not column.is_learned:
        return _placeholders(column, values.type, rows)
    if column.kind == "datetime":
        return _dates(column, values, rows, looks)
    if column.kind == "number":
        return _numbers(column, values, wishes, rows, looks)
    return _labels(values, rows, looks)


def _labels(values: pa.ChunkedArray, rows: int, looks: Looks) -> pa.Array:
    counts = pc.value_counts(plain(values))
    labels, sizes = counts.field("values"), np.asarray(counts.field("counts")).astype(float)
    sizes = looks.unknown(sizes)  # missing cells too: that there are any is no more known than a label
    if not sizes.any():
        raise Unlearnable
    picked = looks.rng.permutation(shared_out(sizes, rows))
    made = labels.take(pa.array(picked))
    if not pa.types.is_dictionary(values.type):
        return made.cast(values.type)
    kept = labels.filter(pa.array(sizes > 0)).drop_null()
    if values.type.ordered:  # their order belongs to the type
        order = values.unify_dictionaries().chunk(0).dictionary.cast(kept.type)
        kept = order.filter(pc.is_in(order, kept))
    else:  # in the order of the rows, otherwise
        kept = kept.take(pc.array_sort_indices(kept))
    return pa.DictionaryArray.from_arrays(
        pc.index_in(made, kept, skip_nulls=True).cast(values.type.index_type),
        kept.cast(values.type.value_type),
        ordered=values.type.ordered,
    )


def _numbers(column: Column, values: pa.ChunkedArray, wishes: Mapping[str, Any], rows: int, looks: Looks) -> pa.Array:
    numbers = _bounded(column.numbers(values), wishes)
    places = _decimals(column, numbers, wishes, looks)
    distinct, which, counts = np.unique(numbers, return_inverse=True, return_counts=True)  # NaNs are one value
    common = looks.unknown(counts.astype(float))
    found = cells(numbers[(common == 0)[which]], looks)
    sizes = np.concatenate([common, [size for _, _, size in found]])
    if not sizes.any():
        raise Unlearnable
    picked = looks.rng.permutation(shared_out(sizes, rows))
    low = np.concatenate([distinct, [low for low, _, _ in found]])[picked]
    high = np.concatenate([distinct, [high for _, high, _ in found]])[picked]
    made = low + (high - low) * looks.rng.random(rows)
    if places is not None:
        steps = np.maximum(np.floor(made * 10.0**places), np.ceil(low * 10.0**places))
        made = np.where(low == high, low, np.round(steps / 10.0**places, places))
    return _written(column, _bounded(made, wishes), values.type)


def _bounded(numbers: np.ndarray, wishes: Mapping[str, Any]) -> np.ndarray:
    """Numbers within the bounds that are given as known, and no infinite ones."""
    low, high = (float(wishes.get(end, other)) for end, other in (("minimum", -LARGEST), ("maximum", LARGEST)))
    inside: np.ndarray = np.clip(numbers, low, high)
    return inside


def _asks_decimals(column: Column, wishes: Mapping[str, Any]) -> bool:
    """Whether the rows must say how many decimals there are."""
    whole = not ("float" in column.dtype or "double" in column.dtype or "decimal" in column.dtype)
    return "precision" not in wishes and (not whole or column.format is not None)


def _decimals(column: Column, numbers: np.ndarray, wishes: Mapping[str, Any], looks: Looks) -> int | None:
    """The decimals of nearly all numbers; None for more than are kept."""
    if not _asks_decimals(column, wishes):
        return int(wishes.get("precision", 0))
    needs = np.full(len(numbers), MAX_DECIMALS + 1)
    for places in range(MAX_DECIMALS, -1, -1):
        with np.errstate(over="ignore"):
            needs[np.isclose(np.round(numbers, places), numbers, rtol=1e-7, atol=0)] = places
    counts = looks.known(np.bincount(needs[~np.isnan(numbers)], minlength=MAX_DECIMALS + 2))
    if not counts.any():
        return None
    places = int(np.searchsorted(counts.cumsum(), DECIMALS_SHARE * counts.sum()))
    return places if places <= MAX_DECIMALS else None


def _written(column: Column, numbers: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Numbers, NaN where missing, as cells of type `kind`."""
    missing, numbers = np.isnan(numbers), np.nan_to_num(numbers)
    if column.format is not None and is_text(kind):
        written = column.write_numbers(pa.array(numbers, mask=missing))
        return written.cast(kind)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array(numbers, mask=missing).cast(kind, safe=False)
    stored = to_storage(pa.nulls(0, kind)).type
    ends = np.iinfo(stored.to_pandas_dtype())
    # float64 rounds the ends of 64 bits up to what these cannot hold.
    inside = np.clip(np.rint(numbers), np.nextafter(float(ends.min), 0), np.nextafter(float(ends.max), 0))
    return from_storage(pa.array(inside.astype(stored.to_pandas_dtype()), mask=missing), kind)


def _dates(column: Column, values: pa.ChunkedArray, rows: int, looks: Looks) -> pa.Array:
    ticks, missing = column.ticks(values)
    second = column.ticks_a_second
    days, times = np.divmod(ticks, 86_400 * second)
    months = month_of(days)
    distinct, counts = np.unique(np.where(missing, np.iinfo(np.int64).min, months), return_counts=True)
    by_month = looks.unknown(counts.astype(float))
    if not by_month.any():
        raise Unlearnable
    days, times = days[~missing], times[~missing]
    first = month_start(months[~missing])
    by_weekday = _seen(looks.known(np.bincount((days + 3) % 7, minlength=7)), looks)  # 1 January 1970 was a Thursday
    by_day = looks.known(np.bincount(days - first, minlength=31))
    grains = np.array([grain * second for grain in GRAINS])
    grain = (times[:, None] % grains > 0).sum(axis=1)
    by_grain = looks.known(np.bincount(grain, minlength=len(GRAINS) + 1))
    by_hour = _seen(looks.known(np.bincount(times // (3_600 * second), minlength=24)), looks)

    month = looks.rng.permutation(distinct[shared_out(by_month, rows)])
    gone = month == np.iinfo(np.int64).min
    month = np.where(gone, 0, month)
    start, end = month_start(month), month_start(month + 1)
    common = np.argsort(-by_day, kind="stable")[:FEW_DAYS]
    common = common[by_day[common] >= looks.threshold]
    if by_day[common].sum() >= MONTHLY_SHARE * by_day.sum() > 0:
        day = np.minimum(start + looks.rng.permutation(common[shared_out(by_day[common], rows)]), end - 1)
    else:
        day = start + (looks.rng.random(rows) * (end - start)).astype(np.int64)
        if by_weekday.any():
            wanted = looks.rng.permutation(shared_out(by_weekday, rows))
            day += wanted - (day + 3) % 7
            day = np.where(day < start, day + 7, np.where(day >= end, day - 7, day))  # of the same month
    time = np.zeros(rows, dtype=np.int64)
    step = _step(by_grain, second)
    if step < 86_400 * second and by_hour.any():
        hour = looks.rng.permutation(shared_out(by_hour, rows)) * 3_600 * second
        time = hour + (looks.rng.random(rows) * 3_600 * second / step).astype(np.int64) * step
    return column.from_ticks(day * 86_400 * second + time, gone, values.type)


def _seen(counts: np.ndarray, looks: Looks) -> np.ndarray:
    """Counts without those that may well be noise."""
    return np.where(counts >= SEEN * looks.noise, counts, 0.0)


def _step(by_grain: np.ndarray, second: int) -> int:
    """Ticks that nearly all times are multiples of."""
    if not by_grain.any():
        return GRAINS[0] * second
    grain = int(np.searchsorted(by_grain.cumsum(), DECIMALS_SHARE * by_grain.sum()))
    return GRAINS[grain] * second if grain < len(GRAINS) else 1


_LIKE = {
    "name": "Kim Lee {}",
    "first_name": "Kim {}",
    "last_name": "Lee {}",
    "user_name": "kim{}",
    "email": "kim{}@mail.org",
    "phone": "+1 555 {:09d}",
    "address": "{} Main Street",
    "iban": "DE{:020d}",
    "ip": "10.0.0.{}",
    "url": "https://mail.org/{}",
    "ssn": "{:09d}",
}
"""Values from which encoders learn the look of what is made up; the real ones stay unseen."""


def _placeholders(column: Column, kind: pa.DataType, rows: int) -> pa.Array:
    numbers = np.arange(1, rows + 1)
    if column.kind == "drop":
        return pa.nulls(rows, kind)
    if not is_text(kind):
        return pa.array(numbers + (5_550_000_000 if column.kind == "pii" else 0)).cast(plain_type(kind)).cast(kind)
    like = {"key": "{}", "text": "{} words of text, of which none is real"}.get(column.kind)
    like = like or _LIKE[column.pii or "name"]
    return pa.array([like.format(number) for number in numbers.tolist()]).cast(kind)
