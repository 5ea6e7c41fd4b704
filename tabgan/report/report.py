"""The result of `evaluate`: numbers to read and to hand on, and one page that shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, overload

from tabgan.errors import DataError, meant
from tabgan.report.association import Associations
from tabgan.report.histograms import Bars, Histogram
from tabgan.report.joints import Joint
from tabgan.report.marginals import ColumnScore
from tabgan.report.measures import Measures
from tabgan.report.pairs import PairScore
from tabgan.report.privacy import Curve
from tabgan.report.verdict import Alarm, Verdict, judge
from tabgan.tables.files import WholeFile

if TYPE_CHECKING:
    from altair import Chart


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """One of the compared tables: its name (a file's, or what it is) and its number of rows."""

    name: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """How close a synthetic table comes to the real one.

    `scores` holds "shape" (mean similarity over the columns) and "trend" (mean over all pairs of columns), in [0, 1],
    and the figures on detection, use, diversity and privacy that `evaluate` names; a score that is undefined, as
    "trend" is for a single column, is left out. `baselines` holds the same scores for
    other rows in the place of the synthetic ones: "holdout", real rows (the ceiling), and "independent", real columns
    shuffled one by one (the floor).
    """

    scores: dict[str, float]
    baselines: dict[str, dict[str, float]]
    columns: dict[str, ColumnScore]
    pairs: tuple[PairScore, ...]
    marginals: Mapping[str, Histogram | Bars]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The 95 % intervals of "c2st_auc", "membership_auc" and "likelihood_auc"."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """By how much the AUC of the boosted trees falls when they cannot read a column: what gives the table away."""
    curve: Curve | None = None
    """How near rows lie to the closest real row."""
    looked_at: Mapping[str, int] = field(default_factory=dict)
    """Of how many rows of each table the figures on "detection", "diversity", "privacy" and "the model" are: they are
    heavy, and worked out on drawn rows."""
    measures: Mapping[str, Measures] = field(default_factory=dict)
    """More on each column that is scored."""
    associations: Associations | None = None
    """How strongly every two columns go together, in each table."""
    joints: tuple[Joint, ...] = ()
    """The least alike pairs, in bins."""
    training: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """Curves of the fit by their titles, `(step, value)`, where a model was given."""
    spread: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """Median, least and largest of each score, and of "overall", where several synthetic tables were compared."""
    compared: int = 1
    """How many synthetic tables were compared; this is the report of the one with the lowest overall score."""
    alarms: tuple[Alarm, ...] = ()
    verdict: Verdict = field(default_factory=lambda: judge({}, {"holdout": {}, "independent": {}}, ()))
    """One score for the whole."""
    target: str | None = None
    """The column that "tstr" is about."""
    tables: Mapping[str, TableFacts]
    """The tables by their part: "real", "synthetic", and "holdout" where one was given."""
    notes: tuple[str, ...] = ()
    """What was left out of the scores, and why."""

    @overload
    def to_json(self) -> str: ...
    @overload
    def to_json(self, path: str | Path) -> None: ...
    def to_json(self, path: str | Path | None = None) -> str | None:
        """The numbers as JSON: returned as text, or written to `path` (whole or not at all; else `FileError`).

        An undefined similarity is null.
        """
        content = {
            "scores": self.scores,
            "baselines": self.baselines,
            "columns": {
                name: _without_name(score) | {"measures": self.measures.get(name, {})}
                for name, score in self.columns.items()
            },
            "pairs": [asdict(pair) for pair in self.pairs],
            "verdict": asdict(self.verdict),
            "compared": self.compared,
            "spread": self.spread,
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "looked_at": self.looked_at,
            "associations": None if self.associations is None else asdict(self.associations),
            "intervals": self.intervals,
            "importance": self.importance,
            "curve": None if self.curve is None else asdict(self.curve),
        }
        return _deliver(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n", path)

    def figure(self, column: str) -> Chart:
        """The chart of a column, as an altair chart for a notebook. Raises `DataError` where it is not scored."""
        from tabgan.report.charts import figure

        if column not in self.marginals:
            hint = meant(column, self.marginals, "; columns that are made up are not drawn.")
            raise DataError(f"there is no column {column!r} to draw{hint}")
        return figure(self.marginals[column], column)

    @overload
    def to_markdown(self) -> str: ...
    @overload
    def to_markdown(self, path: str | Path) -> None: ...
    def to_markdown(self, path: str | Path | None = None) -> str | None:
        """Verdict, alarms, scores and the least alike columns as Markdown, for a comment on a pull request: returned as
        text, or written to `path` (else `FileError`)."""
        from tabgan.report.markdown import markdown

        return _deliver(markdown(self), path)

    @overload
    def to_junit(self, *, fail_under: float | None = None) -> str: ...
    @overload
    def to_junit(self, path: str | Path, *, fail_under: float | None = None) -> None: ...
    def to_junit(self, path: str | Path | None = None, *, fail_under: float | None = None) -> str | None:
        """What a pipeline tests, as JUnit XML: every kind of alarm is a test and, with `fail_under`, what is
        `below` it. Returned as text, or written to `path` (else `FileError`)."""
        from tabgan.report.junit import junit

        return _deliver(junit(self, fail_under), path)

    def below(self, least: float) -> list[str]:
        """Which of the scores shape and trend are below `least`, in words; where neither is defined, that."""
        judged = {name: self.scores[name] for name in ("shape", "trend") if name in self.scores}
        if not judged:
            return ["no score is defined for these tables"]
        return [f"{name} is {score:.4f}" for name, score in judged.items() if score < least]

    @overload
    def to_html(self) -> str: ...
    @overload
    def to_html(self, path: str | Path) -> None: ...
    def to_html(self, path: str | Path | None = None) -> str | None:
        """The report as one page that opens offline: returned as text, or written to `path` (else `FileError`)."""
        from tabgan.report.page import render

        return _deliver(render(self), path)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style does not reach the notebook around it."""
        frame = 'sandbox="allow-scripts" title="tabgan report" style="width:100%;height:40rem;border:0"'
        return f'<iframe {frame} srcdoc="{escape(self.to_html())}"></iframe>'


def _without_name(score: ColumnScore) -> dict[str, object]:
    return {key: value for key, value in asdict(score).items() if key != "name"}


def _deliver(text: str, path: str | Path | None) -> str | None:
    if path is None:
        return text
    with WholeFile(path) as file:
        file.write(text.encode())
    return None
