"""Small SVG drawings, written by hand: a page of 200 columns holds 200 small histograms and heat maps of 20,000 cells,
and a chart library spends a hundred times the bytes on each. Colours are CSS variables of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup, escape

from tabgan.report.histograms import Bars, Histogram
from tabgan.report.joints import Axis, Joint

SPARK_WIDTH, SPARK_HEIGHT = 96, 26
_SPARK_BARS = 8
_CELL = 26
_SMALL_CELL = 14
_LETTER = 6.2
_LONGEST = 20
_JOINT_SIZE = 150
JOINT_LEVELS = 6

Cells = Mapping[tuple[int, int], tuple[int, str]]
"""(column, row) to (class, number to write)."""


def spark(marginal: Histogram | Bars) -> Markup:
    """A column's two distributions, small: the real one filled, the synthetic one as a line (labels: bars of both)."""
    if isinstance(marginal, Histogram):
        top = max((*marginal.real, *marginal.synthetic), default=0) or 1
        body = _path(_steps(marginal.real, top), "spark-real") + _path(_steps(marginal.synthetic, top), "spark-line")
    else:
        body = _bars(marginal.real[:_SPARK_BARS], marginal.synthetic[:_SPARK_BARS])
    return _svg(SPARK_WIDTH, SPARK_HEIGHT, body, "spark")


def heat_map(columns: Sequence[str], rows: Sequence[str], cells: Cells, ink: str, *, most_numbers: int = 18) -> Markup:
    """Cells coloured by class as `var(--{ink}-{class})`, with names beside them; numbers where there is room."""
    size = _CELL if len(rows) <= most_numbers else _SMALL_CELL
    names = [_short(name) for name in rows]
    left = _LETTER * max(map(len, names), default=0) + 8
    above = _LETTER * 0.75 * max((len(_short(name)) for name in columns), default=0) + 14
    classes: dict[int, list[str]] = {}
    numbers = []
    for (x, y), (level, number) in cells.items():
        classes.setdefault(level, []).append(f"M{x * size} {y * size}h{size - 1}v{size - 1}h{1 - size}z")
        if number and size == _CELL:
            place = f'x="{x * size + size / 2 - 0.5:g}" y="{y * size + size / 2 + 3.5:g}"'
            numbers.append(f'<text {place} class="in" fill="var(--{ink}-ink-{level})">{escape(number)}</text>')
    body = "".join(f'<path d="{"".join(d)}" fill="var(--{ink}-{level})"/>' for level, d in sorted(classes.items()))
    for i, name in enumerate(names):
        body += f'<text x="-6" y="{i * size + size / 2 + 3.5:g}" class="end">{escape(name)}</text>'
    for i, name in enumerate(columns):
        at = f"translate({i * size + size / 2 + 3:g} -6)rotate(-45)"
        body += f'<text transform="{at}">{escape(_short(name))}</text>'
    width, height = left + size * len(columns) + above, above + size * len(rows) + 2
    moved = f'<g transform="translate({left:g} {above:g})">{body}{"".join(numbers)}</g>'
    return _svg(width, height, Markup(moved), "heat")


