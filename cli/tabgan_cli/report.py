"""`tabgan report`: a real and a synthetic table in, scores and one HTML page out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from tabgan_cli.options import Force, Quiet

BELOW = 3
"""Exit status where `--fail-under` is not met."""


def report(
    real: Annotated[
        str,
        typer.Argument(metavar="REAL", help="The real table: a file as `tabgan fit` takes, or - for CSV on stdin."),
    ],
    synthetic: Annotated[str, typer.Argument(metavar="SYNTHETIC", help="The synthetic table, with the same columns.")],
    page: Annotated[
        Path, typer.Option("-o", metavar="REPORT.html", help="Write the page here; it opens without a network.")
    ],
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores as JSON to this file, too.")
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Score these real rows, not fitted on, as the best to hope for. By default a part of REAL.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Train a model of this column on synthetic rows, test it on real."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Start the random numbers here; they draw the rows of the baselines.")
    ] = 0,
    fail_under: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            min=0.0,
            max=1.0,
            help="Exit with status 3 where the smaller of the scores shape and trend is below this (1 is best).",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare a synthetic table with the real one and write a page that shows how alike they are."""
    if [real, synthetic, holdout].count("-") > 1:
        raise typer.BadParameter("only one table can come from standard input", param_hint="SYNTHETIC")

    from tabgan.tables import check_output

    check_output(page, force=force, endings=(".html", ".htm"))
    if json is not None:
        check_output(json, force=force, endings=())
    if not quiet:
        typer.echo(f"comparing {synthetic} with {real}", err=True)

    from tabgan import evaluate

    result = evaluate(real, synthetic, holdout=holdout, target=target, seed=seed)
    result.to_html(page)
    if json is not None:
        result.to_json(json)
    judged = {name: result.scores[name] for name in ("shape", "trend") if name in result.scores}
    if not quiet:
        typer.echo(f"wrote {page}" if json is None else f"wrote {page} and {json}")
        figures = ", ".join(f"{name} {score:.4f}" for name, score in judged.items())
        typer.echo(f"{figures} (0 to 1, 1 is best)" if judged else "no score is defined for these tables")
        more = {"c2st_auc": "0.5 is best", "tstr": f"of {target}, more is better", "dcr_share": "0.5 is best"}
        for name, best in more.items():
            if name in result.scores:
                real_rows = result.baselines["holdout"].get(name)
                beside = "" if real_rows is None or name == "dcr_share" else f"; real rows {real_rows:.3f}"
                typer.echo(f"{name} {result.scores[name]:.3f} ({best}{beside})")
    if fail_under is not None:
        _judge(judged, fail_under)


def _judge(scores: Mapping[Literal["shape", "trend"], float], least: float) -> None:
    worst = min(scores, key=lambda name: scores[name], default=None)
    if worst is None:
        typer.echo("error: no score is defined for these tables, so --fail-under is not met.", err=True)
    elif scores[worst] < least:
        typer.echo(f"error: {worst} is {scores[worst]:.4f}, below --fail-under {least:g}.", err=True)
    else:
        return
    raise typer.Exit(BELOW)
