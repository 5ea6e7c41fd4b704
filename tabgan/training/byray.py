"""A fit by the workers of a Ray cluster (Ray Train, extra `ray`), each on a part of every batch: see `parallel.py`.

What this process has encoded travels through Ray's object store, and the networks come back through a queue: no disk
has to be shared. Where a worker is lost, all begin again; they draw the same numbers and end with the same networks.
"""

from __future__ import annotations

import tempfile
import threading
from typing import Any, NamedTuple

from torch import Tensor
from torch import distributed as dist

from tabgan.device import one_thread
from tabgan.engine import connected, needed_ray
from tabgan.errors import ConfigError, ProcessError, TabganError
from tabgan.progress import Progress
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.history import History
from tabgan.training.launch import Work
from tabgan.training.parallel import ALONE, Group

RETRIES = 3
"""Times that a fit begins again when a worker is lost."""


class Found(NamedTuple):
    """What the first worker sends back."""

    tensors: dict[str, Tensor]
    rounds: int
    records: list[dict[str, Any]]


def trained_by_ray(work: Work, workers: int | None, device: str, history: History) -> Found:
    """Do `work` in `workers` processes of the cluster, by default one for each of its GPUs.

    Each takes a GPU, or with `device` "cpu" and where there are too few one core. Raises `ConfigError` without Ray and
    where the cluster has fewer cores than that, and what training raises.
    """
    ray = needed_ray()
    with connected(), tempfile.TemporaryDirectory() as folder:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
        from ray.util.queue import Queue

        there = ray.cluster_resources()
        gpus, cores = (int(there.get(name, 0)) for name in ("GPU", "CPU"))
        workers = max(1, gpus) if workers is None else workers
        if not 1 <= workers <= cores:
            raise ConfigError(f"workers is {workers}, and Ray has {cores} cores; use 1 to {cores}.")
        queue = Queue(actor_options={"num_cpus": 0})
        trainer = TorchTrainer(
            _loop,
            train_loop_config={"work": ray.put(work), "queue": queue, "seconds": history.left(1)},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=device != "cpu" and gpus >= workers),
            run_config=RunConfig(storage_path=folder, failure_config=FailureConfig(max_failures=RETRIES)),
        )
        relay = _Relay(queue, history)
        relay.start()
        try:
            trainer.fit()
        except Exception as error:
            raise ProcessError(f"the fit by Ray ended: {' '.join(str(error).split())[:200]}") from None
        finally:
            queue.put(None)
            relay.join()
            queue.shutdown()
    if isinstance(relay.result, Found):
        return relay.result
    raise relay.result


def _loop(config: dict[str, Any]) -> None:
    """What each worker does."""
    import ray
    import ray.train.torch

    queue, work = config["queue"], ray.get(config["work"])
    group = Group.joined() if dist.is_initialized() and dist.get_world_size() > 1 else ALONE
    history = History(queue.put if group.rank == 0 else None, config["seconds"])
    device = str(ray.train.torch.get_device())
    try:
        with one_thread():
            networks = work(history=history, checkpoint=Checkpoint(), device=device, group=group)
    except ProcessError:
        raise  # another worker was lost: Ray begins again
    except TabganError as error:
        queue.put(error)
        return
    if group.rank == 0:
        queue.put(Found(networks.tensors(), networks.rounds, history.records))


class _Relay(threading.Thread):
    """Takes from the queue what the workers tell, until there is None: progress, the result, or why there is none."""

    def __init__(self, queue: Any, history: History) -> None:
        super().__init__(daemon=True)
        self.result: Found | Exception = ProcessError("the workers of Ray ended without a result; see Ray's logs.")
        self._queue, self._history = queue, history

    def run(self) -> None:
        try:
            while (told := self._queue.get()) is not None:
                if isinstance(told, Progress):
                    self._history.relay(told)
                else:
                    self.result = told
        except Exception as error:  # of whoever listens
            self.result = error
