"""What went wrong in a fit, in words: what was seen, what fit did about it, and what a user can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

MEMORY_SHARE = 1.2
"""Held-out rows this many times harder to predict than training rows are a sign of learning by heart."""
SWING = 0.05
"""A last C2ST AUC so far above the best one is a game that swings."""
GROWTH = 3.0
"""A critic's estimate that ends so many times higher than it was at its first look is running away."""
LOST_SHARE = 0.9
"""Fewer distinct rows than this share of those before the game are a collapse."""


def alarms(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each alarm that the records of a `History` give, in the order of the stages."""
    records = list(records)
    found = [_restored(record) for record in records if "restored" in record]
    looks = [record for record in records if "held_out" in record]
    # Of a small table those that learned from rows say what is learned by heart, not the one that they taught.
    warm = [record for record in looks if record["stage"].startswith("teacher")] or [
        record for record in looks if record["stage"] == "warm-up"
    ]
    game = [record for record in records if record["stage"] == "game" and "c2st" in record]
    return found + _of_warm_up(warm) + _of_game(game)


def _restored(record: Mapping[str, Any]) -> str:
    return (
        f"numbers were not finite in the {record['stage']} by step {record['step']}: fit went back to its last healthy "
        "state at half the learning rate. Look for extreme values in the table if this comes often."
    )


def _of_warm_up(records: Sequence[Mapping[str, Any]]) -> list[str]:
    if not records:
        return []
    stages = groupby(records, key=lambda record: record["stage"])
    last = [record for _, looks in stages for record in list(looks)[-3:]]
    loss, held_out = (sum(record[name] for record in last) / len(last) for name in ("loss", "held_out"))
    if held_out <= MEMORY_SHARE * loss:
        return []
    return [
        f"the model memorises: held-out rows are {held_out / loss:.2f} times harder to predict than training rows. "
        "Fit kept the last weights before held-out rows got worse. More rows or fewer columns help; so does a "
        "lower warmup_epochs."
    ]


def _of_game(records: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(records) < 3:
        return []
    first, last = records[0], records[-1]
    best = min(records, key=lambda record: record["c2st"])
    found = []
    if last["gap"] > GROWTH * max(records[1]["gap"], 1e-3) and last["c2st"] > records[1]["c2st"]:
        found.append(
            f"the critic overpowers the generator: its estimate grew from {records[1]['gap']:.3g} to {last['gap']:.3g}."
            f" Fit kept the weights of step {best['step']}. A lower game_learning_rate helps, or a shorter "
            "critic_head_start."
        )
    if last["c2st"] > best["c2st"] + SWING:
        found.append(
            f"the game swings: C2ST went from {best['c2st']:.3f} at step {best['step']} to {last['c2st']:.3f}. Fit "
            "kept the best. A lower game_learning_rate helps."
        )
    if best["distinct"] < LOST_SHARE * first["distinct"]:
        found.append(
            f"rows collapse: {best['distinct']:.0%} of a sample in few rounds are distinct, {first['distinct']:.0%} "
            "before the game. Sample with more rounds, or set a higher cooccurrence_weight."
        )
    return found
