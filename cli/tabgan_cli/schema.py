"""`tabgan schema`: what each column of a table is taken for, and what holds in every row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan_cli.options import Force


def schema(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="The table: a file as `tabgan fit` takes, or - for CSV on stdin."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", metavar="SCHEMA.yaml", help="Write it as YAML to this file; by default it is only shown."),
    ] = None,
    force: Force = False,
) -> None:
    """Show what each column of a table would be taken for by `tabgan fit`, and which facts hold in every row."""
    from tabgan.tables import check_output, read_table

    if out is not None:
        check_output(out, force=force, endings=(".yaml", ".yml"))

    from tabgan import Schema

    inferred = Schema.infer(read_table(data))
    if out is not None:
        inferred.to_yaml(out)
        typer.echo(f"wrote {out}, {len(inferred.columns)} columns")
        return
    rows = [("COLUMN", "KIND", "TYPE", "MISSING", "FORMAT", "RANGE")]
    for column in inferred.columns:
        kind = f"pii ({column.pii})" if column.kind == "pii" else column.kind
        form = column.format or ("" if column.precision is None else f"{column.precision} decimals")
        ends = "" if column.minimum is None else f"{column.minimum} to {column.maximum}"
        rows.append((column.name, kind, column.dtype, "yes" if column.nullable else "no", form, ends))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for note in inferred.notes():
        typer.echo(f"note: {note}")
    for fact in inferred.facts:
        typer.echo(f"fact: {fact}")
