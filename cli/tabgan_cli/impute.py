"""`tabgan impute`: a model file and a table with missing cells in, the table with all cells out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan_cli.options import Device, Force, Quiet


def impute(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `tabgan fit` wrote.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="The table to fill, with columns of the fitted one.")],
    out: Annotated[
        str, typer.Option("-o", metavar="OUT", help="Write it here: .csv or .tsv (also .gz or .zst), .parquet, or -.")
    ],
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Start the random numbers here; other seeds fill other values.")
    ] = None,
    device: Device = "auto",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Fill the missing cells of a table by what the model knows of the rest of their rows."""
    from tabgan.tables import check_output, read_table, write_table

    check_output(out, force=force)

    from tabgan import load

    table = read_table(data)
    filled = load(model, device=device).impute(table, seed=seed)
    write_table(filled.cast(table.schema), out, force=force)
    if not quiet:
        cells = sum(column.null_count for column in table.columns)
        where = "standard output" if out == "-" else out
        typer.echo(f"filled {cells:,} cells, wrote {table.num_rows:,} rows to {where}", err=out == "-")
