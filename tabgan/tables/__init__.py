"""Tables in and out: CSV, Parquet and frames on one side, Arrow tables on the other."""

from tabgan.tables.files import Source, TableWriter, check_output, open_table, read_table, write_table
from tabgan.tables.frames import from_arrow, open_source, to_arrow

__all__ = [
    "Source",
    "TableWriter",
    "check_output",
    "from_arrow",
    "open_source",
    "open_table",
    "read_table",
    "to_arrow",
    "write_table",
]
