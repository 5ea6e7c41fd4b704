"""Puts scores into words. A score is never read alone: always between its floor and its ceiling."""

from __future__ import annotations

from tabgan.report.report import Report

_CLOSE = 0.005
"""Similarities that differ by less than half a point read as equal."""
_AT_AN_END = 0.05
"""Within this share of the way from the floor to the ceiling, a score reads as having reached that end."""


def percent(similarity: float | None) -> str:
    """A similarity or share as a percentage; what is not quite all or nothing does not look like it."""
    if similarity is None:
        return "–"
    shown = round(100 * similarity, 1)
    if 0 < similarity < 1:
        shown = min(max(shown, 0.1), 99.9)
    return f"{shown:.1f}%"


def read_shape(report: Report) -> str:
    """A sentence or two on the distributions of single columns."""
    score, ceiling = report.scores["shape"], report.baselines["holdout"].get("shape")
    caution = "Shape looks at one column at a time, and even shuffled columns keep it: read it together with Trend."
    if ceiling is None:
        return caution
    if score >= ceiling - _CLOSE:
        return f"Column by column, the synthetic rows are distributed as closely as other real rows. {caution}"
    worst = min((c for c in report.columns.values() if c.similarity is not None), key=lambda c: c.similarity or 0)
    return (
        f"A column falls short of other real rows by {100 * (ceiling - score):.1f} points on average, "
        f"“{worst.name}” the most ({percent(worst.similarity)}). {caution}"
    )


def read_trend(report: Report) -> str:
    """A sentence or two on the ties between columns."""
    score = report.scores["trend"]
    ceiling, floor = report.baselines["holdout"].get("trend"), report.baselines["independent"].get("trend")
    if ceiling is None or floor is None:
        return "Other real rows could not be scored, so there is nothing to read this number against."
    if ceiling - floor < _CLOSE:
        return (
            "Columns shuffled independently come as close as other real rows: the columns hardly depend on each other, "
            "or there are too few rows to show it. Trend says little about this table."
        )
    way = (score - floor) / (ceiling - floor)
    if way <= _AT_AN_END:
        return "No closer than columns shuffled independently: the ties between the columns are lost."
    if way >= 1 - _AT_AN_END:
        return "Pair by pair, the synthetic rows are tied together as closely as other real rows."
    return f"{100 * way:.0f}% of the way from columns shuffled independently (no ties at all) to other real rows."
