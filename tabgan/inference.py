"""What kind a column is, judged by its values as well as by its type."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DATE_FORMATS = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
DATE_FORMATS += [
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
]
DATE_FORMATS += ["%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"]
DATE_FORMATS += ["%Y-%m-%d %H:%M:%S.%3f", "%Y-%m-%dT%H:%M:%S.%3f", "%Y-%m-%d %H:%M:%S.%6f", "%Y-%m-%dT%H:%M:%S.%6f"]
DATE_FORMATS += ["%d-%m-%Y", "%d %b %Y", "%b %d, %Y", "%Y%m%d"]
"""Formats of dates that are written as text; the first one that gives every cell back exactly is taken.

As in strftime, but for `%3f` and `%6f`: three and six digits of a fraction of a second."""

KEY_ROWS = 20
"""Fewer rows than this say nothing about uniqueness."""

MIN_DECIMALS, MAX_DECIMALS = -9, 8
"""Numbers with more decimals than the latter are kept as they are; -3 stands for multiples of 1,000."""

FEW_DATES = 4
"""So many different whole numbers that are all days, such as 20240131, are no chance."""

LARGEST = 1e300
"""Numbers further from zero than this count as infinite, so that the difference of two others is finite."""

_DATE_NAME = re.compile(r"(?i:date|day|datum|_dt$|dob|time)")
_ID_NAME = re.compile(
    r"(?:^|[^a-z])(?i:id|ids|key|code|sku|uuid|guid|zip|zipcode|postcode|ean|isbn)$|[a-z](?:Id|ID|Code|Key)$"
)


def named_like_an_id(name: str) -> bool:
    """Whether a column's name ends like that of a code: `Clothing ID`, `productId`, `zip`."""
    return _ID_NAME.search(name.strip()) is not None


def date_format(text: pa.ChunkedArray) -> str | None:
    """The format in which every cell of `text` is a date and comes back letter by letter; None where there is none."""
    known = text.drop_null()
    few = known.slice(0, 100)
    for form in DATE_FORMATS:
        if _gives_back(few, form) and _gives_back(known, form):
            return form
    return None


def whole_number_date_format(known: pa.Array, name: str) -> str | None:
    """`%Y%m%d` for distinct whole numbers such as 20240131; None for others.

    All must be days of 1900 to 2099, and that by more than chance: many different ones, or a name that says so."""
    ends = pc.min_max(known).as_py()
    if not len(known) or ends["min"] < 19000101 or ends["max"] > 20991231:
        return None
    if len(known) < FEW_DATES and not _DATE_NAME.search(name):
        return None
    return "%Y%m%d" if _gives_back(pa.chunked_array([known.cast(pa.string())]), "%Y%m%d") else None


def _gives_back(text: pa.ChunkedArray, form: str) -> bool:
    stamps = parse_dates(text, form)
    if stamps.null_count:
        return False
    return bool(pc.all(pc.equal(write_dates(stamps, form), text.cast(pa.string())), min_count=0).as_py())


def parse_dates(text: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    """Dates written in `form` as timestamps of `date_unit(form)`, missing where a cell is none."""
    unit = date_unit(form)
    if unit == "s":
        return pc.strptime(text, format=form, unit="s", error_is_null=True)
    try:
        return text.cast(pa.timestamp(unit))  # strptime knows no fractions of a second
    except pa.ArrowInvalid:
        return pa.chunked_array([pa.nulls(len(text), pa.timestamp(unit))])


def write_dates(stamps: pa.Array, form: str) -> pa.Array:
    """Undo `parse_dates`."""
    return pc.strftime(stamps, format=form.removesuffix(".%3f").removesuffix(".%6f"))  # %S writes the fraction too


def date_unit(form: str) -> str:
    """The unit that holds dates written in `form`: s, ms or us."""
    return "ms" if form.endswith(".%3f") else "us" if form.endswith(".%6f") else "s"


def decimals(numbers: np.ndarray) -> int | None:
    """The fewest decimals that give every finite value back, or None where more than `MAX_DECIMALS` are needed.

    Values of float32 need only come back as float32: there 0.1 has one decimal.
    """
    finite = numbers[np.isfinite(numbers)]
    with np.errstate(over="ignore"):  # the largest numbers, times 10^8, are infinite: not given back
        for places in range(MIN_DECIMALS, MAX_DECIMALS + 1):
            if _round_to(finite[:1_000], places) and _round_to(finite, places):
                return places
    return None


def _round_to(numbers: np.ndarray, places: int) -> bool:
    return np.array_equal(np.round(numbers.astype(np.float64), places).astype(numbers.dtype), numbers)


def is_key(numbers: np.ndarray, name: str) -> bool:
    """Whether unique whole numbers, `(rows,)`, were given out to tell rows apart, and do not measure anything.

    Numbers drawn freely from a range of R would collide about n^2 / 2R times (the birthday problem). Where many
    collisions are due and none is there, the numbers are keys; where none is due, the name decides.
    """
    rows = len(numbers)
    if rows < KEY_ROWS or len(np.unique(numbers)) < rows:
        return False
    due = rows**2 / (2 * (float(numbers.max()) - float(numbers.min()) + 1))
    return due > 10 or named_like_an_id(name)


def determines(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether equal codes in `left` always go with equal codes in `right`, both `(rows,)` int64 from 0 up.

    Rows that are alone in their left code prove nothing, so they must be fewer than half.
    """
    few = slice(0, 2_000)
    return maps(left[few], right[few]) and repeats(left) and maps(left, right)


def repeats(codes: np.ndarray) -> bool:
    """Whether fewer than half of the rows are alone in their code: only then can it be seen to determine others."""
    return int((np.bincount(codes) == 1).sum()) * 2 <= len(codes)


def maps(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether equal codes in `left` always go with equal codes in `right`, be they ever so few."""
    image = np.empty(int(left.max()) + 1, dtype=np.int64)
    image[left] = right
    return bool((image[left] == right).all())


def is_monotone(values: np.ndarray, codes: np.ndarray) -> bool:
    """Whether `codes` change no more often along sorted `values` than a few times each: a scale and its bands."""
    along = codes[np.argsort(values, kind="stable")]
    return int((np.diff(along) != 0).sum()) <= 2 * int(codes.max() + 1)
