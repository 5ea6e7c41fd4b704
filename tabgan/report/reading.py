"""Puts scores into words. A score is never read alone: always between its floor and its ceiling."""

from __future__ import annotations

from tabgan.report.catalogue import percent
from tabgan.report.report import Report

CHANCE = 0.02
"""AUCs and shares that differ by no more than this read as equal."""
CHANCE_OF_SHARE = 1.4
"""The share of rows nearer to one table than to another varies by chance by so much, twice over, divided by the square
root of the number of rows of the smaller table."""
_CLOSE = 0.005
"""Similarities that differ by less than half a point read as equal."""
_MANY = 0.05
"""Shares of rows within reach of others that differ by no more than this read as equal."""
_AT_AN_END = 0.05
"""Within this share of the way from the floor to the ceiling, a score reads as having reached that end."""


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
    match name:
        case "dependence":
            return (
                "As Trend, and not led astray by extreme values: numbers are cut at the real table's deciles. "
                "The verdict uses this one."
            )
        case "c2st_auc" | "logistic_auc":
            return _detection(report, name, value, other, floor)
        case "tstr":
            return _use(report, value, other, floor)
        case "importance_agreement":
            return (
                f"How alike models of “{report.target}” of synthetic and of real rows weigh the columns "
                "(other real rows: models of two halves of them)."
            )
        case "frechet" | "knn_precision" | "knn_recall" | "distinct_rows" | "most_repeated":
            return _diversity(name, value, other)
        case _:
            return _privacy(report, name, value, other or 0.0)


def _detection(report: Report, name: str, value: float, other: float | None, floor: float | None) -> str:
    if name == "logistic_auc":
        return "Sees no ties between columns, and so flatters: it is here because other tools report it."
    low, high = report.intervals.get(name, (value, value))
    sure = f" 95% interval: {low:.3f} to {high:.3f}."
    if value <= (other or 0.5) + CHANCE:
        return f"Boosted trees tell the synthetic rows from real ones no better than other real rows.{sure}"
    if floor is not None and value >= floor - CHANCE:
        return f"Boosted trees tell them apart as easily as columns shuffled independently.{sure}"
    return f"Boosted trees find some synthetic rows: over all columns together they differ from real ones.{sure}"


def _use(report: Report, value: float, other: float | None, floor: float | None) -> str:
    model = f"A model of “{report.target}” learned from synthetic rows"
    if other is not None and value >= other - CHANCE:
        return f"{model} is as good on real rows as one learned from real rows."
    if floor is not None and value <= floor + CHANCE:
        return f"{model} is of no use on real rows."
    return f"{model} is worse on real rows than one learned from real rows."


def _diversity(name: str, value: float, other: float | None) -> str:
    match name:
        case "knn_recall" if other is not None and value < other - _MANY:
            return "Some of what real rows are is not there: fewer real rows have a synthetic one near them."
        case "knn_recall":
            return "Synthetic rows reach what real rows reach."
        case "knn_precision" if other is not None and value < other - _MANY:
            return "Some synthetic rows are unlike any real row."
        case "knn_precision":
            return "Synthetic rows are where real rows are."
        case "frechet":
            return "How far means and covariances of the rows are apart, as a share of the variance of the real rows."
        case "distinct_rows" if other is not None and value < other - CHANCE:
            return "Synthetic rows repeat more than real ones."
        case "distinct_rows":
            return "Synthetic rows repeat no more than real ones."
        case _:
            return "How often the most frequent row occurs. A model that collapsed writes a few rows again and again."


def _privacy(report: Report, name: str, value: float, other: float) -> str:
    match name:
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
        case "membership_auc":
            low, high = report.intervals.get(name, (value, value))
            sure = f" 95% interval: {low:.3f} to {high:.3f}."
            if low <= 0.5 + CHANCE:
                return f"Who holds the synthetic table cannot guess by distance who was in the real one.{sure}"
            return f"Who holds the synthetic table can guess by distance who was in the real one.{sure}"
        case "likelihood_auc":
            return (
                "Who holds the model file can guess by the probability of a row whether it was fitted on. "
                "Fitted rows are always somewhat more probable; well above 0.5, keep the model to yourself."
            )
        case "nndr":
            return (
                "The 5th percentile of the distance to the closest real row divided by that to the second closest. "
                "Near 0, and lower than for other real rows: rows stand beside one single person."
            )
        case "singled_out" if value > other + CHANCE:
            return "Combinations of three columns that one real row alone has come up more than chance would have it."
        case "singled_out":
            return "Combinations of three columns that one real row alone has come up no more than in other real rows."
        case _ if value <= other + CHANCE:
            return "No more synthetic rows than other real rows are the same as a real row, cell by cell."
        case _:
            return "More synthetic rows than other real rows are copies of a real row."


def _rows(report: Report) -> int:
    return min(facts.rows for facts in report.tables.values())
