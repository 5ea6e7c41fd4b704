"""What happens when training meets numbers that are not finite: the last healthy state comes back, at half the rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from tabgan.errors import DivergenceError
from tabgan.training.history import History

MOST_RESTORES = 5
"""After so many restores training is given up: at a thirtieth of the rate the data or the settings are at fault."""


class Stateful(Protocol):
    """A network, an optimizer or what else changes in training."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


class Recovery:
    """Keeps snapshots of networks and optimizers, and goes back to the last one when `check` finds them ill."""

    def __init__(self, stage: str, parts: Sequence[Stateful], history: History) -> None:
        """`parts`: all that training changes; `stage` is what the history calls it."""
        self._stage, self._parts, self._history = stage, parts, history
        self._restores = 0
        self._keep()

    @property
    def rate_share(self) -> float:
        """The share of the learning rate that is left: half for each restore."""
        return 0.5**self._restores

    def check(self, step: int, *figures: float) -> bool:
        """Keep the state if every weight and each of `figures` (losses) is finite and return True; else restore the
        last one and return False."""
        networks = [part for part in self._parts if isinstance(part, torch.nn.Module)]
        weights = (weight for network in networks for weight in network.parameters())
        if all(map(math.isfinite, figures)) and all(bool(weight.isfinite().all()) for weight in weights):
            self._keep()
            return True
        self._restores += 1
        if self._restores > MOST_RESTORES:
            raise DivergenceError(
                f"training in the {self._stage} met numbers that are not finite {self._restores} times; "
                "look for extreme values in the table, or set a lower learning_rate."
            )
        for part, state in zip(self._parts, self._kept, strict=True):
            part.load_state_dict(_copied(state))
        self._history.record(self._stage, step, restored=self._restores, rate_share=self.rate_share)
        return False

    def state_dict(self) -> dict[str, Any]:
        """The last healthy state and how often it came back."""
        return {"restores": self._restores, "kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        self._restores, self._kept = state["restores"], state["kept"]

    def _keep(self) -> None:
        self._kept = [_copied(part.state_dict()) for part in self._parts]


def _copied(state: Any) -> Any:
    """A state whose tensors are copies; a few times as fast as `copy.deepcopy`, which every look would wait for."""
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {key: _copied(part) for key, part in state.items()}
    return [_copied(part) for part in state] if isinstance(state, list) else state
