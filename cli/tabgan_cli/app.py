"""The command itself: its subcommands, and what errors and interrupts become.

Nothing heavy is imported here or at the top of a subcommand's file, so that `--help` and wrong usage answer at once.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, TextIO, cast

import typer

from tabgan import __version__
from tabgan.errors import TabganError
from tabgan_cli import doctor, fit, impute, info, report, sample, schema

DONE, FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

# What wrong usage is raised as; typer shows no name for it but that of its child.
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="tabgan",
    help="Make synthetic tables: fit a table once, sample rows for ever, report how alike they are.",
    epilog="Start with: tabgan fit orders.csv -o orders.tabgan",
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tabgan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("fit")(fit.fit)
app.command("sample")(sample.sample)
app.command("impute")(impute.impute)
app.command("report")(report.report)
app.command("schema")(schema.schema)
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (those of the process by default) and return the exit status.

    0 done, 1 a TabganError or a failing file system, 2 wrong usage, 3 `report --fail-under` not met, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Read when torch loads: threads that spin while they wait make `fit` many times slower beside other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Unlike the default, this unwinds, so that half-written files are removed.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            warnings.filterwarnings("default", category=UserWarning, module="tabgan")
            status = app(given or ["--help"], prog_name="tabgan", standalone_mode=False) or DONE
    except UsageError as error:
        return _wrong_usage(error)
    except (TabganError, OSError) as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        status = INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    if status == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return int(status)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"warning: {_one_line(message)}", file=sys.stderr)


def _wrong_usage(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tabgan"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    message = _one_line(message).rstrip(".")
    print(f"error: {message}{' See' if message.endswith('?') else '; see'} '{command} --help'.", file=sys.stderr)
    return WRONG_USAGE


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
