"""The report's charts as Vega-Lite, drawn to SVG when the page is made: no script, readable in print, light and dark.

Colours are CSS variables of the page. Real is a filled area or the upper bar, synthetic a line or the lower bar, so
that the two can be told apart without colour. Values of the data are only ever data, never field names or expressions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tabgan.report.histograms import Bars, Histogram
from tabgan.report.privacy import Curve

if TYPE_CHECKING:
    from altair import Chart

Spec = dict[str, Any]

_REAL, _SYNTHETIC = "var(--real)", "var(--synthetic)"
_WIDTH, _HEIGHT = 300, 120
_BAR_STEP = 20
_LONGEST_LABEL = 120
_LETTER = 6
"""Width of a letter of a label, about; lengths are in pixels before the page scales the chart."""
_MOST_OTHERS = 1.5
"""Together, the labels without a bar get one only where it does not dwarf the others (the caption has their shares)."""
_NO_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""All but the characters of XML 1.0, section 2.2."""
_SHARES: Spec = {"format": "~%", "tickCount": 3, "domain": False, "ticks": False}
_COLOURS = {
    "var(--real)": "#3b7fb8",
    "var(--synthetic)": "#d45d00",
    "var(--line)": "#c9d0d8",
    "var(--grid)": "#e8ebef",
    "currentColor": "#1d2630",
}
"""The page's light colours, for charts outside of it."""
_CONFIG: Spec = {
    "aria": False,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "labelFontSize": 11,
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--grid)",
        "title": None,
    },
    "text": {"color": "currentColor", "fontSize": 11},
}


def marginal_chart(marginal: Histogram | Bars) -> Spec:
    """Real and synthetic shares of one column over each other."""
    return _histogram_chart(marginal) if isinstance(marginal, Histogram) else _bars_chart(marginal)


def curve_chart(curve: Curve) -> Spec:
    """The share of rows whose closest real row is within a distance, for synthetic and for other real rows."""
    tables = (("real", curve.others), ("synthetic", curve.synthetic))
    points = [
        {"table": table, "distance": round(distance, 5), "share": i / (len(distances) - 1)}
        for table, distances in tables
        for i, distance in enumerate(distances)
    ]
    return {
        "width": 420,
        "height": 170,
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 1.8, "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "distance", "type": "quantitative", "axis": {"grid": False, "tickCount": 6}},
            "y": {"field": "share", "type": "quantitative", "axis": _SHARES},
            "color": _table_colours(),
            "strokeDash": {
                "field": "table",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": ["real", "synthetic"], "range": [[5, 3], [1, 0]]},
            },
        },
    }


def line_chart(values: Sequence[tuple[float, float]]) -> Spec:
    """One curve."""
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": [{"x": x, "y": y} for x, y in values]},
        "mark": {"type": "line", "color": _SYNTHETIC, "strokeWidth": 1.6, "point": {"size": 14, "color": _SYNTHETIC}},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": {"grid": False, "tickCount": 4}},
            "y": {
                "field": "y",
                "type": "quantitative",
                "scale": {"zero": False},
                "axis": {"tickCount": 4, "domain": False, "ticks": False},
            },
        },
    }


def figure(marginal: Histogram | Bars, title: str) -> Chart:
    """A column's chart for a notebook: an altair chart, in colours of its own."""
    import altair

    return altair.Chart.from_dict({"title": title} | _coloured({"config": _CONFIG} | marginal_chart(marginal)))


