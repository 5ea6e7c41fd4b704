"""`tabgan sample`: a model file in, synthetic rows out."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from tabgan_cli.options import Device, Force, Quiet
from tabgan_cli.progress import shown


def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `tabgan fit` wrote.")],
    rows: Annotated[int, typer.Option("-n", metavar="ROWS", min=1, help="Make this many rows.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            metavar="OUT",
            help="Write them here: .csv or .tsv (also .gz or .zst) or .parquet, or - for CSV on stdout.",
        ),
    ],
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Start the random numbers here; by default with the seed that the model was fitted with."
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Draw each row in this many passes; fewer are faster, more are closer. By default as the model says.",
        ),
    ] = None,
    device: Device = "auto",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic rows from a model file; the same seed gives the same rows."""
    from tabgan.tables import TableWriter, check_output

    check_output(out, force=force)

    from tabgan import load
    from tabgan.progress import Progress

    synthesizer = load(model, device=device)
    done, start = 0, time.monotonic()
    with (
        shown(quiet=quiet) as progress,
        TableWriter(out, synthesizer.arrow_schema, force=force) as writer,
    ):
        for table in synthesizer.sample_tables(rows, seed=seed, rounds=rounds):
            writer.write(table)
            done += table.num_rows
            left = (time.monotonic() - start) * (rows - done) / done
            progress(Progress(stage="sample", step=done, steps=rows, seconds_left=left))
    if not quiet:
        typer.echo(f"wrote {rows:,} rows to {'standard output' if out == '-' else out}", err=out == "-")
        if out != "-":
            typer.echo(f"next: tabgan report REAL {quote(out)} -o report.html (REAL is the table that was fitted)")
