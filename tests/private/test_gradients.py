"""Norms of single rows' gradients and their clipped sum, against gradients that autograd works out row by row."""

from __future__ import annotations

import pytest
import torch

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.generator import Generator
from tabgan.private.gradients import add_clipped, row_losses, traced
from tabgan.sampling.rng import generator as keyed
from tabgan.training.warmup import random_masks

CODES = [Code("a", 5, False), Code("b", 30, True), Code("c", 9, True), Code("d", 3, False)]
ROWS = 37


@pytest.fixture
def network() -> Generator:
    rng = keyed("network")
    frequencies = torch.rand(sum(code.cardinality for code in CODES), generator=rng)
    found = Generator(CODES, frequencies, ModelConfig(width=16, blocks=2), rng)
    with torch.no_grad():  # no weight is zero
        for weight in found.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=rng)
    return found


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = keyed("batch")
    rows = torch.stack([torch.randint(code.cardinality, (ROWS,), generator=rng) for code in CODES], dim=1)
    return rows, random_masks(ROWS, len(CODES), 0.1, rng, "cpu", masks=ROWS)


def _alone(network, rows, known):
    """The gradients of each row by itself."""
    for i in range(len(rows)):
        network.zero_grad()
        logits = network(rows[i : i + 1], known[i : i + 1])
        row_losses(logits, rows[i : i + 1], known[i : i + 1], network).sum().backward()
        yield [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in network.parameters()]


def test_the_traced_network_has_the_losses_of_the_network(network, batch):
    # The copula, which was not fitted, moves the logits of known codes alone: they count for nothing.
    logits, _ = traced(network, *batch)
    torch.testing.assert_close(row_losses(logits, *batch, network), row_losses(network(*batch), *batch, network))


@pytest.mark.parametrize("clip", [0.05, 2.0, 1e6])
def test_the_clipped_sum_is_that_of_the_rows_gradients_one_by_one(network, batch, clip):
    wanted, norms = [torch.zeros_like(w) for w in network.parameters()], []
    for gradients in _alone(network, *batch):
        norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
        norms.append(norm)
        for total, gradient in zip(wanted, gradients, strict=True):
            total += gradient * min(1.0, clip / float(norm))
    network.zero_grad()
    torch.testing.assert_close(add_clipped(network, *batch, clip), torch.stack(norms))
    for weight, total in zip(network.parameters(), wanted, strict=True):
        torch.testing.assert_close(torch.zeros_like(total) if weight.grad is None else weight.grad, total)


def test_one_row_moves_the_sum_by_no_more_than_the_clip(network, batch):
    rows, known = batch
    sums = []
    for some in (slice(0, ROWS), slice(1, ROWS)):
        network.zero_grad()
        add_clipped(network, rows[some], known[some], 0.5)
        sums.append(torch.cat([w.grad.flatten() for w in network.parameters() if w.grad is not None]))
    assert (sums[0] - sums[1]).norm() <= 0.5 * (1 + 1e-4)
