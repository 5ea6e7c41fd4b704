# ruff: noqa: E501  a case a line
"""Odd files that people have, and what tabgan does with each: `python tests/odd_files/make.py` writes the table in docs.

A case is a file name, its bytes and what happens: the columns that are learned, or the error.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

DOCS = Path(__file__).resolve().parents[2] / "docs" / "odd-files.md"


class Odd(NamedTuple):
    """One odd file: what is odd, its name, its bytes, and the columns and kinds it gives, or part of the error."""

    what: str
    name: str
    content: bytes
    gives: dict[str, str] | str


def rows(template: str, count: int = 40) -> str:
    """`count` lines of a template that may use i."""
    return "".join(template.format(i=i, d=i % 28 + 1, k=i % 3, x=(i * 7919) % 1000 / 10) + "\n" for i in range(count))


def wide_rows() -> str:
    """Rows of 2,000 different columns."""
    return "".join(",".join(str((i * 31 + j * 17 + i * i * j) % 7) for j in range(2_000)) + "\n" for i in range(40))


AB = {"a": "number", "b": "category"}
PLAIN = "a,b\n" + rows("{x},l{k}")


def parquet(table: pa.Table, **settings: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **settings)
    return file.getvalue()


def packed(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(text.encode())
    return sink.getvalue().to_pybytes()


TABLE = pa.table({"a": [i * 7919 % 1000 / 10 for i in range(40)], "b": [f"l{i % 3}" for i in range(40)]})
ODD = [
    Odd("a mark at the start (UTF-8 with BOM)", "bom.csv", b"\xef\xbb\xbf" + PLAIN.encode(), AB),
    Odd("UTF-16", "utf16.csv", PLAIN.encode("utf-16"), AB),
    Odd(
        "Latin-1",
        "latin1.csv",
        ("a,größe\n" + rows("{x},klein{k}é")).encode("latin-1"),
        {"a": "number", "größe": "category"},
    ),
    Odd("semicolons and decimal commas", "semicolon.csv", ("a;b\n" + rows("{i},5;l{k}")).encode(), AB),
    Odd("tabs in a .csv", "tabs.csv", PLAIN.replace(",", "\t").encode(), AB),
    Odd("vertical bars", "pipes.csv", PLAIN.replace(",", "|").encode(), AB),
    Odd("a delimiter inside quotes", "quoted.csv", ("a,b\n" + rows('{x},"l;{k}, or so"')).encode(), AB),
    Odd("all cells quoted", "all_quoted.csv", ('"a","b"\n' + rows('"{x}","l{k}"')).encode(), AB),
    Odd("quotes doubled inside quotes", "doubled.csv", ("a,b\n" + rows('{x},"say ""{k}"""')).encode(), AB),
    Odd("line ends inside cells", "lines.csv", ("a,b\n" + rows('{x},"two\nlines {k}"')).encode(), AB),
    Odd("Windows line ends", "windows.csv", PLAIN.replace("\n", "\r\n").encode(), AB),
    Odd("no line end after the last row", "no_end.csv", PLAIN.rstrip().encode(), AB),
    Odd("empty lines at the start and between rows", "blank.csv", ("\n\n" + PLAIN.replace("\n", "\n\n")).encode(), AB),
    Odd(
        "a quote that is never closed",
        "open_quote.csv",
        (PLAIN + '1,"open\n' + rows("{x},l{k}")).encode(),
        "a quote is opened and never closed",
    ),
    Odd("a row with a cell too many", "ragged.csv", (PLAIN + "1,2,3\n").encode(), "3 cell(s) where the header has 2"),
    Odd("a row with a cell too few", "short.csv", (PLAIN + "1\n").encode(), "1 cell(s) where the header has 2"),
    Odd("a header twice the same", "twice.csv", ("a,a\n" + rows("{x},{k}")).encode(), "occur more than once"),
    Odd(
        "a header without a name in it",
        "unnamed.csv",
        (",b\n" + rows("{x},l{k}")).encode(),
        {"": "number", "b": "category"},
    ),
    Odd("no rows", "header.csv", b"a,b\n", "no rows"),
    Odd("one row", "one_row.csv", b"a,b\n1,2\n", "at least 2 are needed"),
    Odd("nothing at all", "empty.csv", b"", "is empty"),
    Odd("one column", "one_column.csv", ("a\n" + rows("{x}")).encode(), {"a": "number"}),
    Odd(
        "one column with missing cells", "one_missing.csv", ("a\n" + rows('""') + rows("{x}")).encode(), {"a": "number"}
    ),
    Odd("a picture", "picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00", "no text"),
    Odd("a spreadsheet", "sheet.xlsx", b"PK\x03\x04", "unknown file ending"),
    Odd("JSON", "rows.json", b'[{"a": 1}]', "unknown file ending"),
    Odd(".gz", "t.csv.gz", gzip.compress(PLAIN.encode()), AB),
    Odd("a .gz that is cut off", "cut.csv.gz", gzip.compress(PLAIN.encode())[:-20], "cut off or damaged"),
    Odd("a .gz that is none", "none.csv.gz", PLAIN.encode(), "cut off or damaged"),
    Odd(".zst", "t.csv.zst", packed(PLAIN), AB),
    Odd("a .zst that is cut off", "cut.csv.zst", packed(PLAIN)[:-20], "cut off or damaged"),
    Odd(
        "several spellings of a missing cell",
        "nulls.csv",
        ("a,b,c\n" + rows("{x},NA,NULL") + rows("n/a,l{k},{k}")).encode(),
        AB | {"c": "number"},
    ),
    Odd(
        "zip codes with leading zeros",
        "zip.csv",
        ("a,zip\n" + rows("{x},0{k}115")).encode(),
        {"a": "number", "zip": "category"},
    ),
    Odd("numbers of 25 digits", "digits.csv", ("a,b\n" + rows("{x},123456789012345678901234{k}")).encode(), AB),
    Odd(
        "money with thousands",
        "money.csv",
        ("a,b\n" + rows('{x},"$1,{d:03d}.50"')).encode(),
        {"a": "number", "b": "number"},
    ),
    Odd("percent", "percent.csv", ("a,b\n" + rows("{x},{d} %")).encode(), {"a": "number", "b": "number"}),
    Odd(
        "dates such as 31.01.2024",
        "dates.csv",
        ("a,b\n" + rows("{x},{d:02d}.01.2024")).encode(),
        {"a": "number", "b": "datetime"},
    ),
    Odd(
        "dates such as 20240131",
        "whole_dates.csv",
        ("a,b\n" + rows("{x},202401{d:02d}")).encode(),
        {"a": "number", "b": "datetime"},
    ),
    Odd(
        "a date column with one word in it",
        "soon.csv",
        ("a,b\n" + rows("{x},2024-01-{d:02d}") + "1.5,soon\n").encode(),
        AB,
    ),
    Odd(
        "yes and no", "yes.csv", ("a,b\n" + rows("{x},Yes") + rows("{x},No")).encode(), {"a": "number", "b": "boolean"}
    ),
    Odd("formulas", "formulas.csv", ("a,b\n" + rows("{x},=cmd{k}()")).encode(), AB),
    Odd(
        "emoji and other scripts",
        "emoji.csv",
        ("a,\N{GRINNING FACE}\n" + rows("{x},\N{SNOWMAN}{k}")).encode(),
        {"a": "number", "\N{GRINNING FACE}": "category"},
    ),
    Odd(
        "formulas in all the ways that spreadsheets take",
        "all_formulas.csv",
        ("a,=b()\n" + "".join(f'{i},"{"=+-@"[i % 4]}cmd|x!A{i % 2}"\n' for i in range(40))).encode(),
        {"=b()": "category"},
    ),
    Odd(
        "HTML and templates",
        "html.csv",
        ('a,"<script>alert(1)</script>"\n' + rows('{x},"<img src=x onerror=alert({k})>{{{{ 7 }}}}"')).encode(),
        {"a": "number", "<script>alert(1)</script>": "category"},
    ),
    Odd(
        "text from right to left, and marks that turn it",
        "hebrew.csv",
        ("a,שם\n" + rows("{x},\N{RIGHT-TO-LEFT OVERRIDE}שלום{k}\N{POP DIRECTIONAL FORMATTING}")).encode(),
        {"a": "number", "שם": "category"},
    ),
    Odd("a NUL character in a cell", "nul.csv", (PLAIN + "1,l\0x\n").encode(), "is no text"),
    Odd("halves of surrogate pairs in UTF-8", "surrogates.csv", PLAIN.encode() + b"1,\xed\xa0\x80\n", AB),
    Odd(
        "control characters",
        "control.csv",
        ("a,b\n" + rows("{x},\x1b[31ml{k}\x07\x1a")).encode(),
        AB,
    ),
    Odd("quotes in the middle of cells", "stray.csv", ("a,b\n" + rows('{x},5" disk {k}')).encode(), AB),
    Odd("zero bytes alone", "zeros.csv", bytes(1_000), "no text"),
    Odd("a cell of ten million characters", "huge.csv", (PLAIN + "1," + "x" * 10**7 + "\n").encode(), AB),
    Odd(
        "10,000 columns, most of one value",
        "columns.csv",
        (",".join(f"c{i}" for i in range(10_000)) + "\n" + rows("{x},l{k}" + ",1" * 9_998)).encode(),
        {"c0": "number", "c1": "category", "c9999": "constant"},
    ),
    Odd(
        "the same letter composed and decomposed",
        "unicode.csv",
        ("a,b\n" + rows("{x},caf\u00e9") + rows("{x},cafe\u0301")).encode(),
        AB,
    ),
    Odd(
        "names of columns that are paths and code",
        "names.csv",
        ("../a,__import__('os')\n" + rows("{x},l{k}")).encode(),
        {"../a": "number", "__import__('os')": "category"},
    ),
    Odd("infinities", "inf.csv", ("a,b\n" + rows("{x},l{k}") + "inf,l1\n-inf,l2\n").encode(), AB),
    Odd("a column without values", "nothing.csv", ("a,b\n" + rows("{x},")).encode(), {"a": "number", "b": "constant"}),
    Odd("a cell of a million characters", "long.csv", (PLAIN + "1," + "x" * 10**6 + "\n").encode(), AB),
    Odd(
        "2,000 columns",
        "wide.csv",
        (",".join(f"c{i}" for i in range(2_000)) + "\n" + wide_rows()).encode(),
        {"c0": "number"},
    ),
    Odd("Parquet, other compression", "t.parquet", parquet(TABLE, compression="brotli"), AB),
    Odd("Parquet of many small row groups", "groups.parquet", parquet(TABLE, row_group_size=3), AB),
    Odd("a Parquet file that is cut off", "cut.parquet", parquet(TABLE)[:-40], "not a whole Parquet file"),
    Odd("CSV under the name of a Parquet file", "text.parquet", PLAIN.encode(), "not a whole Parquet file"),
    Odd(
        "lists in Parquet",
        "lists.parquet",
        parquet(TABLE.append_column("c", pa.array([[1]] * 40))),
        "holds list<element: int64>, no plain values",
    ),
]


def page() -> str:
    """The table for the docs."""
    lines = [
        "# Odd files, and what happens",
        "",
        "`python tests/odd_files/make.py` writes this table from the cases that the tests run.",
        "",
        "| the file | what happens |",
        "| --- | --- |",
    ]
    for odd in ODD:
        works = not isinstance(odd.gives, str)
        lines.append(f"| {odd.what} | {'it works' if works else f'error: “... {odd.gives} ...”'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCS.write_text(page(), encoding="utf-8")