def _coloured(value: Any) -> Any:
    """A chart in the colours of `_COLOURS`; its data stay as they are."""
    if isinstance(value, dict):
        return {key: each if key == "data" else _coloured(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_coloured(each) for each in value]
    return _COLOURS.get(value, value) if isinstance(value, str) else value


def svg(chart: Spec) -> str:
    """Draw a chart: an `<svg>` element that loads nothing and runs nothing."""
    import vl_convert

    whole = _readable({"background": "transparent", "padding": 2, "config": _CONFIG} | chart)
    drawn: str = vl_convert.vegalite_to_svg(whole)
    return drawn


def printable(text: str) -> str:
    """The text without characters that XML forbids."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _readable(value: Any) -> Any:
    """A chart whose texts hold no character that XML forbids: the library that draws ends the process at one."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(each) for key, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, list) else value


def _histogram_chart(histogram: Histogram) -> Spec:
    top = max((*histogram.real, *histogram.synthetic, histogram.missing_real, histogram.missing_synthetic), default=0)
    scale = {"domain": [0, top or 1], "nice": False}
    y = {"field": "share", "type": "quantitative", "scale": scale, "stack": None}
    x: Spec = {"field": "edge", "type": "quantitative", "scale": {"nice": False, "zero": False}}
    if histogram.is_date:
        x |= {"type": "temporal", "scale": {"type": "utc", "nice": False}}
    missing = histogram.missing_real > 0 or histogram.missing_synthetic > 0
    main = {
        "width": _WIDTH - 62 * missing,
        "height": _HEIGHT,
        "encoding": {
            "x": x | {"axis": {"grid": False, "tickCount": 4 if histogram.is_date else 5, "labelFlush": True}},
            "y": y | {"axis": _SHARES},
        },
        "layer": [
            {
                "data": {"values": _steps(histogram.edges, histogram.real, histogram.is_date)},
                "mark": {"type": "area", "interpolate": "step-after", "color": _REAL, "opacity": 0.45, "line": False},
            },
            {
                "data": {"values": _steps(histogram.edges, histogram.synthetic, histogram.is_date)},
                "mark": {"type": "line", "interpolate": "step-after", "color": _SYNTHETIC, "strokeWidth": 1.8},
            },
        ],
    }
    if not missing:
        return main
    rows = [
        {"label": "missing", "table": "real", "share": histogram.missing_real},
        {"label": "missing", "table": "synthetic", "share": histogram.missing_synthetic},
    ]
    aside = {
        "width": 40,
        "height": _HEIGHT,
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "label", "type": "nominal", "axis": {"labelAngle": 0, "ticks": False}},
            "xOffset": {"field": "table", "type": "nominal"},
            "y": y | {"axis": None},
            "color": _table_colours(),
        },
    }
    return {"hconcat": [main, aside], "spacing": 22}


def _steps(edges: Sequence[float], shares: Sequence[float], is_date: bool) -> list[Spec]:
    """The outline of a histogram: up at the first edge, along the bins, down at the last edge."""
    if not shares:
        return []
    unit = 1000 if is_date else 1  # Vega counts time in milliseconds
    outline = zip(edges, (*shares, shares[-1]), strict=True)
    points = [(edges[0], 0.0), *outline, (edges[-1], 0.0)]
    return [{"edge": edge * unit, "share": round(share, 5)} for edge, share in points]


def _bars_chart(bars: Bars) -> Spec:
    named = zip(bars.labels, bars.real, bars.synthetic, strict=True)
    shown = [(label or "(empty)", real, synthetic) for label, real, synthetic in named]
    most = max((*bars.real, *bars.synthetic), default=0)
    if 0 < max(bars.others_real, bars.others_synthetic) <= _MOST_OTHERS * most:
        shown.append((f"({bars.others:,} more)", bars.others_real, bars.others_synthetic))
    if bars.missing_real > 0 or bars.missing_synthetic > 0:
        shown.append(("(missing)", bars.missing_real, bars.missing_synthetic))
    rows = [
        {"row": i, "label": label, "table": table, "share": round(share, 5)}
        for i, (label, real, synthetic) in enumerate(shown)
        for table, share in (("real", real), ("synthetic", synthetic))
    ]
    y = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.25, "paddingOuter": 0.15}}
    return {
        "width": _WIDTH - min(_LONGEST_LABEL, _LETTER * max(len(label) for label, *_ in shown)),
        "height": _BAR_STEP * len(shown),
        "data": {"values": rows},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "x": {
                        "field": "share",
                        "type": "quantitative",
                        "axis": _SHARES,
                    },
                    "yOffset": {"field": "table", "type": "nominal"},
                    "color": _table_colours(),
                },
            },
            {
                "transform": [{"filter": {"field": "table", "equal": "real"}}],
                "mark": {"type": "text", "align": "right", "x": -6, "limit": _LONGEST_LABEL},
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }


def _table_colours() -> Spec:
    scale = {"domain": ["real", "synthetic"], "range": [_REAL, _SYNTHETIC]}
    return {"field": "table", "type": "nominal", "legend": None, "scale": scale}
