"""`tabgan fit`: a table in, a model file out."""

from __future__ import annotations

from pathlib import Path
from shlex import join, quote
from typing import Annotated

import typer

from tabgan.private.budget import DELTA
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
            help="Stop training after this long, for example 90s, 5m or 1h30m; by default when it is done. With "
            "--resume the time that was spent before counts.",
        ),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(
            metavar="E",
            help="Promise differential privacy for every row: the smaller, the stronger and the noisier; 1 to 10 are "
            "usual. Such a fit cannot be repeated or resumed.",
        ),
    ] = None,
    delta: Annotated[
        float, typer.Option(metavar="D", help="The chance that the promise fails; far below 1 / rows.")
    ] = DELTA,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Start the random numbers here; the same seed gives the same model.")
    ] = 0,
    device: Device = "auto",
    devices: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Fit in N processes of this machine, each on a GPU of its own or all on the CPU, to the same model up "
            "to rounding; by default in one, or in those that torchrun has started.",
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Write every progress event as one JSON line to this file."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with a fit that was interrupted, from the file MODEL.part that it left; without one begin.",
        ),
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Learn a table and write a model file, from which `tabgan sample` makes rows.

    Every minute, and at Ctrl-C, it is kept in MODEL.part how far the fit has come; `--resume` goes on from there.
    """
    limit = None if time_limit is None else seconds(time_limit, "--time-limit")

    from tabgan.tables import check_output

    for output in [model] if log is None else [model, log]:
        check_output(output, force=force, endings=())

    from tabgan import Synthesizer
    from tabgan.errors import FileError, ProcessError

    again = ["tabgan", "fit", data, "-o", str(model), "--seed", str(seed), "--device", device, "--resume"]
    again += ["--devices", str(devices)] if devices else []
    again += ["--schema", str(schema)] if schema else []
    again += ["--time-limit", time_limit] if time_limit else []
    again += ["--force"] if force else []
    synthesizer = Synthesizer(seed=seed, device=device, devices=devices, time_limit=limit, epsilon=epsilon, delta=delta)
    part = None if epsilon is not None else model.with_name(f"{model.name}.part")
    if not synthesizer.is_first_:
        quiet, log, part = True, None, None
    if part and force and not resume:
        part.unlink(missing_ok=True)
    try:
        with shown(quiet=quiet, log=log) as progress:
            synthesizer.fit(data, schema=schema, progress=progress, checkpoint=part, resume=resume)
    except (KeyboardInterrupt, SystemExit, ProcessError):
        if part and part.exists():
            typer.echo(f"go on with: {join(again)}", err=True)
        raise
    try:
        synthesizer.save(model, force=force)
    except FileError as error:
        if not part or not part.exists():
            raise
        raise FileError(f"{error} Mend that and go on with: {join(again)}") from None
    if not quiet:
        for note in synthesizer.schema.notes():
            typer.echo(f"note: {note}")
        for fact in synthesizer.schema.facts:
            typer.echo(f"fact: {fact}")
        if synthesizer.spending_:
            budget = synthesizer.spending_.budget
            typer.echo(f"privacy: epsilon {budget.epsilon:g}, delta {budget.delta:g} for each row (see tabgan info)")
        for alarm in synthesizer.alarms_:
            typer.echo(f"alarm: {alarm}")
        typer.echo(
            f"wrote {model}, learned from {synthesizer.rows_:,} rows and {len(synthesizer.schema.columns)} columns"
        )
        typer.echo(f"next: tabgan sample {quote(str(model))} -n {synthesizer.rows_} -o synthetic.csv")
