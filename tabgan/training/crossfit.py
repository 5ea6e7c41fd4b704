"""The warm-up of a small table: networks that each lack another part of the rows teach one.

A network learns a small table by heart long before it has learned what its rows have in common. Networks of different
parts err in different ways, and their mean is better than any of them; one network that is taught what they predict,
instead of the rows, is as good as the mean (Hinton et al. 2015, "Distilling the knowledge in a neural network",
section 2). What it is taught of a row it is taught by the network that lacks this row (Tang et al. 2022, "Mitigating
membership inference attacks by self-distillation", section 4), so that it leans on what other rows told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from tabgan.config import TrainConfig
from tabgan.model.copula import in_turn
from tabgan.model.generator import Generator
from tabgan.model.losses import masked_losses, taught_cross_entropies
from tabgan.model.part import Part
from tabgan.sampling.rng import generator as keyed
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.history import History
from tabgan.training.parallel import Group
from tabgan.training.schedule import STUDENT_SHARE
from tabgan.training.warmup import WarmUp


class Student(WarmUp):
    """Trains a generator on what its teachers predict of rows that they lack. It learns less by heart from these than
    from the rows, and so runs to the end of its steps; its held-out loss is against the teachers, too."""

    def __init__(
        self,
        generator: Generator,
        folds: Sequence[Rows],
        teachers: Sequence[Generator],
        config: TrainConfig,
        history: History,
        rng: torch.Generator,
        group: Group,
    ) -> None:
        """`teachers`: one for each of `folds`, whose held-out rows it has not seen."""
        super().__init__(generator, folds[0], config, history, rng, group)
        self.folds, self.teachers = folds, teachers

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """The masked loss of the averaged weights against the teachers, on rows that these have not seen."""
        losses = [
            taught_losses(self.average.network, teacher, fold.held_out, self._looks_know)
            for fold, teacher in zip(self.folds, self.teachers, strict=True)
        ]
        return torch.cat(losses).mean().item()

    def _kind(self, step: int) -> int:
        return step % len(self.folds)

    def _batch_loss(self, part: Part, kind: int) -> Tensor:
        real = self.folds[kind].draw_held_out(part.rows, self.rng)
        known = self._masks(*real.shape)
        return taught_losses(self.generator, self.teachers[kind], part.of(real), part.masks(known)).mean()


def taught_losses(student: Generator, teacher: Generator, real: Tensor, known: Tensor) -> Tensor:
    """The masked loss of each row, `(rows,)`, against what the teacher predicts of codes of `real`, `(rows, codes)`,
    that are not `known`, `(masks, codes)`."""
    with torch.no_grad():
        taught = teacher(real, known)
    entropies = taught_cross_entropies(student(real, known), taught, student.layout)
    return masked_losses(entropies, ~in_turn(known, len(real)))


def cross_fitted(
    student: Generator,
    teachers: Sequence[Generator],
    folds: Sequence[Rows],
    config: TrainConfig,
    student_rate: float,
    history: History,
    checkpoint: Checkpoint,
    seed: int,
    group: Group,
    time_share: float,
) -> Generator:
    """Train the networks `teachers`, each on one of `folds`, and then `student`; returns the average of the latter.

    `config`: the settings of a warm-up of all rows; `student_rate`: the learning rate of the student, which needs none
    that is lower for a small table; `time_share`: the share of the time limit at which to be done."""
    device, start = folds[0].device, group.told_number(lambda: history.spent)
    taught = []
    for i, (teacher, fold) in enumerate(zip(teachers, folds, strict=True)):
        teacher.copula.fit(fold.train)
        group.take(teacher.state_dict().values())
        stage = f"teacher {i + 1}"
        warm_up = WarmUp(teacher, fold, config, history, keyed("teacher", seed, i, device=device), group, stage)
        until = start + (time_share - start) * (i + 1) / (len(folds) + STUDENT_SHARE)
        taught.append(checkpoint.once(stage, teacher, partial(warm_up.run, until, checkpoint)))
    config = replace(config, learning_rate=student_rate)
    last = Student(student, folds, taught, config, history, keyed("warm-up", seed, device=device), group)
    return checkpoint.once("warm-up", student, lambda: last.run(time_share, checkpoint))
