"""The processes that train together: each works on a part of every batch, and all hold the same weights.

They start from the same weights, draw the same batches and random numbers by the same seeds, and add up their gradients
before each step of an optimizer. So the result is that of one process with the whole batch, to rounding. What a clock,
a judge or a file decides, the first process decides for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from tabgan.errors import ConfigError, ProcessError
from tabgan.model.losses import second_moments
from tabgan.model.part import Part
from tabgan.training.replay import Step

PATIENCE = timedelta(hours=1)
"""So long processes wait for one that is there and says nothing; one that ended is noticed at once."""

Told = TypeVar("Told")


class Group:
    """This process and those that train with it. Alone, every method does what one process does, and nothing else."""

    def __init__(self, rank: int = 0, size: int = 1, control: Any = None) -> None:
        """`rank`: from 0, the first, to `size` - 1; `control`: a process group of torch for what is no training."""
        self.rank, self.size, self._control = rank, size, control

    @classmethod
    def joined(cls) -> Group:
        """The processes of torch's default process group, which must be initialised; all of them have to call this."""
        return cls(dist.get_rank(), dist.get_world_size(), dist.new_group(backend="gloo", timeout=PATIENCE))

    def part(self, rows: int) -> Part:
        """What this process works on of a batch of `rows` rows."""
        return Part(rows, self.rank, self.size)

    def together(self, step: Step, part: Part) -> Step:
        """The step of the whole batch, of which `step` is that of `part`: gradients and figures are means over rows."""
        if self.size == 1:
            return step
        gradients = [gradient for gradient in step.gradients if gradient is not None]
        means = torch.stack(list(step.figures.values()))
        total = self._sum(torch.cat([*(gradient.flatten() for gradient in gradients), means]) * part.share)
        *sums, means = total.split([*(gradient.numel() for gradient in gradients), len(step.figures)])
        whole = iter(sums)
        return Step(
            [None if gradient is None else next(whole).view_as(gradient) for gradient in step.gradients],
            dict(zip(step.figures, means.clone(), strict=True)),
        )

    def second_moments(self, rows: Tensor) -> Tensor:
        """E[phi phi^T], `(values, values)`, over the `(rows, values)` of all processes; lets gradients pass."""
        if self.size == 1:
            return second_moments(rows)
        products = rows.T @ rows
        count = torch.full((1,), float(len(rows)), device=rows.device)
        total: Tensor = _Sum.apply(torch.cat([products.flatten(), count]), self)  # type: ignore[no-untyped-call]
        return (total[:-1] / total[-1]).view_as(products)

    def told(self, work: Callable[[], Told]) -> Told:
        """What `work` gives in the first process; the others wait for it and do none."""
        if self.size == 1:
            return work()
        found = [work() if self.rank == 0 else None]
        with all_there():
            dist.broadcast_object_list(found, src=0, group=self._control)
        return found[0]  # type: ignore[return-value]

    def told_number(self, work: Callable[[], float]) -> float:
        """As `told`, for a number; quicker, since it is asked at every step."""
        if self.size == 1:
            return work()
        number = torch.zeros(1, dtype=torch.float64)
        if self.rank == 0:
            number[0] = work()
        with all_there():
            dist.broadcast(number, src=0, group=self._control)
        return number.item()

    def take(self, tensors: Iterable[Tensor]) -> None:
        """Fill `tensors` with what they hold in the first process: others may have rounded differently."""
        if self.size > 1:
            for tensor in tensors:
                with all_there():
                    dist.broadcast(tensor, src=0)

    def check_alike(self, what: str) -> None:
        """Raise `ConfigError` in all processes where `what` of one is not that of the first."""
        others = torch.tensor([float(self.told(lambda: what) != what)])
        with all_there():
            dist.all_reduce(others, group=self._control)
        if others.item():
            raise ConfigError(
                f"{others.item():.0f} of the {self.size} processes have another table, seed or settings than the "
                "first; give all the same, or devices=1 to fit in each by itself."
            )

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.size > 1:
            with all_there():
                dist.barrier(self._control)

    def _sum(self, numbers: Tensor) -> Tensor:
        """`numbers`, which become the sum over all processes."""
        with all_there():
            dist.all_reduce(numbers)
        return numbers


ALONE = Group()


class _Sum(torch.autograd.Function):
    """The sum over all processes. What their losses, which are added up, say of it is added up on the way back."""

    @staticmethod
    def forward(context: Any, part: Tensor, group: Group) -> Tensor:
        context.group = group
        return group._sum(part.clone())

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return context.group._sum(gradients[0].clone()), None


@contextmanager
def all_there() -> Iterator[None]:
    """Raise `ProcessError` where another process does not take its part in what is done inside."""
    try:
        yield
    except RuntimeError:  # what torch raises where a process ended, or says nothing for too long
        raise ProcessError(
            "a process that trained with this one ended or cannot be reached, and so the fit ends; see what it said."
        ) from None
