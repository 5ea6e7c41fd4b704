"""The stages of a fit, one after the other: warm-up, game, choice of the rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.config import ModelConfig, TrainConfig
from tabgan.device import fastest_precision
from tabgan.encoding.base import Code
from tabgan.errors import ConfigError
from tabgan.model.cooccurrence import Pooling, cooccurrence, mutual_information
from tabgan.model.copula import of_first_formats
from tabgan.model.critic import Critic
from tabgan.model.generator import Generator
from tabgan.model.ratio import DensityRatio
from tabgan.sampling.chosen import ChoosingSampler
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.sampler import Sampler
from tabgan.training.batches import Rows
from tabgan.training.calibrate import calibrate
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.choose import choose_rounds
from tabgan.training.crossfit import cross_fitted
from tabgan.training.game import Game
from tabgan.training.history import History
from tabgan.training.parallel import ALONE, Group
from tabgan.training.ratio import learn_ratio
from tabgan.training.schedule import affordable_on, folds_of, schedule
from tabgan.training.warmup import WarmUp

POOLED, ALL_POOLED, LEAST_POOLED = 32, 4_000, 3
"""Values of a code, and about of all codes, at most in the co-occurrence table; of a code never fewer than the last."""
WARMUP_SHARE, GAME_SHARE = 0.45, 0.65
"""The shares of the time left, where there is a limit, that the warm-up and then the game may take."""

STATISTICS_ROWS, LEAST_STATISTICS = 1_000_000, 10_000
"""Rows from which the copula and the co-occurrence table are worked out, at most."""
MOST_PRODUCTS = 5e11
"""Multiplications for the co-occurrence table, at most, if that leaves `LEAST_STATISTICS` rows."""

FEW_ROWS = 200
"""Of fewer rows than this no distance between distributions can be judged: no game, and a round a code."""

MOST_ROUNDS = 64
"""More rounds than this are not tried: codes that tell of each other are far apart by then."""


@dataclass
class Networks:
    """Two small sets of weights and what sampling needs beside them."""

    conditional: Generator
    """After the warm-up: right for any subset of the row, and for many rounds."""
    joint: Generator | None
    """After the game: for whole rows in few rounds."""
    information: Tensor
    """Mutual information of the codes, `(codes, codes)`."""
    exclusions: Exclusions
    """Values that never go together."""
    game_rounds: int
    rounds: int
    """The default."""
    offsets: Tensor | None = None
    """Added to the logits of whole rows of the default number of rounds, `(total,)`: calibrates their marginals."""
    ratio: DensityRatio | None = None
    """By which rows of the default number of rounds are chosen among candidates."""

    def sampler(self, rounds: int) -> Sampler | ChoosingSampler:
        """The sampler for `rounds` rounds."""
        drawing, ratio = self.drawing(rounds), self.ratio_of(rounds)
        return drawing if ratio is None else ChoosingSampler(drawing, ratio)

    def ratio_of(self, rounds: int) -> DensityRatio | None:
        """By which rows of `rounds` rounds are chosen; None where they are taken as they come."""
        return self.ratio if rounds == self.rounds else None

    def drawing(self, rounds: int) -> Sampler:
        """The sampler for `rounds` rounds of rows that are taken as they come: few rounds are what the game is for."""
        offsets = self.offsets if rounds == self.rounds else None
        if self.joint is not None and rounds <= self.game_rounds:
            return Sampler(self.joint, self.information, self.exclusions, noisy=True, offsets=offsets)
        return Sampler(self.conditional, self.information, self.exclusions, noisy=False, offsets=offsets)

    def tensors(self) -> dict[str, Tensor]:
        """All weights by name."""
        found = {"information": self.information}
        found |= {} if self.offsets is None else {"offsets": self.offsets}
        found |= {f"impossible.{a}.{b}": never for (a, b), never in self.exclusions.impossible.items()}
        for name, network in (("conditional", self.conditional), ("joint", self.joint)):
            if network is not None:
                found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        if self.ratio is not None:
            found |= {f"ratio.{key}": value for key, value in self.ratio.tensors().items()}
        return {name: tensor.cpu().contiguous() for name, tensor in found.items()}

    @classmethod
    def restore(
        cls,
        tensors: dict[str, Tensor],
        codes: Sequence[Code],
        model: ModelConfig,
        train: TrainConfig,
        rounds: int,
        device: str,
    ) -> Networks:
        """Undo `tensors`. Raises `ValueError`, `LookupError` or `RuntimeError` for tensors that do not fit `codes`."""
        if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            raise ValueError("weights that are not finite")
        if type(rounds) is not int or not 1 <= rounds <= max(1, len(codes)):
            raise ValueError("rounds")
        names = ("conditional", "joint", "impossible", "information", "offsets", "ratio")
        parts: dict[str, dict[str, Tensor]] = {name: {} for name in names}
        for key, tensor in tensors.items():
            part, _, rest = key.partition(".")
            parts[part][rest] = tensor
        networks = {
            name: _restored(parts[name], codes, model).to(device) for name in ("conditional", "joint") if parts[name]
        }
        information = parts["information"][""]
        if information.shape != (len(codes), len(codes)) or not information.is_floating_point():
            raise ValueError("information")
        offsets = parts["offsets"].get("")
        if offsets is not None and (
            offsets.shape != networks["conditional"].bias.shape or not offsets.is_floating_point()
        ):
            raise ValueError("offsets")
        impossible = {}
        for name, never in parts["impossible"].items():
            a, b = map(int, name.split("."))
            if never.shape != (codes[a].cardinality, codes[b].cardinality) or never.dtype != torch.bool:
                raise ValueError("impossible")
            impossible[a, b] = never
        return cls(
            networks["conditional"],
            networks.get("joint"),
            information,
            Exclusions(impossible, device),
            train.game_rounds,
            rounds,
            None if offsets is None else offsets.to(device),
            DensityRatio.restore(parts["ratio"], codes, device) if parts["ratio"] else None,
        )


def _restored(state: dict[str, Tensor], codes: Sequence[Code], model: ModelConfig) -> Generator:
    """The generator with the weights `state`. What says how large it is must fit these, before it takes memory."""
    total = sum(code.cardinality for code in codes)
    blocks = sum(name.startswith("blocks.") and name.endswith(".norm.weight") for name in state)
    if state["bias"].shape != (total,) or state["from_noise"].shape != (model.noise, model.width):
        raise ValueError("shapes")
    if blocks != model.blocks:
        raise ValueError("shapes")
    state = {"frequencies": torch.ones(total), **state}  # files of format 1 lack them, and have features of all values
    if state["frequencies"].shape != (total,):
        raise ValueError("shapes")
    copula = of_first_formats(codes, state) if "copula.features" in state else None
    network = Generator(codes, state["frequencies"], model, keyed("restore"), copula)
    untied = {name: tensor for name, tensor in network.state_dict().items() if name.startswith("ties.")}
    state = untied | state  # files before format 4 lack them: their rounds were not tied
    if any(tensor.dtype != state[name].dtype for name, tensor in network.state_dict().items()):
        raise ValueError("types")
    network.load_state_dict(state)
    return network.requires_grad_(False)


def train(
    codes: Tensor,
    layout: Sequence[Code],
    impossible: Mapping[tuple[int, int], np.ndarray],
    model: ModelConfig,
    config: TrainConfig,
    history: History,
    checkpoint: Checkpoint,
    seed: int,
    device: str,
    group: Group = ALONE,
) -> Networks:
    """Learn `(rows, codes)` whole numbers, whose columns `layout` describes; `impossible` as in `Dependencies`.

    A fit that was interrupted goes on from `checkpoint`, whose records `history` has. All processes of `group` call
    this with the same arguments and end with the same networks and records. History, checkpoint and device may differ:
    time limit, listener and checkpoint of the first process count, and the others need none."""
    if group.size > 1:
        group.check_alike(_digest(codes, layout, model, config, seed))
        checkpoint.join(group)
        history.records = group.told(lambda: history.records)
    exclusions = Exclusions({pair: torch.from_numpy(never) for pair, never in impossible.items()}, device)
    counts = [torch.bincount(codes[:, i].long(), minlength=code.cardinality) for i, code in enumerate(layout)]
    frequencies = torch.cat([*counts, torch.zeros(0)]) / len(codes)

    def new(*use: int | str) -> Generator:
        made = Generator(layout, frequencies, model, keyed(*use)).to(device)
        return made.multiply_in(fastest_precision(device))

    generator = new("generator", seed)
    if not layout:  # nothing but keys and constants
        return Networks(generator, None, torch.zeros(0, 0), exclusions, config.game_rounds, 1)

    holdout = max(1, min(round(len(codes) * config.holdout_share), config.holdout_rows))
    rows = Rows.split(codes, holdout, device, keyed("split", seed))
    some = rows.train[:STATISTICS_ROWS]  # they are in random order
    generator.start_from(some)
    unscheduled = group.told(lambda: affordable_on(device, config))  # other processes may have other CPUs
    config = schedule(unscheduled, len(rows.train), layout)
    if group.size > min(config.batch_rows, config.game_batch_rows):
        raise ConfigError(
            f"devices is {group.size}, and of this table a batch has {min(config.batch_rows, config.game_batch_rows)} "
            "row(s); use fewer devices."
        )
    pooling = Pooling(layout, frequencies, max(LEAST_POOLED, min(POOLED, ALL_POOLED // len(layout))), device)
    some = some[: max(LEAST_STATISTICS, int(MOST_PRODUCTS / pooling.layout.total**2))]
    target = cooccurrence(some, pooling)
    information = mutual_information(target, pooling.layout, len(some))
    group.take([*generator.state_dict().values(), target, information])
    information = information.cpu()

    most = min(len(layout), MOST_ROUNDS)
    until = group.told(lambda: history.until(WARMUP_SHARE))
    folds = folds_of(unscheduled, len(codes), layout, group.told(lambda: history.left(until)))
    if folds == 1:
        warm_up = WarmUp(generator, rows, config, history, keyed("warm-up", seed, device=device), group)
        conditional = checkpoint.once("warm-up", generator, lambda: warm_up.run(until, checkpoint))
    else:
        teachers = [new("teacher", seed, i) for i in range(folds)]
        rate = unscheduled.learning_rate
        conditional = cross_fitted(
            generator, teachers, rows.folds(folds), config, rate, history, checkpoint, seed, group, until
        )
    networks = Networks(conditional, None, information, exclusions, config.game_rounds, most)
    if len(codes) < FEW_ROWS or len(layout) < 2:
        return networks
    if config.game_steps:
        critic = Critic(layout, model, keyed("critic", seed)).to(device)
        group.take(critic.state_dict().values())
        rng = keyed("game", seed, device=device)
        game = Game(
            conditional, critic, rows, layout, information, exclusions, pooling, target, config, history, rng, group
        )
        until = group.told(lambda: history.until(GAME_SHARE))
        joint = checkpoint.once("game", conditional, lambda: game.run(until, checkpoint))
        if any(not torch.equal(*pair) for pair in zip(joint.parameters(), conditional.parameters(), strict=True)):
            networks.joint = joint  # otherwise the game gave no better rows than rounds that are tied

    def settle() -> tuple[int, Tensor | None, dict[str, Tensor], list[dict[str, Any]]]:
        """How rows are drawn by default: in how many rounds, with which offsets, and chosen by which ratio."""
        few, c2st = 0 if networks.joint is None else config.game_rounds, None
        if config.rounds is None:
            chosen = choose_rounds(few, most, networks.drawing, rows, layout, seed, history, checkpoint)
            networks.rounds, c2st = chosen or (most, None)
        else:
            networks.rounds = min(config.rounds, len(layout))
        rounds = networks.rounds
        networks.offsets = offsets = calibrate(networks.drawing(rounds), rounds, len(codes), seed, history)
        ratio = None
        if c2st is not None:
            ratio = learn_ratio(networks.drawing(rounds), rounds, c2st, rows, layout, seed, history)
        tensors = {} if ratio is None else {name: tensor.cpu() for name, tensor in ratio.tensors().items()}
        return rounds, None if offsets is None else offsets.cpu(), tensors, history.records

    networks.rounds, offsets, tensors, history.records = group.told(settle)
    networks.offsets = None if offsets is None else offsets.to(device)
    networks.ratio = DensityRatio.restore(tensors, layout, device) if tensors else None
    return networks


def _digest(codes: Tensor, layout: Sequence[Code], model: ModelConfig, config: TrainConfig, seed: int) -> str:
    """A hash of what processes that train together must have alike."""
    found = hashlib.sha256(codes.cpu().contiguous().numpy().tobytes())
    found.update(repr((codes.shape, list(layout), model, config, seed)).encode())
    return found.hexdigest()
