"""Several synthetic tables, of several seeds: the report of the worst one, with what all of them got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from tabgan.report.report import Report


def joined(reports: Sequence[Report]) -> Report:
    """The report with the lowest overall score, with the median and the range of each score and of "overall"."""
    worst = min(reports, key=lambda report: report.verdict.score)
    if len(reports) == 1:
        return worst
    all_scores = [{"overall": report.verdict.score} | report.scores for report in reports]
    spread = {
        name: (median(values), min(values), max(values))
        for name in all_scores[0]
        if len(values := [scores[name] for scores in all_scores if name in scores]) == len(reports)
    }
    return replace(worst, spread=spread, compared=len(reports))
