"""A `Report` as Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tabgan.report.catalogue import FIGURES, beside, percent, spread
from tabgan.report.charts import printable
from tabgan.report.report import Report
from tabgan.report.verdict import FORMULA

WORST_COLUMNS = 10
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")


def markdown(report: Report) -> str:
    """Verdict, alarms, every score beside its ceiling and floor, and the least alike columns."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    verdict, tables = report.verdict, report.tables
    names = [f"{_text(tables[part].name)} ({tables[part].rows:,} rows)" for part in ("synthetic", "real")]
    yield f"### {verdict.grade.capitalize()}: {verdict.score:.2f} of 1"
    yield ""
    yield " against ".join(names)
    for alarm in report.alarms:
        yield ""
        yield f"> **Alarm, {alarm.about}:** {_text(alarm.text)}"
    if verdict.parts:
        yield ""
        parts = [[part.capitalize(), f"{value:.2f}"] for part, value in verdict.parts.items()]
        yield from _table(["Part", "0 to 1"], parts)
        yield ""
        yield f"{verdict.worked}. {FORMULA}"
    yield ""
    yield from _table(["Score", "Synthetic", "Other real rows", "Shuffled columns", ""], _scores(report))
    if report.spread:
        yield ""
        yield f"Over {report.compared} synthetic tables; all else is about the worst one:"
        yield ""
        yield from _table(["Score", "Median", "Least", "Largest"], spread(report))
    scored = [column for column in report.columns.values() if column.similarity is not None]
    worst = sorted(scored, key=lambda column: column.similarity or 0.0)[:WORST_COLUMNS]
    yield ""
    yield from _table(["Least alike columns", "Similarity"], [[_text(c.name), percent(c.similarity)] for c in worst])


def _scores(report: Report) -> Iterator[list[str]]:
    for name, entry in FIGURES.items():
        if name in report.scores:
            yield [entry.title, *beside(report, name), entry.best]


def _table(head: Sequence[str], rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    for row in (head, [":--", *["--:"] * (len(head) - 1)], *rows):
        yield f"| {' | '.join(row)} |"


def _text(value: str) -> str:
    """Text of the data as text: no mark-up, no HTML, one line."""
    return _MARKS.sub(r"\\\1", " ".join(printable(value).split()))
