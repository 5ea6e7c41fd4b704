from collections.abc import Iterator

import pytest
import torch

from tabgan.encoding.base import Code
from tabgan.sampling.chosen import ChoosingSampler
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.sampler import BLOCK_ROWS
from tabgan.training.batches import Rows
from tabgan.training.detection import c2st
from tabgan.training.history import History
from tabgan.training.ratio import learn_ratio

LAYOUT = [Code(name, 12, ordered=True) for name in "abc"]


def tied(rows: int, spread: int, seed: int) -> torch.Tensor:
    """Rows whose second number is near the first, by chance within `spread`; the third is the rarer, the higher."""
    rng = keyed("tied", seed)
    a = torch.randint(1, 12, (rows, 1), generator=rng)
    b = (a + torch.randint(-spread, spread + 1, (rows, 1), generator=rng)).clamp(1, 11)
    return torch.cat([a, b, (12 * torch.rand(rows, 1, generator=rng) ** 3).long()], dim=1)


class Stub:
    """A sampler whose tie is as wide as is said; real rows have 1."""

    def __init__(self, spread: int) -> None:
        self.spread = spread

    def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[torch.Tensor]:
        for start in range(first, rows, BLOCK_ROWS):
            yield tied(min(BLOCK_ROWS, rows - start), self.spread, 1_000 * seed + start)


def learned(spread: int, auc: float, spent: float = 0.0) -> tuple[ChoosingSampler | None, History]:
    history = History(None, 100.0 if spent else None)
    history.go_on([], 100.0 * spent)
    rows = Rows.split(tied(4_000, 1, seed=-1), 400, "cpu", keyed("split"))
    sampler = Stub(spread)
    ratio = learn_ratio(sampler, 3, auc, rows, LAYOUT, 0, history)  # type: ignore[arg-type]
    return None if ratio is None else ChoosingSampler(sampler, ratio), history  # type: ignore[arg-type]


def test_chosen_rows_are_nearer_to_real_ones_and_their_shares_stay():
    sampler, history = learned(spread=3, auc=0.8)
    assert history.records[0]["auc"] > 0.7
    assert sampler is not None
    fitted, others = tied(4_000, 1, seed=-1), tied(4_000, 1, seed=-2)
    drawn, kept = torch.cat(list(Stub(3).blocks(4_000, 3, 9))), torch.cat(list(sampler.blocks(20_000, 3, 9)))
    before, after = (c2st(others, made[:4_000], LAYOUT, 0) - 0.5 for made in (drawn, kept))
    assert before > 0.2
    assert after < before / 2
    for code in range(3):
        shares = [torch.bincount(rows[:, code], minlength=12) / len(rows) for rows in (fitted, kept)]
        assert (shares[0] - shares[1]).abs().sum() / 2 < 0.03


def test_a_time_limit_ends_the_making_of_rows():
    history = History(None, 100.0)
    history.go_on([], 80.0)
    blocks = 0

    class Slow(Stub):
        def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[torch.Tensor]:
            nonlocal blocks
            for block in super().blocks(rows, rounds, seed, first):
                history.go_on(history.records, 3.0)  # as if it had taken so many seconds
                blocks += 1
                yield block

    rows = Rows.split(tied(4_000, 1, seed=-1), 400, "cpu", keyed("split"))
    assert learn_ratio(Slow(3), 3, 0.8, rows, LAYOUT, 0, history) is None  # type: ignore[arg-type]
    assert blocks == 4
    assert history.spent < 0.93


@pytest.mark.parametrize(
    ("spread", "auc", "spent"),
    [(1, 0.6, 0.0), (3, 0.52, 0.0), (3, 0.8, 0.9)],
    ids=["trees see nothing", "good as they are", "no time"],
)
def test_rows_are_taken_as_they_come_where_choosing_gains_little(spread: int, auc: float, spent: float):
    assert learned(spread, auc, spent)[0] is None
