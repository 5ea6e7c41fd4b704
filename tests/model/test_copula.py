import numpy as np
import pytest
import torch
from scipy.stats import norm

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model import copula as copula_module
from tabgan.model.copula import RIDGE, SHRINK, Copula
from tabgan.model.generator import Generator
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.sampler import Sampler

ROWS, PLACES = 20_000, 50
LAYOUT = [
    Code("x", PLACES + 1, True),
    Code("label", 4, False),
    Code("y", PLACES + 1, True),
    Code("z", PLACES + 1, True),
]
CORRELATION = np.array([[1, 0.8, 0.5], [0.8, 1, 0.6], [0.5, 0.6, 1]])


def normal_codes() -> torch.Tensor:
    """Three numbers of a normal distribution in bins of equal share, and a label that says whether x is high."""
    rng = np.random.default_rng(0)
    numbers = rng.multivariate_normal(np.zeros(3), CORRELATION, ROWS)
    places = 1 + np.argsort(np.argsort(numbers, axis=0), axis=0) * PLACES // ROWS
    label = np.where(numbers[:, 0] > 0, 1, rng.integers(2, 4, ROWS))
    return torch.from_numpy(np.column_stack([places[:, 0], label, places[:, 1:]]))


CODES = normal_codes()
FREQUENCIES = torch.cat([torch.bincount(CODES[:, i], minlength=code.cardinality) for i, code in enumerate(LAYOUT)])
FREQUENCIES = FREQUENCIES / ROWS


def fitted() -> Copula:
    copula = Copula(LAYOUT, FREQUENCIES)
    copula.fit(CODES)
    return copula


def known(*codes: int) -> torch.Tensor:
    return torch.tensor([i in codes for i in range(len(LAYOUT))])


def test_what_does_not_vary_has_no_feature():
    assert fitted().features.count == 3 + 2  # the scores of three numbers, and two of the three labels
    with_gaps = FREQUENCIES.clone()
    with_gaps[0] = 0.1
    assert Copula(LAYOUT, with_gaps).features.count == 3 + 1 + 2
    wide = [Code(str(i), 11, True) for i in range(copula_module.MOST_FEATURES + 100)]
    frequencies = torch.tensor([0.0, *[0.1] * 10] * len(wide))
    assert len(Copula(wide, frequencies).number_of) == copula_module.MOST_FEATURES


def test_where_nothing_is_known_nothing_is_gained():
    copula = fitted()
    nothing = known().expand(10, -1)
    assert copula.gains(copula.of_rows(CODES[:10], nothing)).abs().max() == 0


