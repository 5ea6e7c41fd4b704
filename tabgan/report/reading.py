"""Puts scores into words. A score is never read alone: always between its floor and its ceiling."""

from __future__ import annotations

from tabgan.report.report import Report

CHANCE = 0.02
"""AUCs and shares that differ by no more than this read as equal."""
CHANCE_OF_SHARE = 1.4
"""The share of rows nearer to one table than to another varies by chance by so much, twice over, divided by the square
root of the number of rows of the smaller table."""
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


def read_figure(report: Report, name: str) -> str:
    """A sentence on one of the figures that single columns and pairs do not show."""
    value = report.scores[name]
    other = report.baselines["holdout"].get(name)
    floor = report.baselines["independent"].get(name)
    model = f"A model of “{report.target}” learned from synthetic rows"
    match name:
        case "c2st_auc" if value <= (other or 0.5) + CHANCE:
            return "Boosted trees tell the synthetic rows from real ones no better than other real rows."
        case "c2st_auc" if floor is not None and value >= floor - CHANCE:
            return "Boosted trees tell them apart as easily as columns shuffled independently."
        case "c2st_auc":
            return "Boosted trees find some synthetic rows: over all columns together they differ from real ones."
        case "tstr" if other is not None and value >= other - CHANCE:
            return f"{model} is as good on real rows as one learned from real rows."
        case "tstr" if floor is not None and value <= floor + CHANCE:
            return f"{model} is of no use on real rows."
        case "tstr":
            return f"{model} is worse on real rows than one learned from real rows."
        case "dcr_share" if value <= 0.5 + max(CHANCE, CHANCE_OF_SHARE / _rows(report) ** 0.5):
            return (
                "Synthetic rows lie no nearer to the rows they were made from than to others: this measure sees "
                "nothing that is remembered. It does not prove that nobody is given away."
            )
        case "dcr_share":
            return (
                "Synthetic rows lie nearer to the rows they were made from than to other real rows: some are "
                "remembered. Look into it before you share the table."
            )
        case _ if value <= (other or 0.0) + CHANCE:
            return "No more synthetic rows than other real rows are the same as a real row, cell by cell."
        case _:
            return "More synthetic rows than other real rows are copies of a real row."


def _rows(report: Report) -> int:
    return min(facts.rows for facts in report.tables.values())
