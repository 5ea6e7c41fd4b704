"""CSV text -> typed Arrow columns.

Every cell is read as text first and typed after, so that what typing would destroy (leading zeros, the format of a
date, the spelling of a boolean or of a missing cell) is seen. What the text looked like travels in the metadata of the
table and of its fields, so that `csvsink.py` can write it in the same way.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tabgan.errors import FileError, check_names

SPELLING = b"tabgan.spelling"
"""Field metadata: how a boolean of a CSV was written, `true word/false word`."""
MISSING = b"tabgan.missing"
"""Field metadata: how most missing cells of a column of a CSV were written, where not as empty ones."""
DECIMALS = b"tabgan.decimals"
"""Field metadata: how many decimals every number of a column of a CSV was written with, if all have the same."""
DIALECT = b"tabgan.csv"
"""Table metadata: the `Dialect` of a CSV as JSON."""

# What pandas.read_csv takes for a missing cell.
NULL_SPELLINGS = ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"]
NULL_SPELLINGS += ["<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]

BLOCK_BYTES = 16 * 2**20
"""Text that is parsed together; no row is longer."""
HEAD_BYTES = 2**16
"""The start of a file, from which its dialect is told."""
DELIMITERS = ",;\t|"
MOST_DECIMALS = 9

_BOOLEANS = [("True", "False"), ("true", "false"), ("TRUE", "FALSE")]


@dataclass(frozen=True)
class Dialect:
    """How the rows of a CSV are written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quote_all: bool = False
    line_end: str = "\n"

    @classmethod
    def of(cls, head: bytes, encoding: str, delimiter: str | None) -> Dialect:
        """The dialect of a file that starts with `head`; the `delimiter` is told where none is given.

        It is the one that cuts most rows into as many cells as the header, and that into most.
        """
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
        if len(head) == HEAD_BYTES:
            text = text[: text.rfind("\n") + 1] or text
        lines = text.splitlines()
        if delimiter is None:
            delimiter = max(DELIMITERS, key=lambda each: _cells_cut(text, each))
        cells = [cell for line in lines[:50] if line for cell in line.split(delimiter)]
        quote_all = len(cells) > 1 and all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)
        return cls(delimiter, encoding, quote_all, "\r\n" if "\r\n" in text else "\n")


def _cells_cut(text: str, delimiter: str) -> int:
    """Into how many cells `delimiter` cuts the header, if most rows are cut alike; 1 if they are not."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row][:100]
    except csv.Error:
        return 1
    if not rows:
        return 1
    alike = sum(len(row) == len(rows[0]) for row in rows)
    return len(rows[0]) if alike >= 0.9 * len(rows) else 1


class CsvFile:
    """A CSV that is read in a stream: once for its types, and then as often as asked in typed tables."""

    def __init__(self, open_: Callable[[], BinaryIO], name: str, delimiter: str | None = None) -> None:
        """`open_` opens the file's bytes anew; `name` is what errors call it. Raises `FileError` or `DataError`."""
        self._open, self._name = open_, name
        with open_() as file:
            head = file.read(HEAD_BYTES)
            encoding = _encoding(head, file, name)
        self.dialect = Dialect.of(head, encoding, delimiter)
        with self._at_header() as file:
            self.names = _header(file, name, self.dialect)
        self.schema = self._scan()

    def tables(self) -> Iterator[pa.Table]:
        """The rows, a block after the other."""
        for text in self._text(_Stream(self._at_header())):
            columns = [
                _as_type(text.column(i), field) if len(text) else pa.array([], field.type)
                for i, field in enumerate(self.schema)
            ]
            yield pa.table(columns, schema=self.schema)

    def _at_header(self) -> BinaryIO:
        """The file, at its header: behind a mark of the encoding and empty lines."""
        file = self._open()
        head = file.read(HEAD_BYTES)
        skip = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        skip += len(head[skip:]) - len(head[skip:].lstrip(b"\r\n"))
        file.seek(skip)
        return file

    def _scan(self) -> pa.Schema:
        typings = [_Typing() for _ in self.names]
        stream = _Stream(self._at_header())
        last, self.rows = "", 0
        for text in self._text(stream):
            for i, typing in enumerate(typings):
                typing.see(text.column(i))
            self.rows += len(text)
            if len(text):
                last = text.column(len(self.names) - 1)[-1].as_py() or ""
        # Arrow lets an open quote run to the end of the file: all rows after it are one cell.
        if stream.quotes % 2 and "\n" in last:
            raise FileError(f"{self._name}: {_OPEN_QUOTE}")
        fields = [typing.field(name) for name, typing in zip(self.names, typings, strict=True)]
        return pa.schema(fields, metadata={DIALECT: json.dumps(asdict(self.dialect)).encode()})

    def _text(self, stream: _Stream) -> Iterator[pa.RecordBatch]:
        """The cells as they are written, a block after the other."""
        with stream:
            try:
                yield from pacsv.open_csv(
                    stream,
                    read_options=pacsv.ReadOptions(
                        column_names=self.names,
                        skip_rows_after_names=1,
                        encoding="utf8" if self.dialect.encoding == "utf-8" else self.dialect.encoding,
                        block_size=BLOCK_BYTES,
                        use_threads=False,
                    ),
                    parse_options=pacsv.ParseOptions(delimiter=self.dialect.delimiter, newlines_in_values=True),
                    convert_options=pacsv.ConvertOptions(
                        column_types={column: pa.string() for column in self.names}, strings_can_be_null=False
                    ),
                )
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                raise FileError(f"{self._name}: {_reason(str(error), len(self.names))}") from None


