"""The processes of a fit: one, several that are started on this machine, or those that torchrun has started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing

from tabgan.device import one_thread
from tabgan.errors import ConfigError, ProcessError, TabganError
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.fit import Networks
from tabgan.training.history import History
from tabgan.training.parallel import ALONE, Group, all_there

OF_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells its processes in their environment."""
LAST_WORDS = 5.0
"""Seconds that are waited for the other processes to end, to know which one ended first and why."""

Work = Callable[..., Networks]
"""`train`, which lacks nothing but `history`, `checkpoint`, `device` and `group`."""


@dataclass(frozen=True)
class Processes:
    """How many processes a fit has, whether others have started them, and on which device this one works."""

    size: int
    joined: bool
    device: str

    @classmethod
    def planned(cls, devices: int | None, device: str) -> Processes:
        """For `devices` as in `Synthesizer`, and a device that is there. Raises `ConfigError` for too many."""
        launched = _launched()
        if devices is not None and devices < 1:
            raise ConfigError(f"devices is {devices}; use 1 or more.")
        if devices == 1 or (devices is None and launched == 1):
            return cls(1, False, device)
        if devices is not None and launched not in (1, devices):
            raise ConfigError(
                f"devices is {devices}, and torchrun has started {launched} processes; leave out devices."
            )
        size = max(launched, devices or 1)
        if not dist.is_available():
            raise ConfigError(f"devices is {size}, and this torch cannot join processes; use devices=1.")
        kind, _, number = device.partition(":")
        if number or kind not in ("cpu", "cuda"):
            raise ConfigError(f"devices is {size}, and device is {device!r}; use cpu, or cuda without a number.")
        if kind == "cpu":
            return cls(size, launched > 1, kind)
        here = int(os.environ.get("LOCAL_RANK", "0")) if launched > 1 else 0
        needed = here + 1 if launched > 1 else size
        if needed > torch.cuda.device_count():
            raise ConfigError(
                f"devices is {size}, and there are {torch.cuda.device_count()} CUDA devices here; use fewer, or "
                "device='cpu'."
            )
        return cls(size, launched > 1, f"cuda:{here}")

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and tells."""
        if not self.joined:
            return True
        return (dist.get_rank() if dist.is_initialized() else int(os.environ["RANK"])) == 0

    @contextmanager
    def together(self, work: Work) -> Iterator[Group]:
        """The group in which to do `work`, which processes that are started for it do as well.

        Raises `ProcessError` where one of them ends before its time."""
        if self.size == 1:
            yield ALONE
        elif self.joined:
            with _joined(self.device) as group:
                yield group
        else:
            with _started(self.size, self.device, work) as group:
                yield group


def _launched() -> int:
    """How many processes torchrun, or what else sets its variables, has started together with this one; 1 if none."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_world_size()
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in OF_TORCHRUN) else 1


@contextmanager
def _joined(device: str, **how: Any) -> Iterator[Group]:
    """The processes that find each other by `how`, or by their environment; they part at the end.

    A group that is initialised already is taken, and left as it is."""
    ours = not dist.is_initialized()
    if ours:
        with all_there():
            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", **how)
    try:
        group = Group.joined()
        # The first process decides when to stop: the others end when it does.
        with _ignored(signal.SIGINT, signal.SIGTERM) if group.rank else nullcontext():
            yield group
            group.wait()
    finally:
        if ours:
            dist.destroy_process_group()


@contextmanager
def _started(size: int, device: str, work: Work) -> Iterator[Group]:
    """This process as the first of `size`, of which the others are started here; they end with the block."""
    context = torch.multiprocessing.get_context("spawn")
    said = context.SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="tabgan-") as folder:
        others = [
            context.Process(target=_other, args=(rank, size, device, folder, work, said), daemon=True)
            for rank in range(1, size)
        ]
        try:
            with _ignored(signal.SIGINT):  # as these inherit it: a terminal interrupts all processes of a command
                _start(others)
            _wait_for(others, folder)
            with _joined(device, **_meeting(0, size, folder)) as group:
                yield group
            for other in others:
                other.join()
        except ProcessError:
            if not all(other.pid for other in others):
                raise
            raise ProcessError(_why(others, said)) from None
        finally:
            for other in others:
                if other.pid is not None:
                    other.kill()
                    other.join()


def _other(rank: int, size: int, device: str, folder: str, work: Work, said: Any) -> None:
    """What a process that was started does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # the first process says them
    device = device if device == "cpu" else f"cuda:{rank}"
    try:
        Path(folder, str(rank)).touch()
        with one_thread(), _joined(device, **_meeting(rank, size, folder)) as group:
            work(history=History(None, None), checkpoint=Checkpoint(), device=device, group=group)
    except TabganError:
        sys.exit(1)  # the first process has it too
    except Exception as error:
        said.put((rank, f"met {type(error).__name__}: {' '.join(str(error).split())[:200]}"))
        sys.exit(1)


def _meeting(rank: int, size: int, folder: str) -> dict[str, Any]:
    # By a file: a port would be open to others.
    return {"init_method": Path(folder, "store").as_uri(), "rank": rank, "world_size": size}


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _start(others: Sequence[BaseProcess]) -> None:
    try:
        for other in others:
            other.start()
    except (RuntimeError, OSError) as error:  # no shared memory is left, or a script that a process reads starts others
        raise ProcessError(
            f"the processes of a fit cannot be started: {' '.join(str(error).split())[:120]} ... Give a container more "
            "shared memory (docker run --shm-size=4g); in a script fit under: if __name__ == '__main__':"
        ) from None


def _wait_for(others: Sequence[BaseProcess], folder: str) -> None:
    """Wait until the others have come as far as this process. Raises `ProcessError` if one does not."""
    for rank, other in enumerate(others, start=1):
        while not Path(folder, str(rank)).exists():
            if not other.is_alive():
                raise ProcessError
            time.sleep(0.02)


def _why(others: Sequence[BaseProcess], said: Any) -> str:
    """What became of the others, for an error."""
    until = time.monotonic() + LAST_WORDS
    for other in others:
        other.join(max(0.0, until - time.monotonic()))
    ends = {}
    for rank, other in enumerate(others, start=1):
        if other.exitcode is not None and other.exitcode < 0:
            ends[rank] = f"was killed ({signal.Signals(-other.exitcode).name}), perhaps for want of memory"
    while not said.empty():
        rank, why = said.get()
        ends[rank] = why
    if not ends:
        return (
            f"the {len(others) + 1} processes of the fit lost each other; a script that fits with devices must do so "
            "under: if __name__ == '__main__':"
        )
    rank = min(ends)
    return f"process {rank + 1} of {len(others) + 1} {ends[rank]}, and so the fit ends."


@contextmanager
def _ignored(*signals: signal.Signals) -> Iterator[None]:
    """Ignore `signals` inside the block; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
