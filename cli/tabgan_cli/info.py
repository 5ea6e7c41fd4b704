"""`tabgan info`: what is in a model file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer


def info(model: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `tabgan fit` wrote.")]) -> None:
    """Show what is in a model file: the table it was fitted on, the columns, the settings and the scores."""
    from tabgan import load

    for line in _lines(load(model, device="cpu").describe()):
        typer.echo(line)


def _lines(values: Mapping[str, object], indent: str = "") -> Iterator[str]:
    width = max((len(str(name)) for name in values), default=0)
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{str(name).ljust(width)}  {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item) for item in value)
    return str(value)
