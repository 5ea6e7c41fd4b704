"""Rows drawn from a network, weighed so that they agree with noisy counts: raking (Deming and Stephan 1940).

The weights are as even as they can be (their divergence from even ones is least) for how well they fit, where the
counts are worth what their noise leaves of them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.private.looks import shared_out
from tabgan.private.pairs import Pairs

EVENNESS = 1e4
"""What an even weight is worth against the counts."""
STEPS, RATE = 120, 0.05


def raked(rows: Tensor, count: int, pairs: Pairs, look_noise: float) -> Tensor:
    """`(count, codes)` of `(rows, codes)` int64, which are more, so that all pairs are about as often as in `pairs`; on
    the CPU.

    `look_noise`: the standard deviation of the noise on the counts that single codes come from."""
    phi = pairs.pooling.one_hot(rows)
    weights = torch.zeros(len(rows), requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=RATE)
    for _ in range(STEPS):
        shares = torch.softmax(weights, dim=0)
        found = phi.T @ (phi * shares[:, None])
        off = (found - pairs.table).square() * pairs.rows**2
        misfit = (off * pairs.is_pair).sum() / (2 * pairs.noise**2) + off.diagonal().sum() / (2 * look_noise**2)
        uneven = (shares * (shares * len(rows)).clamp(min=1e-12).log()).sum()
        optimizer.zero_grad()
        (misfit + EVENNESS * uneven).backward()
        optimizer.step()
    shares = torch.softmax(weights.detach(), dim=0).double()
    return rows[torch.from_numpy(shared_out(shares.numpy(), count))]
