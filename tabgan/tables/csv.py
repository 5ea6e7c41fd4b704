"""CSV text <-> typed Arrow columns.

Every cell is read as text first and typed after, so that what typing would destroy (leading zeros, the format of a
date, the spelling of a boolean) is seen. What the text looked like travels in the metadata of the field.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tabgan.column import plain
from tabgan.errors import DataError, FileError, some_of

SPELLING = b"tabgan.spelling"
"""Field metadata: how a boolean of a CSV was written, `true word/false word`."""

# What pandas.read_csv takes for a missing cell.
NULL_SPELLINGS = ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"]
NULL_SPELLINGS += ["<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]

_BOOLEANS = [("True", "False"), ("true", "false"), ("TRUE", "FALSE")]


def read_csv(data: bytes, name: str, delimiter: str = ",") -> pa.Table:
    """The table in `data`, columns typed by their values; `name` is what errors call it."""
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    names = _header(data, name, delimiter)
    try:
        text = pacsv.read_csv(
            io.BytesIO(data),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows_after_names=1),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types={column: pa.string() for column in names},
                null_values=NULL_SPELLINGS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise FileError(f"{name}: {_reason(str(error), len(names))}") from None
    # Arrow lets an open quote run to the end of the file: all rows after it are one cell.
    if data.count(b'"') % 2 and text.num_rows and "\n" in (text[names[-1]][-1].as_py() or ""):
        raise FileError(f"{name}: a quote is opened and never closed; check the quotes, or whether the file is whole.")
    fields, columns = [], []
    for column in names:
        values, metadata = _typed(text[column])
        fields.append(pa.field(column, values.type, metadata=metadata))
        columns.append(values)
    return pa.table(columns, schema=pa.schema(fields))


def _header(data: bytes, name: str, delimiter: str) -> list[str]:
    try:
        lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
        names = next(csv.reader(lines, delimiter=delimiter), [])
    except UnicodeDecodeError:
        raise FileError(f"{name}: {_NOT_UTF8}") from None
    except csv.Error:
        raise FileError(f"{name}: the header line cannot be read; is this a CSV file?") from None
    if not names:
        raise FileError(f"{name} is empty; a table needs a header line and rows.")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"{name}: column name(s) occur more than once: {some_of(twice)}. Rename them.")
    return names


_NOT_UTF8 = "the text is not UTF-8; save it as UTF-8 (for example: iconv -f latin1 -t utf-8 OLD > NEW)."


def _reason(message: str, width: int) -> str:
    """Arrow's complaint without the cells that it quotes: they may be private."""
    if "UTF8" in message or "UTF-8" in message:
        return _NOT_UTF8
    odd = re.search(r"(?:Row #(\d+): )?Expected \d+ columns, got (\d+)", message)
    if odd:
        row = f"row {int(odd[1]) - 1}" if odd[1] else "a row"
        return f"{row} has {odd[2]} cell(s) where the header has {width}; quote cells that hold the delimiter."
    return "this cannot be read as CSV; check quotes and delimiters."


def _typed(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, dict[bytes, bytes] | None]:
    """The narrowest of integer, number, boolean and text that holds every cell without losing what it says."""
    if text.null_count == len(text):
        return text.cast(pa.float64()), None  # as pandas reads a column without values
    # A leading zero or plus means a code (zip, phone), and so do more digits than int64 holds: text gives them back.
    for kind, code in ((pa.int64(), r"^(?:\+|-?0[0-9xX])"), (pa.float64(), r"^(?:\+|-?0[0-9]|[0-9]{19,}$)")):
        try:
            values = text.cast(kind)
        except pa.ArrowInvalid:
            continue
        return (text if pc.any(pc.match_substring_regex(text, code)).as_py() else values), None
    words = set(pc.unique(text).drop_null().slice(0, 3).to_pylist())
    for yes, no in _BOOLEANS:
        if words <= {yes, no}:
            return pc.equal(text, yes), {SPELLING: f"{yes}/{no}".encode()}
    return text, None


class CsvSink:
    """Writes Arrow tables as CSV to an open binary file: pandas' look, quotes only where needed."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, delimiter: str = ",") -> None:
        self._file = file
        self._schema = schema
        self._delimiter = delimiter
        header = io.StringIO()
        csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(schema.names)
        file.write(header.getvalue().encode())

    def write(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        for batch in table.to_batches(max_chunksize=65_536):
            self._file.write(self._lines(batch))

    def _lines(self, batch: pa.RecordBatch) -> memoryview:
        columns = [
            _quoted(as_text(column, field), self._delimiter)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        # One row of one missing cell would be an empty line, which readers skip.
        missing = "" if len(columns) > 1 else '""'
        lines = pc.binary_join_element_wise(
            *columns, self._delimiter, null_handling="replace", null_replacement=missing
        )
        text = pc.binary_join_element_wise(lines, "", "\n").cast(pa.large_string())
        _, offsets, cells = text.buffers()  # the rows' texts lie one after the other: that is the file
        end = np.frombuffer(offsets, np.int64, len(text) + 1)[-1]
        return memoryview(cells)[:end]


def _quoted(text: pa.Array, delimiter: str) -> pa.Array:
    """Cells with a delimiter, a quote or a line end between quotes; an empty text too, which is no missing cell."""
    special = pc.match_substring_regex(text, f'["\r\n{re.escape(delimiter)}]|^$')
    if not pc.any(special).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), text)


def as_text(values: pa.Array, field: pa.Field) -> pa.Array:
    """The cells as pandas would write them, booleans in the spelling they were read in.

    Unlike pandas: durations are whole numbers of their unit, which can be read back.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_text(values.cast(kind.value_type), field)
    if pa.types.is_boolean(kind):
        spelling = (field.metadata or {}).get(SPELLING, b"True/False").decode()
        yes, no = spelling.split("/")
        return pc.if_else(values, yes, no)
    if pa.types.is_floating(kind):
        values = plain(values)
        text = values.cast(pa.string())
        whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
        return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)
    if pa.types.is_timestamp(kind):
        text = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+(Z|[+-][0-9]+)?$", r"\1")
        zone = pc.replace_substring_regex(text, r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2")
        return pc.replace_substring(zone, "Z", "+00:00") if kind.tz else text
    return values.cast(pa.string())
