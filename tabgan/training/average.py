"""The exponential moving average of a network's weights: it is what samples."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """Holds `network`, an averaged copy; its half-life is counted in rows, whatever the batch size."""

    def __init__(self, network: Network, half_life_rows: int) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._half_life_rows = half_life_rows
        self._rows = 0
        self.keep()

    @torch.no_grad()
    def update(self, network: Network, rows: int) -> None:
        """Move towards `network`, which has just seen `rows` rows. Early on the half-life is a tenth of all seen."""
        self._rows += rows
        half_life = min(self._half_life_rows, max(self._rows / 10, 1))
        share = 1 - 0.5 ** (rows / half_life)
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), share)  # all in one launch

    def keep(self) -> None:
        """Remember the weights as they are now, instead of those before."""
        self._kept: list[Tensor] = [weight.clone() for weight in self.network.parameters()]

    @torch.no_grad()
    def kept(self) -> Network:
        """The averaged network with the weights that were kept last."""
        for weight, kept in zip(self.network.parameters(), self._kept, strict=True):
            weight.copy_(kept)
        return self.network

    def state_dict(self) -> dict[str, Any]:
        """The averaged weights, how many rows they have seen, and the weights that were kept."""
        return {"network": self.network.state_dict(), "rows": self._rows, "kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        self.network.load_state_dict(state["network"])
        self._rows, self._kept = state["rows"], state["kept"]
