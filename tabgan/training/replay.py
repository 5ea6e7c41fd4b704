"""Steps of training on a GPU, recorded once and played again (CUDA graphs).

A step is some hundred small kernels, which Python takes ten times as long to launch as the GPU to run. On other
devices, and where several processes train together, every step is run as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Step(NamedTuple):
    """What a step gives: a gradient for each weight, None for one that it does not depend on, and figures."""

    gradients: list[Tensor | None]
    figures: dict[str, Tensor]


def gradients(loss: Tensor, weights: Iterable[Tensor], figures: Mapping[str, Tensor]) -> Step:
    """The step that `loss` asks for; `figures` come back without their gradients."""
    found = torch.autograd.grad(loss, list(weights), allow_unused=True)
    return Step(list(found), {name: figure.detach() for name, figure in figures.items()})


def descend(weights: Iterable[Tensor], step: Step, *optimizers: torch.optim.Optimizer) -> None:
    """Move the weights, each of which one of `optimizers` has."""
    for weight, gradient in zip(weights, step.gradients, strict=True):
        weight.grad = gradient
    for optimizer in optimizers:
        optimizer.step()


class Replay:
    """Runs the steps of one stage.

    Work that is recorded reads and writes the same memory each time it is played. So it must not look at a number on
    the GPU, and what it reads must stay where it is: weights that change in place, the rows, constants.
    """

    def __init__(self, rng: torch.Generator, *, alone: bool) -> None:
        """`rng`: where the steps take their random numbers; `alone`: whether no other process takes part."""
        self._rng = rng
        self._records = alone and rng.device.type == "cuda"
        self._ran: set[Hashable] = set()
        self._recorded: dict[Hashable, tuple[torch.cuda.CUDAGraph, Step]] = {}

    def __call__(self, key: Hashable, work: Callable[[], Step]) -> Step:
        """What `work` gives; for equal keys it must do the same but for what it reads. Gradients stand until the next
        call."""
        if not self._records:
            return work()
        if key not in self._ran:  # the first time libraries and the work itself prepare what they keep
            self._ran.add(key)
            return work()
        if key not in self._recorded:
            self._recorded[key] = self._record(work)
        graph, step = self._recorded[key]
        graph.replay()
        return Step(step.gradients, {name: figure.clone() for name, figure in step.figures.items()})

    def _record(self, work: Callable[[], Step]) -> tuple[torch.cuda.CUDAGraph, Step]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._rng)
        # Recordings share memory: what one gives is used up, or copied, before another is played.
        pool = next((other.pool() for other, _ in self._recorded.values()), None)
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            step = work()
        return graph, step