def joint(drawn: Joint) -> Markup:
    """The two tables' rows over a pair of columns, real on the left: the darker, the more rows."""
    top = max(max(map(max, drawn.real)), max(map(max, drawn.synthetic))) or 1
    names = [_short(name) for name in _tick_names(drawn.y)]
    left = _LETTER * max(map(len, names)) + 8
    body = ""
    for k, (title, shares) in enumerate((("real", drawn.real), ("synthetic", drawn.synthetic))):
        across, down = _JOINT_SIZE / drawn.x.bins, _JOINT_SIZE / drawn.y.bins
        cells: dict[int, str] = {}
        for x, column in enumerate(shares):
            for y, share in enumerate(column):
                level = min(JOINT_LEVELS, int(1 + JOINT_LEVELS * (share / top) ** 0.5)) if share else 0
                if level:
                    # Numbers rise from the bottom; labels and missing cells are read from the top.
                    row = y if drawn.y.labels and not drawn.y.edges else drawn.y.bins - 1 - y
                    d = f"M{x * across:.4g} {row * down:.4g}h{across:.4g}v{down:.4g}h-{across:.4g}z"
                    cells[level] = cells.get(level, "") + d
        paths = "".join(f'<path d="{d}" fill="var(--heat-{level})"/>' for level, d in sorted(cells.items()))
        frame = f'<rect width="{_JOINT_SIZE}" height="{_JOINT_SIZE}" class="frame"/>'
        text = f'<text x="{_JOINT_SIZE / 2}" y="-6" class="in">{title}</text>{_x_ticks(drawn.x)}'
        body += f'<g transform="translate({k * (_JOINT_SIZE + 24)} 0)">{frame}{paths}{text}</g>'
    for place, name in zip(_tick_places(drawn.y), names, strict=True):
        body += f'<text x="-6" y="{_JOINT_SIZE * place + 4:.4g}" class="end">{escape(name)}</text>'
    below = 16 if drawn.x.edges else _LETTER * 0.75 * max(len(_short(name)) for name in drawn.x.labels) + 16
    moved = f'<g transform="translate({left:g} 18)">{body}</g>'
    return _svg(left + 2 * _JOINT_SIZE + 24 + 24, _JOINT_SIZE + 22 + below, Markup(moved), "joint")


def _x_ticks(axis: Axis) -> str:
    if axis.edges:
        low, high = (_end(axis, edge) for edge in (axis.edges[0], axis.edges[-1]))
        y = _JOINT_SIZE + 14
        return (
            f'<text x="0" y="{y}">{escape(low)}</text><text x="{_JOINT_SIZE}" y="{y}" class="end">{escape(high)}</text>'
        )
    step = _JOINT_SIZE / axis.bins
    return "".join(
        f'<text transform="translate({(i + 0.5) * step - 3:.4g} {_JOINT_SIZE + 8})rotate(45)">'
        f"{escape(_short(name))}</text>"
        for i, name in enumerate(axis.labels)
    )


def _tick_names(axis: Axis) -> list[str]:
    return [_end(axis, axis.edges[-1]), _end(axis, axis.edges[0])] if axis.edges else list(axis.labels)


def _tick_places(axis: Axis) -> list[float]:
    """From the top, in [0, 1]."""
    return [0.03, 0.97] if axis.edges else [(i + 0.5) / axis.bins for i in range(axis.bins)]


def _end(axis: Axis, value: float) -> str:
    if axis.is_date:
        return str(np.datetime64(int(value), "s").astype("datetime64[D]"))
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _steps(shares: Sequence[float], top: float) -> str:
    """The outline of a histogram, closed at the bottom."""
    if not shares:
        return ""
    width = SPARK_WIDTH / len(shares)
    heights = [SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * share / top for share in shares]
    path = f"M0 {SPARK_HEIGHT}V{heights[0]:.3g}H{width:.3g}"
    for i, (_, height) in enumerate(pairwise(heights), start=2):
        path += f"V{height:.3g}H{i * width:.3g}"
    return path + f"V{SPARK_HEIGHT}"


def _bars(real: Sequence[float], synthetic: Sequence[float]) -> Markup:
    top = max((*real, *synthetic), default=0) or 1
    step = min(24.0, SPARK_WIDTH / max(1, len(real)))
    paths = {"spark-real": "", "spark-bar": ""}
    for i, shares in enumerate(zip(real, synthetic, strict=True)):
        for name, share, at in zip(paths, shares, (0.08, 0.5), strict=True):
            height, width = (SPARK_HEIGHT - 2) * share / top, 0.4 * step
            paths[name] += f"M{(i + at) * step:.3g} {SPARK_HEIGHT}v-{height:.3g}h{width:.3g}v{height:.3g}z"
    return Markup("").join(_path(d, name) for name, d in paths.items())


def _path(d: str, name: str) -> Markup:
    return Markup(f'<path class="{name}" d="{d}"/>')


def _svg(width: float, height: float, body: Markup, name: str) -> Markup:
    size = f'width="{width:.4g}" height="{height:.4g}" viewBox="0 0 {width:.4g} {height:.4g}"'
    return Markup(f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" {size} aria-hidden="true">{body}</svg>')
