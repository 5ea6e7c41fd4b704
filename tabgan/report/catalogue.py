"""The figures of a report: in which order and under what titles the page, Markdown and the command line show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabgan.report.report import Report


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One figure: what it is about, its title, what is best, and how its values are written."""

    group: str
    title: str
    best: str
    write: Callable[[float], str]


def percent(share: float | None) -> str:
    """A similarity or share as a percentage; what is not quite all or nothing does not look like it."""
    if share is None:
        return "–"
    shown = round(100 * share, 1)
    if 0 < share < 1:
        shown = min(max(shown, 0.1), 99.9)
    return f"{shown:.1f}%"


def _decimals(value: float) -> str:
    return f"{value:.3f}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


FIGURES = {
    "shape": Entry(group="Columns", title="Shape", best="100% is best", write=percent),
    "trend": Entry(group="Pairs", title="Trend", best="100% is best", write=percent),
    "dependence": Entry(group="Pairs", title="Dependence, by deciles", best="100% is best", write=percent),
    "c2st_auc": Entry(group="Detection", title="AUC of boosted trees", best="0.5 is best", write=_decimals),
    "logistic_auc": Entry(group="Detection", title="AUC of logistic regression", best="0.5 is best", write=_decimals),
    "tstr": Entry(group="Use", title="Trained on synthetic, tested on real", best="more is better", write=_decimals),
    "importance_agreement": Entry(
        group="Use", title="Goes by the same columns as on real rows", best="100% is best", write=percent
    ),
    "knn_recall": Entry(group="Diversity", title="Recall: real rows covered", best="more is better", write=percent),
    "knn_precision": Entry(
        group="Diversity", title="Precision: rows among real ones", best="more is better", write=percent
    ),
    "frechet": Entry(group="Diversity", title="Fréchet distance", best="0 is best", write=_decimals),
    "distinct_rows": Entry(group="Diversity", title="Distinct rows", best="as real rows", write=percent),
    "most_repeated": Entry(group="Diversity", title="Most repeated row, times", best="as real rows", write=_count),
    "exact_copies": Entry(group="Privacy", title="Copies of a real row", best="as real rows", write=percent),
    "dcr_share": Entry(
        group="Privacy", title="Memory: nearer to fitted rows than to others", best="50% is best", write=percent
    ),
    "membership_auc": Entry(group="Privacy", title="Membership inference, AUC", best="0.5 is best", write=_decimals),
    "likelihood_auc": Entry(group="Privacy", title="Membership by the model, AUC", best="0.5 is best", write=_decimals),
    "nndr": Entry(group="Privacy", title="Nearest-neighbour distance ratio", best="as real rows", write=_decimals),
    "singled_out": Entry(group="Privacy", title="Rare combinations given away", best="as real rows", write=percent),
}
"""By the names in `Report.scores`."""


def title(name: str) -> str:
    """The title of a score, or of "overall"."""
    return FIGURES[name].title if name in FIGURES else name.capitalize()


def written(name: str, value: float) -> str:
    """A value of a score, or of "overall"."""
    return FIGURES[name].write(value) if name in FIGURES else f"{value:.2f}"


def beside(report: Report, name: str) -> list[str]:
    """A score of the synthetic rows, of other real rows and of shuffled columns."""
    places = (report.scores, report.baselines["holdout"], report.baselines["independent"])
    return [written(name, scores[name]) if name in scores else "–" for scores in places]


def spread(report: Report) -> list[list[str]]:
    """Title, median, least and largest of each score, where several synthetic tables were compared."""
    return [[title(name), *(written(name, value) for value in values)] for name, values in report.spread.items()]
