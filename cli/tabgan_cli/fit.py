"""`tabgan fit`: a table in, a model file out."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from tabgan_cli.options import Device, Force, Quiet, seconds
from tabgan_cli.progress import shown


def fit(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="The table: .csv or .tsv (also .gz or .zst), .parquet, a folder or glob of Parquet parts, "
            "or - for CSV on stdin.",
        ),
    ],
    model: Annotated[
        Path, typer.Option("-o", metavar="MODEL", help="Write the model to this file, for example orders.tabgan.")
    ],
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="What columns are: a file of `tabgan schema`, edited; what it leaves out is inferred.",
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop training after this long, for example 90s, 5m or 1h30m; by default when it is done.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Start the random numbers here; the same seed gives the same model.")
    ] = 0,
    device: Device = "auto",
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Write every progress event as one JSON line to this file."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Learn a table and write a model file, from which `tabgan sample` makes rows."""
    limit = None if time_limit is None else seconds(time_limit, "--time-limit")

    from tabgan.tables import check_output

    for output in [model] if log is None else [model, log]:
        check_output(output, force=force, endings=())

    from tabgan import Synthesizer

    synthesizer = Synthesizer(seed=seed, device=device, time_limit=limit)
    with shown(quiet=quiet, log=log) as progress:
        synthesizer.fit(data, schema=schema, progress=progress)
    synthesizer.save(model, force=force)
    if not quiet:
        for note in synthesizer.schema.notes():
            typer.echo(f"note: {note}")
        for fact in synthesizer.schema.facts:
            typer.echo(f"fact: {fact}")
        for alarm in synthesizer.alarms_:
            typer.echo(f"alarm: {alarm}")
        typer.echo(
            f"wrote {model}, learned from {synthesizer.rows_:,} rows and {len(synthesizer.schema.columns)} columns"
        )
        typer.echo(f"next: tabgan sample {quote(str(model))} -n {synthesizer.rows_} -o synthetic.csv")
