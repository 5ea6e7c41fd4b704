"""`tabgan sample`: a model file in, synthetic rows out."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from tabgan_cli.options import Device, Force, Quiet
from tabgan_cli.progress import shown


class Engine(StrEnum):
    """What hands out the work to several cores or machines."""

    ray = "ray"


def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `tabgan fit` wrote.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            metavar="OUT",
            help="Write them here: .csv or .tsv (also .gz or .zst) or .parquet, or - for CSV on stdout; with --engine "
            "a new folder.",
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
            help="Draw each row in this many passes; fewer are faster, more are closer. By default as the model says, "
            "which may also choose rows among candidates (tabgan info).",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/M",
            help="Make the K-th of M parts of the rows, such as 3/16; all parts, made anywhere, are the whole sample.",
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="Make the rows on all cores of this machine, or of the cluster at RAY_ADDRESS, and write a folder of "
            "Parquet parts; together they are the whole sample.",
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(metavar="M", min=1, help="With --engine write M parts; by default one for each million rows."),
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
    if shards is not None and engine is None:
        raise typer.BadParameter("parts are written by --engine; --shard K/M makes one of them", param_hint="--shards")
    if engine is not None:
        others: dict[str, object] = {"--given": given, "--like": like, "--balance": balance, "--shard": shard}
        others |= {"--escape-formulas": escape_formulas or None, "-o": out if out == "-" else None}
        clash = next((name for name, value in others.items() if value is not None), None)
        if clash:
            raise typer.BadParameter("--engine makes rows from -n and writes a folder of Parquet", param_hint=clash)
        _sample_dataset(model, rows or 0, out, where or [], seed, rounds, shards, device, force=force, quiet=quiet)
        return
    if escape_formulas and out.lower().endswith(".parquet"):
        raise typer.BadParameter("Parquet holds texts as they are; it is for CSV", param_hint="--escape-formulas")

    part = None if shard is None else _shard(shard)
    if part and (given is not None or like is not None):
        raise typer.BadParameter("only rows from -n can be made in parts", param_hint="--shard")

    from tabgan.tables import TableWriter, check_output, write_table

    check_output(out, force=force)

    from tabgan import load
    from tabgan.conditions import parse
    from tabgan.progress import Progress, time_left
    from tabgan.sampling.sampler import rows_of

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
        made = len(rows_of(rows or 0, *part or (1, 1)))
        done, start = 0, time.monotonic()
        tables = synthesizer.sample_tables(
            rows or 0, where=conditions, balance=balance, seed=seed, rounds=rounds, shard=part
        )
        first = next(tables)  # what cannot be fulfilled is said before a file is begun
        with (
            shown(quiet=quiet) as progress,
            TableWriter(out, synthesizer.arrow_schema, force=force, escape_formulas=escape_formulas) as writer,
        ):
            for block in chain([first], tables):
                writer.write(block)
                done += block.num_rows
                left = time_left(time.monotonic() - start, done, made - done)
                progress(Progress(stage="sample", step=done, steps=made, seconds_left=left))
    if not quiet:
        typer.echo(f"wrote {made:,} rows to {'standard output' if out == '-' else out}", err=out == "-")
        if out != "-" and not any((where, given, balance, like, shard)):
            _say_next(out)


def _sample_dataset(
    model: Path,
    rows: int,
    folder: str,
    where: list[str],
    seed: int | None,
    rounds: int | None,
    shards: int | None,
    device: str,
    *,
    force: bool,
    quiet: bool,
) -> None:
    """The rows by Ray, as a folder of parts."""
    from tabgan.cluster import sample_dataset
    from tabgan.conditions import parse

    with shown(quiet=quiet) as progress:
        parts = sample_dataset(
            model,
            rows,
            folder,
            shards=shards,
            where=parse(where),
            seed=seed,
            rounds=rounds,
            device=device,
            force=force,
            progress=progress,
        )
    if not quiet:
        typer.echo(f"wrote {rows:,} rows to {folder} in {parts:,} part{'s' if parts > 1 else ''}")
        if not where:
            _say_next(folder)


def _say_next(out: str) -> None:
    """The next step, for rows that are like the whole table: others do not compare with it."""
    typer.echo(f"next: tabgan report REAL {quote(out)} -o report.html (REAL is the table that was fitted)")


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter("write K/M, such as 3/16 for the third of sixteen parts", param_hint="--shard")
    return int(match[1]), int(match[2])
