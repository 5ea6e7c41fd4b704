"""`tabgan sample`: a model file in, synthetic rows out."""

from __future__ import annotations

import time
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from tabgan_cli.options import Device, Force, Quiet
from tabgan_cli.progress import shown


def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `tabgan fit` wrote.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            metavar="OUT",
            help="Write them here: .csv or .tsv (also .gz or .zst) or .parquet, or - for CSV on stdout.",
        ),
    ],
    rows: Annotated[
        int | None, typer.Option("-n", metavar="ROWS", min=1, help="Make this many rows; with --given one for each.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR",
            help="Make only rows that fulfil this, for example 'age >= 30', 'region in [N, S]', 'promo is null'; "
            "may be given several times.",
        ),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A table of some of the columns: make one row for each of its rows, these cells unchanged.",
        ),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Make each label of this column come equally often."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A table of whole rows: make variations of them, in turn."),
    ] = None,
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
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="Begin texts that a spreadsheet may run as a formula, such as =cmd(), with an apostrophe; for CSV.",
        ),
    ] = False,
    device: Device = "auto",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic rows from a model file; the same seed gives the same rows."""
    if (rows is None) == (given is None):
        raise typer.BadParameter("give either -n or --given", param_hint="-n")
    if [given, like, balance].count(None) < 2:
        raise typer.BadParameter("only one of --given, --like and --balance can be had", param_hint="--balance")
    if escape_formulas and out.lower().endswith(".parquet"):
        raise typer.BadParameter("Parquet holds texts as they are; it is for CSV", param_hint="--escape-formulas")

    from tabgan.tables import TableWriter, check_output, write_table

    check_output(out, force=force)

    from tabgan import load
    from tabgan.conditions import parse
    from tabgan.progress import Progress

    conditions = parse(where or [])
    synthesizer = load(model, device=device)
    if given is not None or like is not None:
        if given is not None:
            table = synthesizer.sample_given(given, where=conditions, seed=seed)
        else:
            table = synthesizer.sample_like(rows, like, where=conditions, seed=seed)
        write_table(table, out, force=force, escape_formulas=escape_formulas)
        made = table.num_rows
    else:
        made = rows or 0
        done, start = 0, time.monotonic()
        tables = synthesizer.sample_tables(made, where=conditions, balance=balance, seed=seed, rounds=rounds)
        first = next(tables)  # what cannot be fulfilled is said before a file is begun
        with (
            shown(quiet=quiet) as progress,
            TableWriter(out, synthesizer.arrow_schema, force=force, escape_formulas=escape_formulas) as writer,
        ):
            for block in chain([first], tables):
                writer.write(block)
                done += block.num_rows
                left = (time.monotonic() - start) * (made - done) / done
                progress(Progress(stage="sample", step=done, steps=made, seconds_left=left))
    if not quiet:
        typer.echo(f"wrote {made:,} rows to {'standard output' if out == '-' else out}", err=out == "-")
        if out != "-" and not any((where, given, balance, like)):  # only rows like all real ones compare with them
            typer.echo(f"next: tabgan report REAL {quote(out)} -o report.html (REAL is the table that was fitted)")
