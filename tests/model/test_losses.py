import math

import pytest
import torch

from tabgan.model.embedding import Layout
from tabgan.model.losses import (
    cooccurrence_loss,
    cross_entropies,
    gradient_penalty,
    masked_loss,
    taught_cross_entropies,
)


def test_a_linear_critic_of_slope_3_has_penalty_4():
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.zeros(5, 2), torch.ones(5, 2)
    slope = torch.tensor([3.0, 0.0])
    assert gradient_penalty(lambda rows: rows @ slope, real, fake, rng).item() == pytest.approx(4.0)


def test_the_penalty_is_taken_between_real_and_fake_rows():
    # The critic x^2 / 2 has slope x; between 2 and 4 that is 2 to 4, so its penalty lies between 1 and 9.
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.full((1000, 1), 2.0), torch.full((1000, 1), 4.0)
    penalty = gradient_penalty(lambda rows: (rows**2 / 2).sum(dim=1), real, fake, rng).item()
    # E[(x - 1)^2] for x uniform on [2, 4] is (27 - 1) / 6
    assert penalty == pytest.approx(26 / 6, abs=0.2)


def test_the_penalty_reaches_the_critic_by_its_second_derivative():
    weight = torch.tensor([3.0], requires_grad=True)
    rng = torch.Generator().manual_seed(0)
    gradient_penalty(lambda rows: rows @ weight, torch.zeros(4, 1), torch.ones(4, 1), rng).backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(2 * (3 - 1))


def test_cross_entropies_are_minus_log_probabilities_code_by_code():
    layout = Layout([2, 3])
    logits = torch.tensor([[0.0, math.log(3), 0.0, 0.0, math.log(2)]])
    found = cross_entropies(logits, torch.tensor([[1, 2]]), layout)
    assert found[0].tolist() == pytest.approx([-math.log(3 / 4), -math.log(2 / 4)])


def test_gradients_of_cross_entropies_are_those_of_torch_even_where_a_value_is_impossible():
    rng = torch.Generator().manual_seed(0)
    sizes, codes = [2, 5, 3], torch.tensor([[0, 4, 1], [1, 0, 2]])
    logits = torch.randn(2, 10, generator=rng) * 3
    logits[0, 3], logits[1, 9] = -1e4, 90.0
    logits.requires_grad_()
    weights = torch.rand(2, 3, generator=rng)
    (cross_entropies(logits, codes, Layout(sizes)) * weights).sum().backward()
    again = logits.detach().requires_grad_()
    heads = zip(again.split(sizes, dim=1), codes.T, strict=True)
    own = torch.stack([torch.nn.functional.cross_entropy(head, code, reduction="none") for head, code in heads], dim=1)
    (own * weights).sum().backward()
    torch.testing.assert_close(logits.grad, again.grad)


def test_what_is_taught_weighs_the_log_probabilities_of_all_values():
    logits = torch.tensor([[0.0, math.log(3), 0.0, 0.0, math.log(2)]])
    taught = torch.tensor([[0.0, 0.0, -1e4, math.log(4), 0.0]])
    found = taught_cross_entropies(logits, taught, Layout([2, 3]))
    one = -(math.log(1 / 4) + math.log(3 / 4)) / 2
    assert found[0].tolist() == pytest.approx([one, -(4 / 5 * math.log(1 / 4) + 1 / 5 * math.log(2 / 4))])


def test_gradients_of_what_is_taught_are_those_of_torch():
    rng = torch.Generator().manual_seed(0)
    sizes = [2, 5, 3]
    logits, taught = torch.randn(2, 4, 10, generator=rng).mul(3)
    logits[0, 3] = taught[0, 3] = -1e4
    weights = torch.rand(4, 3, generator=rng)
    logits.requires_grad_()
    (taught_cross_entropies(logits, taught, Layout(sizes)) * weights).sum().backward()
    again = logits.detach().requires_grad_()
    heads = zip(again.split(sizes, dim=1), taught.split(sizes, dim=1), strict=True)
    own = [torch.nn.functional.cross_entropy(head, other.softmax(1), reduction="none") for head, other in heads]
    (torch.stack(own, dim=1) * weights).sum().backward()
    torch.testing.assert_close(logits.grad, again.grad)


def test_the_masked_loss_is_the_mean_over_rows_of_the_mean_over_hidden_codes():
    entropies = torch.tensor([[1.0, 3.0, 100.0], [5.0, 100.0, 100.0]])
    hidden = torch.tensor([[True, True, False], [True, False, False]])
    assert masked_loss(entropies, hidden).item() == pytest.approx((2 + 5) / 2)


def test_the_cooccurrence_loss_of_a_perfect_batch_is_zero_and_of_a_wrong_one_is_not():
    rows = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1]])
    target = rows.T @ rows / 2
    assert cooccurrence_loss(rows, rows, target, 2).item() == pytest.approx(0, abs=1e-6)
    shuffled = torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 0]])  # right marginals, wrong pairs
    assert cooccurrence_loss(shuffled, shuffled, target, 2).item() == pytest.approx(8 * 0.5**2 / 0.5**2 / 4)


def test_the_cooccurrence_loss_has_no_bias_from_small_batches():
    rng = torch.Generator().manual_seed(0)
    draws = torch.nn.functional.one_hot(torch.randint(2, (20_000, 2), generator=rng), 2).float().flatten(1)
    target = torch.tensor([[0.5, 0, 0.25, 0.25], [0, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0], [0.25, 0.25, 0, 0.5]])
    pairs = draws.view(-1, 2, 10, 4)
    losses = torch.tensor([cooccurrence_loss(one, other, target, 2) for one, other in pairs])
    squares = torch.tensor([cooccurrence_loss(one, one, target, 2) for one, _ in pairs])
    assert abs(losses.mean().item()) < 4 * losses.std().item() / len(losses) ** 0.5
    assert squares.mean().item() > 0.05  # what the square of one batch's error would have added
