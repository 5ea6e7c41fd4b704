"""Options that several subcommands share, and how durations are written on the command line."""

from __future__ import annotations

import math
import re
from typing import Annotated

import typer

Device = Annotated[
    str,
    typer.Option(
        help="Compute on auto, cpu, cuda, cuda:1 or mps; auto takes CUDA, then MPS, then the CPU.", metavar="NAME"
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist; otherwise they are an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]

_DURATION = re.compile(r"(\d+)|(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def seconds(text: str, option: str) -> float:
    """The seconds in a duration such as `90`, `90s`, `5m` or `1h30m`; anything else is wrong usage of `option`."""
    parts = _DURATION.fullmatch(text)
    units = (1, 3600, 60, 1)
    total = sum(int(part or 0) * unit for part, unit in zip(parts.groups(), units, strict=True)) if parts else 0
    if total == 0:
        raise typer.BadParameter(f"{text!r} is no duration; write 90, 90s, 5m, 1h or 1h30m", param_hint=option)
    return float(total)


def duration(count: float) -> str:
    """Seconds as a person writes them: `45 s`, `2 min 05 s`, `1 h 30 min`."""
    whole = max(0, math.ceil(count))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
