"""A column's measures in words, for its card on the page."""

from __future__ import annotations

import numpy as np

from tabgan.report.catalogue import percent
from tabgan.report.marginals import ColumnScore
from tabgan.report.measures import Measures

_SHARES = {
    "range_coverage": "Real range covered",
    "category_coverage": "Real categories that occur",
    "rare_category_coverage": "Real categories of under 1% that occur",
    "weekday": "Weekdays alike",
    "month": "Months alike",
    "hour": "Hours alike",
}


def facts_of(score: ColumnScore, measures: Measures) -> list[tuple[str, str]]:
    """What and how much, in the order of the card; what is undefined is left out."""
    facts = []
    if (moved := measures.get("wasserstein")) is not None:
        facts.append(("Wasserstein distance, in standard deviations", f"{moved:.3f}"))
    if (distance := measures.get("jensen_shannon")) is not None:
        facts.append(("Jensen-Shannon distance", f"{distance:.3f}"))
    if (p := measures.get("chi_square_p")) is not None:
        facts.append(("Chi-square test, p", "under 0.0001" if p < 1e-4 else f"{p:.4f}"))
    facts += [(title, percent(share)) for name, title in _SHARES.items() if (share := measures.get(name)) is not None]
    if (tail := measures.get("tail")) is not None:
        for end, share in (("low", tail), ("high", 1 - tail)):
            real, synthetic = (_value(score, measures[f"{end}_{table}"]) for table in ("real", "synthetic"))
            facts.append((f"Quantile {100 * share:.4g}%", f"{real} real, {synthetic} synthetic"))
    if score.missing_real or score.missing_synthetic:
        missing = f"{percent(score.missing_real)} real, {percent(score.missing_synthetic)} synthetic"
        facts.append(("Missing cells", missing))
    return facts


def _value(score: ColumnScore, value: float | None) -> str:
    if value is None:
        return "–"
    if score.kind == "datetime":
        return str(np.datetime64(int(value), "s")).replace("T", " ").removesuffix(" 00:00:00")
    return f"{value:,.6g}"