class _Stream(io.RawIOBase):
    """A binary file that counts the quotes that are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.quotes = file, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.quotes += data.count(b'"')
        return data

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _encoding(head: bytes, file: BinaryIO, name: str) -> str:
    """The encoding of a file that starts with `head` and goes on in `file`: by its mark, or by whether it is UTF-8."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        raise FileError(f"{name} is no text; is it a CSV file?")
    decoder = codecs.getincrementaldecoder("utf-8")()
    data = head
    try:
        while data:
            decoder.decode(data)
            data = file.read(2**20)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252" if not re.search(rb"[\x81\x8d\x8f\x90\x9d]", head) else "latin-1"
    return "utf-8"


def _header(file: BinaryIO, name: str, dialect: Dialect) -> list[str]:
    lines = io.TextIOWrapper(file, encoding=dialect.encoding, newline="", errors="replace")
    try:
        rows = csv.reader(lines, delimiter=dialect.delimiter)
        names = next((row for row in rows if row), [])
    except csv.Error:
        raise FileError(f"{name}: the header line cannot be read; is this a CSV file?") from None
    finally:
        lines.detach()
    if not names:
        raise FileError(f"{name} is empty; a table needs a header line and rows.")
    check_names(names, name)
    return names


_OPEN_QUOTE = "a quote is opened and never closed; check the quotes, or whether the file is whole."


def _reason(message: str, width: int) -> str:
    """Arrow's complaint without the cells that it quotes: they may be private."""
    if "UTF8" in message or "UTF-8" in message or "codec" in message:
        return "some of the text is in another encoding than the rest; save the file as UTF-8."
    if "straddl" in message:
        return _OPEN_QUOTE
    odd = re.search(r"(?:Row #(\d+): )?Expected \d+ columns, got (\d+)", message)
    if odd:
        row = f"row {int(odd[1]) - 1}" if odd[1] else "a row"
        return f"{row} has {odd[2]} cell(s) where the header has {width}; quote cells that hold the delimiter."
    return "this cannot be read as CSV; check quotes and delimiters."


class _Typing:
    """The narrowest of integer, number, boolean and text that holds every cell without losing what it says."""

    # A leading zero or plus means a code (zip, phone), and so do more digits than int64 holds: text gives them back.
    _CODES = ((pa.int64(), r"^(?:\+|-?0[0-9xX])"), (pa.float64(), r"^(?:\+|-?0[0-9]|[0-9]{19,}$)"))

    def __init__(self) -> None:
        self._left = [kind for kind, _ in self._CODES]
        self._is_code = False
        self._words: set[str] = set()
        self._missing: Counter[str] = Counter()
        self._decimals: set[int] = set()
        """How many decimals numbers are written with; of others -1."""

    def see(self, text: pa.Array) -> None:
        """Take account of some more cells."""
        missing = pc.is_in(text, _NULLS)
        if pc.any(missing).as_py():
            for each in pc.value_counts(text.filter(missing)).to_pylist():
                self._missing[each["values"]] += each["counts"]
            text = text.filter(pc.invert(missing))
        if not len(text):
            return
        if len(self._words) <= 2:
            self._words |= set(pc.unique(text).slice(0, 3).to_pylist())
        if len(self._decimals) < 2:
            plain_number = pc.match_substring_regex(text, r"^-?[0-9]+\.[0-9]+$")
            lengths = pc.subtract(pc.subtract(pc.utf8_length(text), pc.find_substring(text, ".")), 1)
            self._decimals |= set(pc.unique(pc.if_else(plain_number, lengths, -1)).to_pylist())
        while self._left and not self._is_code:
            try:
                text.cast(self._left[0])
            except pa.ArrowInvalid:
                del self._left[0]
                continue
            code = dict(self._CODES)[self._left[0]]
            self._is_code = pc.any(pc.match_substring_regex(text, code)).as_py()
            break

    def field(self, name: str) -> pa.Field:
        """The field that holds all cells seen."""
        metadata = {}
        spelling = max(self._missing, key=lambda each: (self._missing[each], each), default="")
        if spelling:
            metadata[MISSING] = spelling.encode()
        kind = pa.string()
        if not self._words:
            kind = pa.float64()  # as pandas reads a column without values
        elif self._left and not self._is_code:
            kind = self._left[0]
            places = self._decimals.pop() if len(self._decimals) == 1 else -1
            if pa.types.is_floating(kind) and 1 < places <= MOST_DECIMALS:
                metadata[DECIMALS] = str(places).encode()
        else:
            for yes, no in _BOOLEANS:
                if self._words <= {yes, no}:
                    kind = pa.bool_()
                    metadata[SPELLING] = f"{yes}/{no}".encode()
        return pa.field(name, kind, metadata=metadata or None)


_NULLS = pa.array(NULL_SPELLINGS)


def _as_type(text: pa.Array, field: pa.Field) -> pa.Array:
    text = pc.if_else(pc.is_in(text, _NULLS), pa.scalar(None, pa.string()), text)
    if pa.types.is_boolean(field.type):
        return pc.equal(text, field.metadata[SPELLING].decode().split("/")[0])
    return text.cast(field.type)
