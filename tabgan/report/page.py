"""Renders a `Report` as one HTML page that loads nothing and opens offline.

The template escapes every value (Jinja's autoescape). The page's own policy forbids the network, and every script but
the page's own, which sorts the table of columns and opens what is linked to; without it all is still there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tabgan.report.catalogue import FIGURES, beside, percent, spread
from tabgan.report.charts import curve_chart, line_chart, marginal_chart, svg
from tabgan.report.columnfacts import facts_of
from tabgan.report.drawing import Cells, heat_map, joint, spark
from tabgan.report.histograms import Bars, Histogram
from tabgan.report.marginals import ColumnScore
from tabgan.report.matrices import (
    association_cells,
    association_legend,
    difference_cells,
    difference_legend,
    similarity_cells,
    similarity_legend,
)
from tabgan.report.pairs import PairScore
from tabgan.report.reading import read_figure, read_shape, read_trend
from tabgan.report.report import Report
from tabgan.report.verdict import FORMULA, PARTS

Scored = TypeVar("Scored", ColumnScore, PairScore)

WORST_PAIRS = 12
MOST_TELLING = 12
OPEN_COLUMNS = 6
"""Columns whose big picture is open from the start."""
_KINDS = {"datetime": "date", "boolean": "yes or no", "key": "row identifier"}
_METRICS = {"ks": "KS", "tv": "TV", "correlation": "correlation", "contingency": "contingency"}


@dataclass(frozen=True, kw_only=True)
class _Dot:
    """One row of a score's dot plot; `place` is in percent of the width."""

    label: str
    similarity: float
    place: float
    part: str


@dataclass(frozen=True, kw_only=True)
class _Score:
    title: str
    about: str
    value: float
    reading: str
    dots: list[_Dot]


@dataclass(frozen=True, kw_only=True)
class _Figure:
    title: str
    best: str
    values: list[str]
    """Of the synthetic rows, of other real rows, of shuffled columns."""
    reading: str


@dataclass(frozen=True, kw_only=True)
class _ColumnCard:
    anchor: str
    score: ColumnScore
    spark: Markup
    chart: Markup
    caption: str
    facts: list[tuple[str, str]]
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class _Map:
    title: str
    drawing: Markup
    legend: list[tuple[str, str]]


