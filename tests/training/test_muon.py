import copy

import pytest
import torch

from tabgan.training.muon import Muon, orthogonal


def test_the_singular_vectors_stay_and_the_singular_values_become_about_one():
    rng = torch.Generator().manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(5, 16, 16, generator=rng))[0] for _ in range(2))
    values = torch.logspace(0, -1.2, 16).expand(5, -1) * torch.tensor([1e-6, 1e-2, 1.0, 1e2, 1e6])[:, None]
    found = left.mT @ orthogonal(left @ torch.diag_embed(values) @ right.mT) @ right
    ones = found.diagonal(dim1=1, dim2=2)
    assert ((ones > 0.68) & (ones < 1.21)).all()
    torch.testing.assert_close(found, torch.diag_embed(ones), atol=1e-3, rtol=0)


def test_bfloat16_differs_by_its_rounding():
    matrices = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(1))
    rounded = orthogonal(matrices, torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - orthogonal(matrices)).norm() < 0.03 * rounded.norm()


def test_a_step_by_hand():
    # The gradient diag(3, 4) has norm 5. Iterated by hand, 0.6 -> 1.1933 -> 0.9119 -> 0.8011 and
    # 0.8 -> 0.9765 -> 0.7211 -> 1.0895. The momentum is a multiple of the gradient, and so is what looks ahead.
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    weight.grad = torch.diag(torch.tensor([3.0, 4.0]))
    Muon([weight], lr=0.1).step()
    torch.testing.assert_close(weight.detach(), -torch.diag(torch.tensor([0.08011, 0.10895])), atol=2e-5, rtol=0)


def test_a_gradient_of_zero_moves_nothing():
    weight = torch.nn.Parameter(torch.ones(2, 2))
    weight.grad = torch.zeros(2, 2)
    Muon([weight], lr=0.1).step()
    assert (weight == 1).all()


def test_gradients_between_moves_count():
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    optimizer = Muon([weight], lr=0.1, every=2)
    weight.grad = torch.diag(torch.tensor([3.0, 0.0]))
    optimizer.step()
    assert (weight == 0).all()
    weight.grad = torch.diag(torch.tensor([0.0, 4.0]))
    optimizer.step()
    assert weight[0, 0] < -0.03
    assert weight[1, 1] < -0.03


def test_the_state_is_whole():
    def steps(optimizer: Muon, weight: torch.nn.Parameter, seeds: range) -> None:
        for seed in seeds:
            weight.grad = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
            optimizer.step()

    one, other = (torch.nn.Parameter(torch.zeros(4, 4)) for _ in range(2))
    whole = Muon([one], lr=0.1, every=2)
    steps(whole, one, range(3))
    with torch.no_grad():
        other.copy_(one)
    resumed = Muon([other], lr=0.2, every=2)
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    steps(whole, one, range(3, 6))
    steps(resumed, other, range(3, 6))
    assert torch.equal(one, other)


def test_directions_of_small_gradients_are_learned_as_quickly():
    # |W A - B|^2 for an A that is 300 times as long in one direction as in another, turned: no rate a number helps.
    rng = torch.Generator().manual_seed(2)
    turn, target = torch.linalg.qr(torch.randn(20, 20, generator=rng))[0], torch.randn(20, 20, generator=rng)
    a = turn @ torch.diag(torch.logspace(0, -2.5, 20)) @ turn.T

    def distance(make) -> float:
        weight = torch.nn.Parameter(torch.zeros(20, 20))
        optimizer = make(weight)
        for step in range(200):
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("first", group["lr"]) * (1 - step / 200)
            optimizer.zero_grad()
            ((weight @ a - target @ a) ** 2).sum().backward()
            optimizer.step()
        return ((weight - target) ** 2).mean().item()

    by_muon = min(distance(lambda weight, lr=lr: Muon([weight], lr=lr)) for lr in (0.03, 0.1, 0.3))
    by_adam = min(distance(lambda weight, lr=lr: torch.optim.Adam([weight], lr=lr)) for lr in (0.01, 0.03, 0.1, 0.3))
    assert by_muon < 0.5 * by_adam
    assert by_muon == pytest.approx(0, abs=0.2)
