"""`tabgan report`: a real and a synthetic table in, scores and one HTML page out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabgan_cli.options import Force, Quiet
from tabgan_cli.progress import shown

if TYPE_CHECKING:
    from tabgan.report import Report

BELOW = 3
"""Exit status where `--fail-under` is not met."""


def report(
    real: Annotated[
        str,
        typer.Argument(metavar="REAL", help="The real table: a file as `tabgan fit` takes, or - for CSV on stdin."),
    ],
    synthetic: Annotated[
        list[str],
        typer.Argument(
            metavar="SYNTHETIC",
            help="The synthetic table, with the same columns; of several the worst is shown, and how far they differ.",
        ),
    ],
    page: Annotated[
        Path, typer.Option("-o", metavar="REPORT.html", help="Write the page here; it opens without a network.")
    ],
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores as JSON to this file, too.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a summary to this file, too, for a comment in CI.")
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write JUnit XML to this file, too: every kind of alarm is a test."),
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
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="Show how the fit of this model went and, with --holdout, whether the model file tells who was in it.",
        ),
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
            help="Exit with status 3 where shape or trend is below this (1 is best), or where there is an alarm.",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare a synthetic table with the real one and write a page that shows how alike they are."""
    if [real, *synthetic, holdout].count("-") > 1:
        raise typer.BadParameter("only one table can come from standard input", param_hint="SYNTHETIC")

    from tabgan.tables import check_output

    check_output(page, force=force, endings=(".html", ".htm"))
    more = [output for output in (json, markdown, junit) if output is not None]
    for output in more:
        check_output(output, force=force, endings=())

    from tabgan import evaluate

    with shown(quiet=quiet) as progress:
        result = evaluate(real, synthetic, holdout=holdout, target=target, model=model, seed=seed, progress=progress)
    result.to_html(page)
    if json is not None:
        result.to_json(json)
    if markdown is not None:
        result.to_markdown(markdown)
    if junit is not None:
        result.to_junit(junit, fail_under=fail_under)
    if not quiet:
        typer.echo(f"wrote {' and '.join(map(str, [page, *more]))}")
        for line in _summary(result):
            typer.echo(line)
    if fail_under is not None:
        failures = result.below(fail_under) + [f"alarm on {alarm.about}" for alarm in result.alarms]
        if failures:
            typer.echo(f"error: --fail-under {fail_under:g} is not met: {', '.join(failures)}.", err=True)
            raise typer.Exit(BELOW)


def _summary(report: Report) -> Iterator[str]:
    if report.verdict.parts:
        of_several = f", the worst of {report.compared}" if report.compared > 1 else ""
        yield f"{report.verdict.grade}: overall {report.verdict.score:.2f} of 1{of_several}"
    for alarm in report.alarms:
        yield f"alarm, {alarm.about}: {alarm.text}"
    judged = ", ".join(f"{name} {report.scores[name]:.4f}" for name in ("shape", "trend") if name in report.scores)
    yield f"{judged} (0 to 1, 1 is best)" if judged else "no score is defined for these tables"
    more = {"c2st_auc": "0.5 is best", "tstr": f"of {report.target}, more is better", "dcr_share": "0.5 is best"}
    for name, best in more.items():
        if name in report.scores:
            real_rows = report.baselines["holdout"].get(name)
            beside = "" if real_rows is None or name == "dcr_share" else f"; real rows {real_rows:.3f}"
            yield f"{name} {report.scores[name]:.3f} ({best}{beside})"