def render(report: Report) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("tabgan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({"percent": percent, "kind": _kind, "metric": _METRICS.__getitem__})
    script, style = (_template(name) for name in ("report.js", "report.css"))
    pairs = worst_first(report.pairs)
    curve = report.curve if report.curve and report.curve.synthetic and report.curve.others else None
    return environment.get_template("report.html.j2").render(
        report=report,
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(style),
        formula=FORMULA,
        parts=PARTS,
        scores=_scores(report),
        groups=_groups(report),
        spread=spread(report),
        telling=_telling(report),
        curve=None if curve is None else Markup(svg(curve_chart(curve))),
        cards=_cards(report),
        keys=[score for score in report.columns.values() if score.metric is None],
        similarity=_similarity_map(report),
        associations=_association_maps(report),
        worst_pairs=[pair for pair in pairs[:WORST_PAIRS] if pair.similarity is not None],
        joints=[(drawn, joint(drawn)) for drawn in report.joints],
        training=[(title, Markup(svg(line_chart(values)))) for title, values in report.training.items()],
    )


def worst_first(scores: Iterable[Scored]) -> list[Scored]:
    """By similarity, the least first; what is undefined comes last."""
    return sorted(scores, key=lambda score: 2.0 if score.similarity is None else score.similarity)


def _template(name: str) -> str:
    return resources.files("tabgan.report").joinpath("templates", name).read_text(encoding="utf-8")


def _kind(kind: str) -> str:
    return _KINDS.get(kind, kind)


def _scores(report: Report) -> list[_Score]:
    about = {
        "shape": ("Shape", "How alike the columns are, one at a time", read_shape),
        "trend": ("Trend", "How alike the ties between columns are, over all pairs", read_trend),
    }
    return [
        _Score(
            title=title,
            about=what,
            value=report.scores[name],
            reading=read(report),
            dots=_dots(report, name),
        )
        for name, (title, what, read) in about.items()
        if name in report.scores
    ]


def _dots(report: Report, name: str) -> list[_Dot]:
    low, high = _ends(report, name)
    rows = [
        ("Other real rows (ceiling)", "holdout", report.baselines["holdout"].get(name)),
        ("Synthetic rows", "synthetic", report.scores[name]),
        ("Shuffled columns (floor)", "independent", report.baselines["independent"].get(name)),
    ]
    return [
        _Dot(label=label, similarity=value, place=100 * (value - low) / (high - low), part=part)
        for label, part, value in rows
        if value is not None
    ]


def _ends(report: Report, name: str) -> tuple[float, float]:
    """The scale of a dot plot: from the least value, rounded down to a tenth, to one."""
    values = [report.scores[name], *(scores[name] for scores in report.baselines.values() if name in scores)]
    return min(int(10 * min(values)) / 10, 0.9), 1.0


def _groups(report: Report) -> dict[str, list[_Figure]]:
    groups = dict.fromkeys(entry.group for entry in FIGURES.values())
    found = {group: _figures(report, group) for group in groups}
    return {group: figures for group, figures in found.items() if figures}


def _figures(report: Report, group: str) -> list[_Figure]:
    return [
        _Figure(
            title=entry.title if name != "tstr" else f"{entry.title}, “{report.target}”",
            best=entry.best,
            values=beside(report, name),
            reading=read_figure(report, name),
        )
        for name, entry in FIGURES.items()
        if entry.group == group and name in report.scores and name not in ("shape", "trend")
    ]


def _telling(report: Report) -> list[tuple[str, float, float]]:
    """Column, fall of the AUC, and length of its bar in percent; those that give the table away most."""
    found = sorted(report.importance.items(), key=lambda item: -item[1])[:MOST_TELLING]
    longest = max((fall for _, fall in found), default=0)
    return [(name, max(0.0, fall), 100 * max(0.0, fall) / longest) for name, fall in found] if longest > 0 else []


def _cards(report: Report) -> list[_ColumnCard]:
    cards = []
    for i, score in enumerate(worst_first(score for score in report.columns.values() if score.metric is not None)):
        marginal = report.marginals[score.name]
        cards.append(
            _ColumnCard(
                anchor=f"column-{i}",
                score=score,
                spark=spark(marginal),
                chart=Markup(svg(marginal_chart(marginal))),
                caption=_caption(marginal),
                facts=facts_of(score, report.measures.get(score.name, {})),
                is_open=i < OPEN_COLUMNS,
            )
        )
    return cards


def _caption(marginal: Histogram | Bars) -> str:
    """What the drawing leaves out."""
    if isinstance(marginal, Histogram):
        return "the outermost bins hold all that lies beyond" if marginal.has_tails else ""
    if not marginal.others:
        return ""
    return f"{marginal.others:,} more: {percent(marginal.others_real)} and {percent(marginal.others_synthetic)}"


def _similarity_map(report: Report) -> _Map | None:
    if not report.pairs:
        return None
    names = [name for name, score in report.columns.items() if score.metric is not None]
    undefined = any(pair.similarity is None for pair in report.pairs)
    drawing = heat_map(names[:-1], names[1:], similarity_cells(names, report.pairs), "level")
    return _Map(title="Similarity of pairs", drawing=drawing, legend=similarity_legend(undefined))


def _association_maps(report: Report) -> list[_Map]:
    found = report.associations
    if found is None or len(found.columns) < 2:
        return []

    def drawn(title: str, cells: Cells, ink: str, legend: list[tuple[str, str]]) -> _Map:
        drawing = heat_map(found.columns, found.columns, cells, ink, most_numbers=15)
        return _Map(title=title, drawing=drawing, legend=legend)

    return [
        drawn("Real", association_cells(found.real), "assoc", association_legend()),
        drawn("Synthetic", association_cells(found.synthetic), "assoc", association_legend()),
        drawn("Difference", difference_cells(found), "level", difference_legend()),
    ]
