"""Tables of pairs, the tree of the strongest ties, and rows raked to the tables."""

from __future__ import annotations

import pytest
import torch

from tabgan.encoding.base import Code
from tabgan.private.pairs import Pairs, _fitted
from tabgan.private.raking import raked

ROWS = 20_000
CODES = [Code("a", 5, False), Code("b", 5, False), Code("c", 41, True), Code("d", 3, False)]


def _codes() -> torch.Tensor:
    """b mostly follows a, c mostly follows b, and d is by itself."""
    rng = torch.Generator().manual_seed(0)
    a = torch.randint(1, 5, (ROWS,), generator=rng)
    b = torch.where(torch.rand(ROWS, generator=rng) < 0.8, a, torch.randint(1, 5, (ROWS,), generator=rng))
    c = (b - 1) * 10 + torch.randint(1, 11, (ROWS,), generator=rng)
    c = torch.where(torch.rand(ROWS, generator=rng) < 0.9, c, torch.randint(1, 41, (ROWS,), generator=rng))
    return torch.stack([a, b, c, torch.randint(1, 3, (ROWS,), generator=rng)], dim=1)


def _pairs(noise: float = 5.0) -> Pairs:
    codes = _codes()
    frequencies = torch.cat([torch.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(CODES)])
    return Pairs(codes, CODES, frequencies / ROWS, ROWS, noise, torch.Generator().manual_seed(1))


def _share(rows: torch.Tensor, *codes: int) -> float:
    """The share of rows in which these codes agree: of c its tens, plus one."""
    columns = [torch.div(rows[:, i] - 1, 10, rounding_mode="floor") + 1 if i == 2 else rows[:, i] for i in codes]
    return float((columns[0] == columns[1]).float().mean())


def test_a_table_is_fitted_to_its_margins():
    left, right = torch.tensor([0.2, 0.8]), torch.tensor([0.5, 0.3, 0.2])
    found = _fitted(torch.tensor([[10.0, -3.0, 1.0], [5.0, 7.0, 2.0]]), left, right)
    torch.testing.assert_close(found.sum(dim=1), left, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.sum(dim=0), right, atol=1e-4, rtol=0)
    assert found[0, 1] < 1e-5  # less than nothing counts as nothing


def test_noise_is_in_units_of_what_one_row_moves():
    assert _pairs(5.0).noise == pytest.approx(5 * 6**0.5)  # six pairs of four codes


def test_the_tree_holds_the_ties_that_are_there_and_none_to_a_code_by_itself():
    assert {tuple(sorted(edge)) for edge in _pairs().tree()} == {(0, 1), (1, 2)}


def test_rows_of_the_tree_have_its_ties():
    codes, rows = _codes(), _pairs().tree_rows(ROWS, torch.Generator().manual_seed(2))
    assert rows.min() >= 0
    for pair in ((0, 1), (1, 2), (0, 2)):
        assert _share(rows, *pair) == pytest.approx(_share(codes, *pair), abs=0.07)  # c is pooled
    assert torch.bincount(rows[:, 2], minlength=41).float().div(ROWS)[1:].std() < 0.01


def test_much_noise_leaves_independent_codes():
    pairs = _pairs(noise=1e5)
    assert pairs.tree() == []
    assert _share(pairs.tree_rows(ROWS, torch.Generator().manual_seed(2)), 0, 1) == pytest.approx(0.25, abs=0.02)


def test_raked_rows_agree_with_the_tables():
    pairs, rng = _pairs(), torch.Generator().manual_seed(3)
    independent = torch.stack([column[torch.randperm(ROWS, generator=rng)] for column in _codes().T], dim=1)
    rows = raked(independent.repeat(3, 1), 5_000, pairs, look_noise=5.0)
    assert rows.shape == (5_000, 4)
    assert _share(independent, 0, 1) < 0.3
    assert _share(rows, 0, 1) == pytest.approx(_share(_codes(), 0, 1), abs=0.04)


def test_what_is_mostly_noise_hardly_moves_the_weights():
    pairs, rng = _pairs(noise=2_000.0), torch.Generator().manual_seed(3)
    independent = torch.stack([column[torch.randperm(ROWS, generator=rng)] for column in _codes().T], dim=1)
    rows = raked(independent, 10_000, pairs, look_noise=5.0)
    assert len(torch.unique(rows, dim=0)) > 0.6 * len(torch.unique(independent[:10_000], dim=0))
