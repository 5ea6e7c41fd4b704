"""One number for the whole, its formula, and the alarms that no mean of scores may hide.

The geometric mean is taken, and not the arithmetic one, so that a table that fails in one respect fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod, sqrt

Scores = Mapping[str, float]
Baselines = Mapping[str, Mapping[str, float]]

SHAPE_POINTS = 0.1
"""Columns that fall short of the ceiling by so much on average count as nothing."""
WITH_ALARM = 0.49
"""With an alarm, the overall score is at most this."""
GRADES = ((0.9, "excellent"), (0.75, "good"), (0.5, "fair"), (0.0, "poor"))
CLOSE = 0.005
"""Similarities that differ by less than half a point read as equal."""

ABOUT = ("columns", "trend", "detection", "diversity", "privacy")
"""What alarms are about."""
PARTS = {
    "columns": "1 − (ceiling − shape) / 0.1",
    "pairs": "(dependence − floor) / (ceiling − floor); where these hardly differ, 1 − (ceiling − dependence) / 0.1",
    "detection": "(1 − AUC of boosted trees) / (1 − ceiling), no AUC taken as less than 0.5",
    "use": "(score − floor) / (ceiling − floor), trained on synthetic rows and tested on real ones",
    "diversity": "the smaller of recall / ceiling and distinct rows / ceiling",
    "privacy": "1 − (copies − ceiling); with a holdout the least of that, 2 (1 − share nearer to fitted rows) and "
    "2 (1 − membership AUC)",
}
"""The formula of each part of the overall score, each cut to [0, 1]."""
FORMULA = (
    "The geometric mean of the parts, so that one part that fails makes the whole fail; at most 0.49 with an alarm. "
    "Excellent: 0.9 and more; good: 0.75; fair: 0.5; poor: less."
)
"""How the overall score comes about."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What is wrong, in a sentence, and what it is about, one of `ABOUT`."""

    about: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The overall score in [0, 1], what it is called, and the parts it is made of, as `FORMULA` says."""

    score: float
    grade: str
    parts: dict[str, float]

    @property
    def worked(self) -> str:
        """The score worked out from its parts."""
        whole = _geometric_mean(self.parts)
        factors = " × ".join(f"{value:.2f}" for value in self.parts.values())
        capped = "" if self.score == whole else f"; with an alarm at most {WITH_ALARM}"
        return f"({factors})^(1/{len(self.parts)}) = {whole:.2f}{capped}"


def judge(scores: Scores, baselines: Baselines, alarms: tuple[Alarm, ...]) -> Verdict:
    """The overall score; parts that are undefined are left out of it."""
    parts = {name: min(1.0, max(0.0, value)) for name, value in _parts(scores, baselines)}
    score = _geometric_mean(parts)
    if alarms:
        score = min(score, WITH_ALARM)
    return Verdict(score=score, grade=next(grade for least, grade in GRADES if score >= least), parts=parts)


def _geometric_mean(parts: Mapping[str, float]) -> float:
    return prod(parts.values()) ** (1 / len(parts)) if parts else 0.0


def _parts(scores: Scores, baselines: Baselines) -> Iterator[tuple[str, float]]:
    ceiling = baselines["holdout"]
    if "shape" in scores and "shape" in ceiling:
        yield "columns", 1 - (ceiling["shape"] - scores["shape"]) / SHAPE_POINTS
    if "dependence" in scores and "dependence" in ceiling:
        if (way := way_up(scores, baselines, "dependence")) is not None:
            yield "pairs", way
        else:  # columns that do not depend on each other: points, as for columns
            yield "pairs", 1 - (ceiling["dependence"] - scores["dependence"]) / SHAPE_POINTS
    if "c2st_auc" in scores:
        best = max(0.5, ceiling.get("c2st_auc", 0.5))
        yield "detection", (1 - max(0.5, scores["c2st_auc"])) / (1 - best) if best < 1 else 1.0
    if "tstr" in scores and (way := way_up(scores, baselines, "tstr")) is not None:
        yield "use", way
    shares = [scores[name] / ceiling[name] for name in ("knn_recall", "distinct_rows") if ceiling.get(name)]
    if shares:
        yield "diversity", min(shares)
    kept = [2 * (1 - scores[name]) for name in ("dcr_share", "membership_auc") if name in scores]
    if "exact_copies" in scores:
        kept.append(1 - (scores["exact_copies"] - ceiling.get("exact_copies", 0.0)))
    if kept:
        yield "privacy", min(kept)


def way_up(scores: Scores, baselines: Baselines, name: str) -> float | None:
    """How far a score stands between its floor (0) and its ceiling (1); None where the two hardly differ."""
    low, high = baselines["independent"].get(name), baselines["holdout"].get(name)
    if low is None or high is None or high - low < CLOSE:
        return None
    return (scores[name] - low) / (high - low)


def find_alarms(
    scores: Scores,
    baselines: Baselines,
    intervals: Mapping[str, tuple[float, float]],
    rows: Mapping[str, int],
) -> tuple[Alarm, ...]:
    """What a reader must not overlook. Chance alone raises hardly any: the bounds are three standard deviations.

    `rows`: of how many rows of each table the figures on "diversity" and on "privacy" are.
    """
    return (
        *_fidelity_alarms(scores, baselines, intervals),
        *_diversity_alarms(scores, baselines["holdout"], rows.get("diversity", 0)),
        *_privacy_alarms(scores, baselines["holdout"], intervals, rows.get("privacy", 1)),
    )


def _fidelity_alarms(
    scores: Scores, baselines: Baselines, intervals: Mapping[str, tuple[float, float]]
) -> Iterator[Alarm]:
    ceiling = baselines["holdout"]
    if scores.get("shape", 1.0) < ceiling.get("shape", 0.0) - SHAPE_POINTS:
        yield Alarm(about="columns", text="Single columns are distributed quite otherwise than in the real table.")
    way = way_up(scores, baselines, "dependence") if "dependence" in scores else None
    if way is not None and way < 0.5:
        yield Alarm(about="trend", text="Most of what ties columns to each other is lost.")
    if intervals.get("c2st_auc", (0.0, 0.0))[0] > max(0.8, ceiling.get("c2st_auc", 0.5) + 0.1):
        yield Alarm(
            about="detection",
            text=f"Boosted trees tell synthetic rows from real ones easily (AUC {scores['c2st_auc']:.2f}).",
        )


def _diversity_alarms(scores: Scores, ceiling: Scores, rows: int) -> Iterator[Alarm]:
    if scores.get("knn_recall", 1.0) < ceiling.get("knn_recall", 0.0) / 2:
        yield Alarm(
            about="diversity",
            text=f"Synthetic rows cover {100 * scores['knn_recall']:.0f}% of the real rows, "
            f"and other real rows {100 * ceiling['knn_recall']:.0f}%: whole groups are missing.",
        )
    if scores.get("distinct_rows", 1.0) < 0.8 * ceiling.get("distinct_rows", 0.0):
        yield Alarm(
            about="diversity",
            text=f"Only {100 * scores['distinct_rows']:.1f}% of the synthetic rows are distinct; "
            f"{100 * ceiling['distinct_rows']:.1f}% of real ones are.",
        )
    if scores.get("most_repeated", 0.0) > 2 * ceiling.get("most_repeated", 1.0) + 10:
        yield Alarm(
            about="diversity",
            text=f"Among {rows:,} synthetic rows one occurs {scores['most_repeated']:,.0f} times; "
            f"among as many real rows none occurs more than {ceiling.get('most_repeated', 1):,.0f} times.",
        )


def _privacy_alarms(
    scores: Scores, ceiling: Scores, intervals: Mapping[str, tuple[float, float]], rows: int
) -> Iterator[Alarm]:
    copied, chance = scores.get("exact_copies", 0.0), ceiling.get("exact_copies", 0.0)
    if copied > chance + max(0.02, 3 * sqrt(max(chance * (1 - chance), 1 / rows) / rows)):
        yield Alarm(
            about="privacy",
            text=f"{100 * copied:.1f}% of the synthetic rows are copies of real ones; "
            f"other real rows have {100 * chance:.1f}%.",
        )
    # The share varies by chance with a standard deviation of about 0.7 / sqrt(rows).
    if scores.get("dcr_share", 0.5) > 0.5 + max(0.03, 2.1 / sqrt(rows)):
        yield Alarm(
            about="privacy",
            text=f"{100 * scores['dcr_share']:.0f}% of the synthetic rows lie nearer to the rows they were made from "
            "than to other real rows; half would be chance. Some real rows are remembered.",
        )
    if intervals.get("membership_auc", (0.0, 0.0))[0] > 0.55:
        yield Alarm(
            about="privacy",
            text="Who holds the synthetic table can tell who was in the real one "
            f"(AUC {scores['membership_auc']:.2f}; 0.5 is a guess).",
        )
    alone, chance = scores.get("singled_out", 0.0), ceiling.get("singled_out", 1.0)
    if alone > 2 * chance + 0.05:
        yield Alarm(
            about="privacy",
            text=f"The synthetic rows hold {100 * alone:.0f}% of the combinations that only one real row has; "
            f"other real rows hold {100 * chance:.0f}%.",
        )
