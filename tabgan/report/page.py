"""Renders a `Report` as one HTML page that loads nothing, runs no script, and opens offline.

The template escapes every value (Jinja's autoescape); the page's own policy forbids scripts and network besides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from tabgan.report.charts import LEVELS, heat_map, marginal_chart, svg
from tabgan.report.histograms import Bars, Histogram
from tabgan.report.marginals import ColumnScore
from tabgan.report.pairs import PairScore
from tabgan.report.reading import percent, read_figure, read_shape, read_trend
from tabgan.report.report import Report

if TYPE_CHECKING:
    from markupsafe import Markup

Scored = TypeVar("Scored", ColumnScore, PairScore)

WORST_PAIRS = 12
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
class _ColumnCard:
    anchor: str
    score: ColumnScore
    chart: Markup
    caption: str


def render(report: Report) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("tabgan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"percent": percent, "kind": _kind, "metric": _METRICS.__getitem__}
    environment.filters.update(filters)
    names = [name for name, score in report.columns.items() if score.metric is not None]
    pairs = worst_first(report.pairs)
    return environment.get_template("report.html.j2").render(
        report=report,
        scores=_scores(report),
        figures=_figures(report),
        cards=_cards(report),
        keys=[score for score in report.columns.values() if score.metric is None],
        heat_map=Markup(svg(heat_map(names, report.pairs))) if report.pairs else None,
        legend=_legend(any(pair.similarity is None for pair in pairs)),
        worst_pairs=[pair for pair in pairs[:WORST_PAIRS] if pair.similarity is not None],
    )


@dataclass(frozen=True, kw_only=True)
class _Figure:
    title: str
    values: list[str]
    """Of the synthetic rows, of other real rows, of shuffled columns."""
    reading: str


def _figures(report: Report) -> list[_Figure]:
    titles = {
        "c2st_auc": "Detection: AUC of boosted trees (0.5 is best)",
        "tstr": f"Use: trained on synthetic, tested on real, “{report.target}” (more is better)",
        "dcr_share": "Memory: share nearer to the fitted rows than to others (50% is best)",
        "exact_copies": "Copies: rows that are in the real table",
    }
    places = [report.scores, report.baselines["holdout"], report.baselines["independent"]]
    return [
        _Figure(
            title=title,
            values=[_figure(name, scores.get(name)) for scores in places],
            reading=read_figure(report, name),
        )
        for name, title in titles.items()
        if name in report.scores
    ]


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if name in ("c2st_auc", "tstr") else percent(value)


def worst_first(scores: Iterable[Scored]) -> list[Scored]:
    """By similarity, the least first; what is undefined comes last."""
    return sorted(scores, key=lambda score: 2.0 if score.similarity is None else score.similarity)


def _kind(kind: str) -> str:
    return _KINDS.get(kind, kind)


def _cards(report: Report) -> list[_ColumnCard]:
    from markupsafe import Markup

    cards = []
    for i, score in enumerate(worst_first(score for score in report.columns.values() if score.metric is not None)):
        marginal = report.marginals[score.name]
        cards.append(
            _ColumnCard(
                anchor=f"column-{i}",
                score=score,
                chart=Markup(svg(marginal_chart(marginal))),
                caption=_caption(marginal),
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


def _legend(with_undefined: bool) -> list[tuple[int, str]]:
    bounds = [f"{100 * least:.0f}" for least in LEVELS]
    between = [f"{low} to {high}" for high, low in pairwise(bounds)]
    undefined = ["undefined"] if with_undefined else []
    return list(enumerate([f"{bounds[0]} and more", *between, f"under {bounds[-1]}", *undefined]))
