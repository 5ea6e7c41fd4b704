"""Numbers that are text: `$1,234.50`, `12 %`, `1.234,50 €`. They are read by a pattern and written back by it.

A pattern looks as spreadsheets write it (Unicode TR 35, number format patterns), but with the separators that the text
has: `$#,##0.00` is a dollar sign, thousands with commas and two decimals; `#.##0,00 €` the same in Germany; `0.##` has
up to two decimals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.errors import meant

SIGNS = r"[$€£¥₹₽₩₺₪฿]|USD|EUR|GBP|JPY|CHF|CAD|AUD|SEK|NOK|DKK|PLN|INR|CNY|BRL|Rs\.?|zł|Kč|kr"
"""Currencies that may stand before or after a number."""
_BEFORE = rf"(?:{SIGNS})[ \u00a0]?"
_AFTER = rf"[ \u00a0]?(?:{SIGNS}|%|‰)"
_WRITTEN = re.compile(
    rf"(?P<minus>-?)(?P<head>{_BEFORE})?(?P<inner>-?)"
    rf"(?P<digits>[0-9](?:[0-9., '\u00a0\u202f]*[0-9])?)(?P<tail>{_AFTER})?"
)
_PATTERN = re.compile(
    rf"(?P<head>{_BEFORE})?(?P<inner>-?)(?:#(?P<thousands>[., '\u00a0\u202f])##)?0"
    rf"(?:(?P<point>[.,])(?P<places>0+|#+))?(?P<tail>{_AFTER})?"
)
SEPARATORS = [("", "."), (",", "."), (".", ","), (" ", ","), ("\u00a0", ","), ("\u202f", ","), ("'", "."), ("", ",")]
"""Between thousands, and before the decimals; the likelier first, for 1,234 can be read in two ways."""
MOST_PLACES = 8


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column of text are written."""

    head: str
    tail: str
    thousands: str
    point: str
    places: int
    fixed: bool
    """Whether all numbers have all decimals."""
    minus_inside: bool = False
    """Whether a minus stands after the currency: `$-5`."""

    def __str__(self) -> str:
        whole = f"#{self.thousands}##0" if self.thousands else "0"
        places = f"{self.point}{('0' if self.fixed else '#') * self.places}" if self.places else ""
        return f"{self.head}{'-' if self.minus_inside else ''}{whole}{places}{self.tail}"

    @classmethod
    def parse(cls, pattern: str) -> NumberFormat:
        """Undo `str`. Raises `ValueError` for what is no pattern."""
        found = _PATTERN.fullmatch(pattern)
        if found is None:
            some = ["#,##0.00", "#.##0,00", "0.00", "0,00", "0%", "$#,##0.00", "#.##0,00 €"]
            raise ValueError(f"{pattern!r} is no pattern of a number{meant(pattern, some)}")
        places = found["places"] or ""
        thousands, point = found["thousands"] or "", found["point"] or ("," if found["thousands"] == "." else ".")
        return cls(
            found["head"] or "",
            found["tail"] or "",
            thousands,
            point,
            len(places),
            not places.startswith("#"),
            bool(found["inner"]),
        )

    @classmethod
    def of(cls, text: pa.ChunkedArray) -> NumberFormat | None:
        """The format in which every cell is a number and comes back letter by letter; None where there is none.

        Digits alone have none: text that is made of them is more often a code."""
        known = pc.unique(text).drop_null().cast(pa.string())
        some = known.slice(0, 200).to_pylist()
        parts = [_WRITTEN.fullmatch(cell) for cell in some]
        matched = [part for part in parts if part is not None]
        if not matched or len(matched) < len(parts):
            return None
        heads, tails = ({part[name] or "" for part in matched} for name in ("head", "tail"))
        if len(heads) > 1 or len(tails) > 1:
            return None
        head, tail = heads.pop(), tails.pop()
        inside = any(part["inner"] for part in matched) and not any(part["minus"] for part in matched)
        for thousands, point in SEPARATORS:
            if thousands and not any(thousands in part["digits"] for part in matched):
                continue
            lengths = {len(part["digits"].partition(point)[2]) for part in matched}
            if max(lengths) > MOST_PLACES:
                continue
            widest = cls(head, tail, thousands, point, max(lengths), len(lengths) == 1, inside)
            if str(widest) != "0" and widest.gives_back(known.slice(0, 200)) and widest.gives_back(known):
                return widest
        return None

    def gives_back(self, text: pa.Array) -> bool:
        """Whether every cell of `text` is a number in this format and is written in it in no other way."""
        numbers = self.read(text)
        if numbers.null_count > text.null_count:
            return False
        return bool(pc.all(pc.equal(self.write(numbers), text), min_count=0).as_py())

    def read(self, text: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """Text as float64, missing where a cell is no number in this format."""
        text = text.cast(pa.string())
        minus = rf"{re.escape(self.head)}-" if self.minus_inside else rf"-{re.escape(self.head)}"
        plain = pc.replace_substring_regex(text, f"^{minus}", "-")
        plain = pc.replace_substring_regex(plain, f"^{re.escape(self.head)}", "")
        plain = pc.replace_substring_regex(plain, f"{re.escape(self.tail)}$", "")
        if self.thousands:
            plain = pc.replace_substring(plain, self.thousands, "")
        if self.point != ".":
            plain = pc.replace_substring(plain, self.point, ".")
        plain = pc.if_else(pc.match_substring_regex(plain, r"^-?[0-9]+(\.[0-9]+)?$"), plain, None)
        return plain.cast(pa.float64())

    def write(self, numbers: pa.Array) -> pa.Array:
        """Undo `read`."""
        values = np.asarray(pc.fill_null(numbers, 0.0))
        comma = "," if self.thousands else ""
        written = [f"{value:{comma}.{self.places}f}" for value in np.round(np.abs(values), self.places).tolist()]
        if not self.fixed:
            written = [each.rstrip("0").rstrip(".") if "." in each else each for each in written]
        swap = str.maketrans({",": self.thousands, ".": self.point})
        below = (np.round(values, self.places) < 0).tolist()
        first, second = (self.head, "-") if self.minus_inside else ("-", self.head)
        cells = [
            (first + second if minus else self.head) + each.translate(swap) + self.tail
            for each, minus in zip(written, below, strict=True)
        ]
        return pc.if_else(pc.is_valid(numbers), pa.array(cells, pa.string()), None)
