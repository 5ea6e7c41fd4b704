"""Shows how far the work is: a live line on a terminal, plain lines elsewhere, JSON lines in a file. All on stderr."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tabgan_cli.options import duration

if TYPE_CHECKING:
    from tabgan.progress import Progress

LINE_SECONDS = 5.0
"""Plain lines of one stage are at least this far apart."""

Show = Callable[["Progress"], None]


@contextmanager
def shown(*, quiet: bool, log: Path | None = None) -> Iterator[Show]:
    """A function that takes every `Progress` of the block and shows it; with `log` also as a JSON line in that file."""
    with ExitStack() as stack:
        shows: list[Show] = []
        if log is not None:
            shows.append(stack.enter_context(_logged(log)))
        if not quiet:
            shows.append(stack.enter_context(_drawn() if _on_terminal() else _printed()))

        def show(progress: Progress) -> None:
            for each in shows:
                each(progress)

        yield show


def _on_terminal() -> bool:
    if not sys.stderr.isatty():
        return False
    from rich.console import Console

    return not Console(stderr=True).is_dumb_terminal


def _counted(progress: Progress) -> str:
    of = f"{progress.step:,}/{progress.steps:,}" if progress.steps else f"{progress.step:,}"
    return f"{of} rows" if progress.stage == "sample" else f"step {of}"


def _figures(progress: Progress, ended: bool) -> Iterator[str]:
    """What is known beside stage and step, in words; a stage may end before its time, and then none is left."""
    if progress.loss is not None:
        yield f"loss {progress.loss:.4g}"
    if progress.held_out is not None:
        yield f"held-out error {progress.held_out:.4g}"
    if progress.seconds_left is not None and not ended:
        yield f"{duration(progress.seconds_left)} left"


@contextmanager
def _printed() -> Iterator[Show]:
    last: Progress | None = None
    printed: Progress | None = None
    printed_at = -math.inf

    def print_last(ended: bool) -> None:
        nonlocal printed, printed_at
        if last is None or last is printed:
            return
        print(", ".join([f"{last.stage}: {_counted(last)}", *_figures(last, ended)]), file=sys.stderr, flush=True)
        printed, printed_at = last, time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        if last is not None and progress.stage != last.stage:
            print_last(ended=True)
        last = progress
        if time.monotonic() - printed_at >= LINE_SECONDS:
            print_last(ended=False)

    yield show
    print_last(ended=True)


@contextmanager
def _drawn() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    last: Progress | None = None
    task: TaskID | None = None

    def draw(progress: Progress, ended: bool) -> None:
        assert task is not None
        total = progress.step if ended else progress.steps
        text = "  ".join([_counted(progress), *_figures(progress, ended)])
        bars.update(task, completed=progress.step, total=total or None, text=text)

    def show(progress: Progress) -> None:
        nonlocal last, task
        if last is None or progress.stage != last.stage:
            if last is not None:
                draw(last, ended=True)
            task = bars.add_task(progress.stage, text="")
        last = progress
        draw(progress, ended=False)

    columns = [TextColumn("{task.description:8}"), BarColumn(bar_width=None), TextColumn("{task.fields[text]}")]
    console = Console(stderr=True)
    # Standard output may be the table itself, so rich must not take it over.
    with Bars(*columns, console=console, expand=True, redirect_stdout=False, redirect_stderr=False) as bars:
        yield show
        if last is not None:
            draw(last, ended=True)


@contextmanager
def _logged(path: Path) -> Iterator[Show]:
    file: TextIO | None = None
    start = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal file
        if file is None:  # only now, so that input that cannot be read leaves no empty log behind
            file = path.open("w", encoding="utf-8", buffering=1)
        event = {"seconds": round(time.monotonic() - start, 3), **asdict(progress)}
        finite = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in event.items()
        }
        file.write(json.dumps(finite) + "\n")

    try:
        yield show
    finally:
        if file is not None:
            file.close()
