"""Where a fit stands, in one file beside the model: a fit that was interrupted goes on from it to the same end.

The file is safetensors, with what is no tensor as JSON in its header: no pickle, nothing in it is executed. It appears
whole or not at all, so that it can be read whenever the fit is killed.
"""

from __future__ import annotations

import copy
import glob
import json
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from tabgan.errors import ConfigError, FileError
from tabgan.tables.files import WholeFile, check_output
from tabgan.training.average import Network
from tabgan.training.history import History
from tabgan.training.parallel import Group

EVERY_SECONDS = 60.0
"""So long between two checkpoints."""
FORMAT = 7
"""Rises when a state would be misread by older code."""
DAMAGED = (safetensors.SafetensorError, OSError, ValueError, LookupError, TypeError, RecursionError)

State = dict[str, Any]
"""Dicts, lists, tensors, text, numbers and None, one in the other."""


class Checkpoint:
    """Keeps what stages of a fit have reached; without a path it keeps nothing."""

    def __init__(
        self,
        path: str | Path | None = None,
        history: History | None = None,
        made_for: Mapping[str, Any] | None = None,
        *,
        resume: bool = False,
    ) -> None:
        """`made_for`: the settings that must be the same for the fit to go on, as JSON would give them back.

        With `resume` a file at `path` is read and `history` gets its records and its time; without one the fit begins.
        Raises `FileError` for a file that may not be replaced or is damaged, `ConfigError` for one of other settings.
        """
        self._path = None if path is None else Path(path)
        self._history = history or History(None, None)
        self._made_for: State = {"format": FORMAT, **(made_for or {})}
        self._results: dict[str, State] = {}
        self._stage, self._state = "", State()
        self._kept = time.monotonic()
        self._signal: int | None = None
        if self._path is None:
            return
        check_output(self._path, force=True, endings=())
        if self._path.exists():
            if not resume:
                raise FileError(
                    f"{self._path} holds a fit that was interrupted; go on with it by --resume (in Python: "
                    "resume=True), or start anew with --force (in Python: delete it)."
                )
            self._read(self._path)

    def check_table(self, table: str) -> None:
        """Raise `ConfigError` where the file was made from another table; `table` is a hash of what is learned."""
        if self._made_for.setdefault("table", table) != table:
            raise ConfigError(
                f"{self._path} was made from another table or schema; fit these again, or start anew with --force "
                "(in Python: delete it)."
            )

    def join(self, group: Group) -> None:
        """Go on from where the first process of `group` does."""
        where = self._results, self._stage, self._state
        self._results, self._stage, self._state = group.told(lambda: where)

    def state(self, stage: str) -> State | None:
        """How far the stage had come; None if it has to begin."""
        return self._state if self._stage == stage else None

    def result(self, stage: str) -> State | None:
        """What the stage ended with; None if it has not ended."""
        return self._results.get(stage)

    def finish(self, stage: str, result: State) -> None:
        """Take what the stage ended with."""
        self._results[stage] = result
        self._stage, self._state = "", State()

    def once(self, stage: str, like: Network, run: Callable[[], Network]) -> Network:
        """What the stage gives, a network `like` another: by `run`, or as it was given before an interrupt."""
        state = self.result(stage)
        if state is None:
            found = run()
            self.finish(stage, found.state_dict())
            return found
        found = copy.deepcopy(like).requires_grad_(False)
        found.load_state_dict(state)
        return found

    def keep(self, stage: str, state: Callable[[], State]) -> None:
        """Write `state` if it is time to, or if an interrupt waits, which then comes. Call it at the end of a step."""
        if self._path is None:
            return
        if self._signal is None and time.monotonic() - self._kept < EVERY_SECONDS:
            return
        try:
            self._write(self._path, stage, state())
        except FileError as error:
            warnings.warn(f"{error} The fit goes on and is kept as it was the last time, if at all.", stacklevel=2)
        self._kept = time.monotonic()
        if self._signal is not None:
            number, self._signal = self._signal, None
            signal.raise_signal(number)

    def remove(self) -> None:
        """Delete the file, and what a fit left that was killed while it wrote one: the model is safe elsewhere."""
        if self._path is not None:
            for path in (self._path, *self._path.parent.glob(f".{glob.escape(self._path.name)}.*.part")):
                path.unlink(missing_ok=True)

    @contextmanager
    def interrupts_wait(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM wait for the end of the step inside, so that what is kept is whole; a second one does
        not wait."""
        if self._path is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def wait(number: int, frame: FrameType | None) -> None:
            self._signal = number
            restore()

        for each in before:
            signal.signal(each, wait)
        try:
            yield
        finally:
            restore()
        if self._signal is not None:
            number, self._signal = self._signal, None
            signal.raise_signal(number)

    def _write(self, path: Path, stage: str, state: State) -> None:
        tensors: dict[str, Tensor] = {}
        whole = {
            "made_for": self._made_for,
            "seconds": self._history.elapsed,
            "records": self._history.records,
            "results": _packed(self._results, tensors),
            "stage": stage,
            "state": _packed(state, tensors),
        }
        with WholeFile(path) as file:
            file.write(safetensors.torch.save(tensors, metadata={"fit": json.dumps(whole)}))

    def _read(self, path: Path) -> None:
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                whole = json.loads(file.metadata()["fit"])
                # Copies: a view into the file need not lie where the processor reads fastest.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            made_for, seconds, records = whole["made_for"], float(whole["seconds"]), list(whole["records"])
            results, state = _unpacked(whole["results"], tensors), _unpacked(whole["state"], tensors)
            stage = str(whole["stage"])
        except DAMAGED:
            raise FileError(f"{path} is no checkpoint of a fit, or it is damaged; delete it and fit anew.") from None
        for name, now in self._made_for.items():
            if made_for.get(name) != now:
                raise ConfigError(
                    f"{path} was made with {name} {made_for.get(name)}, and this fit has {now}; give it the same, or "
                    "start anew with --force (in Python: delete it)."
                )
        self._made_for, self._results, self._stage, self._state = made_for, results, stage, state
        self._history.go_on(records, seconds)


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """`value` as JSON, with its tensors moved to `tensors`. Dicts become lists of pairs: their keys may be numbers."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"items": [[key, _packed(each, tensors)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        return [_packed(each, tensors) for each in value]
    return value


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `_packed`."""
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _unpacked(each, tensors) for key, each in value["items"]}
    if isinstance(value, list):
        return [_unpacked(each, tensors) for each in value]
    return value