def test_slope_and_curvature_are_those_of_the_normal_regression():
    copula = fitted()
    rows = CODES[:100]
    slope, curvature = copula.of_rows(rows, known(0, 3).expand(100, -1))
    scores = copula.features.scores.numpy()
    x = np.column_stack([scores[rows[:, 0]], scores[rows[:, 3] + 2 * (PLACES + 1) + 4]])
    all_scores = [scores[CODES[:, i] + start] for i, start in ((0, 0), (3, 2 * PLACES + 6), (2, PLACES + 5))]
    covariance = np.cov(all_scores, bias=True)
    square = covariance[:2, :2] + (RIDGE + SHRINK * 2 / ROWS) * np.eye(2)
    weights = np.linalg.solve(square, covariance[:2, 2])
    left = 1 - covariance[:2, 2] @ weights
    np.testing.assert_allclose(slope[:, 1], x @ weights / left, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(curvature[:, 1], (1 / left - 1) / 2, rtol=1e-3)


def test_tilted_frequencies_are_the_conditional_distribution_of_a_normal_table():
    copula = fitted()
    rows = torch.zeros(1, 4, dtype=torch.long)
    rows[0, 0] = 45  # x between its 88 % and 90 % quantiles
    gains = copula.gains(copula.of_rows(rows, known(0)[None]))[0]
    part = slice(PLACES + 5, 2 * PLACES + 6)
    found = (FREQUENCIES[part].log() + gains[part]).softmax(0)[1:].numpy()
    edges = norm.ppf(np.linspace(0, 1, PLACES + 1))
    x = norm.ppf(0.89)
    expected = np.diff(norm.cdf(edges, 0.8 * x, np.sqrt(1 - 0.64)))
    assert np.abs(np.cumsum(found) - np.cumsum(expected)).max() < 0.02


def test_labels_and_missing_cells_tell_of_numbers_and_a_missing_score_of_nothing_else():
    copula = fitted()
    rows = torch.zeros(2, 4, dtype=torch.long)
    rows[0, 1], rows[1, 1] = 1, 2
    slope, _ = copula.of_rows(rows, known(1).expand(2, -1))
    assert slope[0, 0] > 0 > slope[1, 0]
    assert (copula.features.scores[[0, PLACES + 5, 2 * PLACES + 6]] == 0).all()


def test_rows_together_are_as_rows_one_by_one():
    copula = fitted()
    rng = torch.Generator().manual_seed(0)
    rows, masks = CODES[:40], torch.rand(40, 4, generator=rng) < 0.5
    together = copula.of_rows(rows, masks)
    for i in range(40):
        for all_rows, one in zip(together, copula.of_rows(rows[i : i + 1], masks[i : i + 1]), strict=True):
            torch.testing.assert_close(all_rows[i : i + 1], one, rtol=1e-3, atol=1e-3)


def test_a_table_of_very_many_columns_and_few_rows_has_a_copula_of_its_numbers():
    layout = [Code(str(i), 30, ordered=i % 2 == 0) for i in range(900)]
    copula = Copula(layout, torch.full((900 * 30,), 1 / 30))
    assert copula.features.count == 450 * 2  # scores and missing cells
    codes = torch.randint(30, (50, 900), generator=torch.Generator().manual_seed(0))
    copula.fit(codes)
    masks = torch.zeros(50, 900, dtype=torch.bool)
    masks[:, ::2] = True
    assert copula.gains(copula.of_rows(codes, masks)).isfinite().all()


def test_factors_say_what_pairs_say_where_few_causes_tie_all(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(4_000, 2))
    values = causes @ rng.normal(size=(2, 30)) + rng.normal(size=(4_000, 30))
    codes = torch.from_numpy(1 + np.argsort(np.argsort(values, axis=0), axis=0) * 20 // 4_000)
    codes[:, 20:] = 1 + codes[:, 20:] // 11  # two labels
    layout = [Code(str(i), 21 if i < 20 else 3, i < 20) for i in range(30)]
    counts = [torch.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(layout)]
    frequencies = torch.cat(counts) / len(codes)
    masks = torch.rand(16, 30, generator=torch.Generator().manual_seed(0)) < 0.5
    found = []
    for most in (400, 10):
        monkeypatch.setattr(copula_module, "MOST_PAIRED", most)
        copula = Copula(layout, frequencies)
        copula.fit(codes)
        found.append(copula.of_rows(codes[:400], masks))
    some = (~masks).repeat(25, 1)[:, :20]
    for by_pairs, by_factors in zip(*found, strict=True):
        assert np.corrcoef(by_pairs[some], by_factors[some])[0, 1] > 0.98
        assert (by_pairs - by_factors)[some].abs().mean() < 0.15 * by_pairs[some].abs().mean()


def test_an_untrained_generator_draws_related_numbers():
    generator = Generator(LAYOUT, FREQUENCIES, ModelConfig(width=16, blocks=1), torch.Generator().manual_seed(0))
    generator.copula.fit(CODES)
    sampler = Sampler(generator.requires_grad_(False), torch.zeros(4, 4), Exclusions({}, "cpu"), noisy=False)
    made = torch.cat(list(sampler.blocks(5_000, 4, seed=0)))
    found = np.corrcoef(made[:, [0, 2, 3]].T.numpy())
    real = np.corrcoef(CODES[:, [0, 2, 3]].T.numpy())
    assert np.abs(found - real).max() < 0.1  # without the copula 0.8


def test_masks_solved_one_by_one_say_what_they_say_together(monkeypatch: pytest.MonkeyPatch):
    copula = fitted()
    masks = torch.tensor([[a, b, c, d] for a in (0, 1) for b in (0, 1) for c in (0, 1) for d in (0, 1)]).bool()
    together = copula.solve(masks)
    monkeypatch.setattr(copula_module, "MANY_FEATURES", 0)
    one_by_one = copula.solve(masks)
    torch.testing.assert_close(one_by_one.weights, together.weights, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one_by_one.left, together.left, rtol=1e-4, atol=1e-5)
