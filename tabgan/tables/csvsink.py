"""Arrow tables -> CSV text, as pandas would write it or as the CSV looked that they came from (see `csv.py`)."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import plain
from tabgan.tables.csv import DECIMALS, DIALECT, MISSING, SPELLING, Dialect

FORMULA = "^[=+@\t\r\n-]"
"""How a text begins that a spreadsheet may take for a formula (OWASP, "CSV injection") ..."""
NUMBER = r"^[+-]?\p{Sc}? ?[0-9]+([., ']?[0-9]+)*([eE][+-]?[0-9]+)? ?(\p{Sc}|%)?$"
"""... if it is no number."""


class CsvSink:
    """Writes Arrow tables as CSV to an open binary file: pandas' look, or the look of the CSV that they came from."""

    def __init__(
        self, file: BinaryIO, schema: pa.Schema, delimiter: str | None = None, *, escape_formulas: bool = False
    ) -> None:
        """`delimiter`: where the file's ending asks for it; by default that of the schema's dialect. With
        `escape_formulas` texts that a spreadsheet might run begin with an apostrophe."""
        self._file = file
        self._escape_formulas = escape_formulas
        self._schema = schema
        known = (schema.metadata or {}).get(DIALECT)
        self._dialect = Dialect(**json.loads(known)) if known else Dialect()
        kept = self._dialect.delimiter if self._dialect.delimiter != "\t" else ","
        self._delimiter = delimiter or kept
        header = io.StringIO()
        writer = csv.writer(
            header,
            delimiter=self._delimiter,
            lineterminator=self._dialect.line_end,
            quoting=csv.QUOTE_ALL if self._dialect.quote_all else csv.QUOTE_MINIMAL,
        )
        names = pa.array(schema.names, pa.string())
        writer.writerow((escaped(names) if escape_formulas else names).to_pylist())
        mark = codecs.BOM_UTF16_LE if self._dialect.encoding == "utf-16" else b""
        file.write(mark + self._encoded(header.getvalue().encode()))

    def write(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        for batch in table.to_batches(max_chunksize=65_536):
            self._file.write(self._encoded(self._lines(batch)))

    def _encoded(self, text: bytes | memoryview) -> bytes | memoryview:
        if self._dialect.encoding == "utf-8":
            return text
        encoding = "utf-16-le" if self._dialect.encoding == "utf-16" else self._dialect.encoding
        return bytes(text).decode().encode(encoding, errors="replace")

    def _lines(self, batch: pa.RecordBatch) -> memoryview:
        columns = [self._cells(column, field) for column, field in zip(batch.columns, self._schema, strict=True)]
        # One row of one missing cell would be an empty line, which readers skip.
        missing = "" if len(columns) > 1 and not self._dialect.quote_all else '""'
        lines = pc.binary_join_element_wise(
            *columns, self._delimiter, null_handling="replace", null_replacement=missing
        )
        text = pc.binary_join_element_wise(lines, "", self._dialect.line_end).cast(pa.large_string())
        _, offsets, cells = text.buffers()  # the rows' texts lie one after the other: that is the file
        end = np.frombuffer(offsets, np.int64, len(text) + 1)[-1]
        return memoryview(cells)[:end]

    def _cells(self, values: pa.Array, field: pa.Field) -> pa.Array:
        text = as_text(values, field)
        if self._escape_formulas and _may_be_any_text(values.type):
            text = escaped(text)
        quoted = _quoted(text, self._delimiter, everything=self._dialect.quote_all)
        spelling = (field.metadata or {}).get(MISSING)
        return pc.fill_null(quoted, spelling.decode()) if spelling else quoted


def escaped(text: pa.Array) -> pa.Array:
    """Texts with an apostrophe before those that a spreadsheet may take for a formula."""
    formula = pc.and_not(pc.match_substring_regex(text, FORMULA), pc.match_substring_regex(text, NUMBER))
    return pc.if_else(formula, pc.binary_join_element_wise("'", text, ""), text)


def _may_be_any_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind))


def _quoted(text: pa.Array, delimiter: str, *, everything: bool) -> pa.Array:
    """Cells with a delimiter, a quote or a line end between quotes; an empty text too, which is no missing cell."""
    special = pc.match_substring_regex(text, f'["\r\n{re.escape(delimiter)}]|^$')
    if everything:
        special = pc.is_valid(text)
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
        places = (field.metadata or {}).get(DECIMALS)
        if places is not None and pc.all(pc.less(pc.abs(values), 1e15), min_count=0).as_py():
            exact = pc.round(values.cast(pa.float64()), int(places))
            return exact.cast(pa.decimal128(38, int(places)), safe=False).cast(pa.string())
        text = values.cast(pa.string())
        whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
        return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)
    if pa.types.is_timestamp(kind):
        text = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+(Z|[+-][0-9]+)?$", r"\1")
        zone = pc.replace_substring_regex(text, r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2")
        return pc.replace_substring(zone, "Z", "+00:00") if kind.tz else text
    return values.cast(pa.string())
