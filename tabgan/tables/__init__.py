"""Tables in and out: CSV, Parquet and frames on one side, Arrow tables on the other."""

from tabgan.tables.files import TableWriter, check_output, read_table, write_table
from tabgan.tables.frames import from_arrow, to_arrow

__all__ = ["TableWriter", "check_output", "from_arrow", "read_table", "to_arrow", "write_table"]
