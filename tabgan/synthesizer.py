"""`Synthesizer`: fit a table once, sample rows for ever. It joins the parts and holds no maths."""

from __future__ import annotations

import hashlib
import json
import operator
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from tabgan.card import last_figures, not_promised, of_privacy, of_schema
from tabgan.complete import Completion
from tabgan.conditions import Condition, conditions, narrowed
from tabgan.config import ModelConfig, TrainConfig
from tabgan.device import one_thread, pick_device
from tabgan.encoding.base import Draw
from tabgan.encoding.table import TableEncoder
from tabgan.engine import needed_ray
from tabgan.errors import ConfigError, ModelFileError, NotFittedError
from tabgan.learn import Learned, learn
from tabgan.modelfile import Content, arrow_from_text, arrow_to_text, read_model, write_model
from tabgan.private.budget import DELTA, Budget, Spending
from tabgan.private.learn import learn_privately
from tabgan.progress import Listener
from tabgan.sampling.chosen import CANDIDATES
from tabgan.sampling.sampler import rows_of
from tabgan.schema import Schema
from tabgan.schemafile import Wishes
from tabgan.stream import RowStream
from tabgan.tables import from_arrow, open_source, to_arrow
from tabgan.training.alarms import alarms
from tabgan.training.byray import trained_by_ray
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.fit import Networks, train
from tabgan.training.history import History
from tabgan.training.launch import Processes

TRIAL_ROWS = 8
"""Rows that are decoded to see whether a model file is whole."""
"""Rows that are decoded and handed on together."""


class Synthesizer:
    """Learns a table and makes new rows of it.

    >>> synthesizer = Synthesizer(seed=0).fit("orders.csv")
    >>> rows = synthesizer.sample(1_000)
    >>> synthesizer.save("orders.tabgan")
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        device: str = "auto",
        devices: int | None = None,
        time_limit: float | None = None,
        epsilon: float | None = None,
        delta: float = DELTA,
        model: ModelConfig | None = None,
        train: TrainConfig | None = None,
    ) -> None:
        """`devices`: processes of this machine that fit together, each on its own CUDA device or all on the CPU, to the
        model of one process up to rounding; by default one, or those that torchrun has started. `time_limit`: seconds
        that `fit` may take; without one training ends by itself, and only then is it the same from run to run.
        `epsilon`: promise (epsilon, delta)-differential privacy for each row; such a fit is never the same twice.
        Raises `ConfigError` for a device that is not there and for other settings outside their range."""
        if time_limit is not None and time_limit <= 0:
            raise ConfigError(f"time_limit is {time_limit}; use a number of seconds above 0, or None for no limit.")
        self.seed = seed
        self.time_limit = time_limit
        self.budget = None if epsilon is None else Budget(epsilon, delta)
        self.spending_: Spending | None = None
        self.model_config = model or ModelConfig()
        self.train_config = train or TrainConfig()
        self._processes, self._asked_device = Processes.planned(devices, pick_device(device)), device
        if self.budget is not None and self._processes.size > 1:
            raise ConfigError("a fit under epsilon works in one process: rows are to be asked once; use devices=1.")
        self.device_ = self._processes.device
        self._networks: Networks | None = None
        self._checkpoint = Checkpoint()

    def fit(
        self,
        data: Any,
        *,
        schema: Any = None,
        progress: Listener | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        engine: Literal["ray"] | None = None,
        workers: int | None = None,
    ) -> Self:
        """Learn the table in `data`: a path, a pandas or polars frame, or a pyarrow table.

        `schema` says what columns are, where it should not be inferred: a `Schema`, a YAML file of some columns and
        some of their settings, or the same as a dict, such as `{"columns": {"zip": {"kind": "category"}}}`. `progress`
        is called with a `Progress` now and then.

        `checkpoint`: a file in which the fit keeps every minute where it stands, and at Ctrl-C; `save` deletes it. With
        `resume` the fit goes on from that file, if it is there, and on a CPU without a time limit ends with the same
        model as one that was never interrupted. The time that it has taken counts for `time_limit`.

        `engine` "ray" trains by `workers` processes of a Ray cluster, by default one for each of its GPUs: the one that
        this process is connected to, else that of the environment variable RAY_ADDRESS, else one of this machine. The
        table is read and encoded here. The model is that of one process, to rounding.

        With `devices` above 1, a script calls this under `if __name__ == "__main__":`, since the processes that are
        started read it, too. Under torchrun each process calls it with the same arguments and gets the same model; the
        first alone reports progress and keeps the checkpoint.

        Raises `FileError`, `DataError` or `SchemaError` for tables that cannot be learned, `ConfigError` for a
        checkpoint of another table, schema, seed or settings, and `ProcessError` where one of several processes ends.
        """
        if engine not in (None, "ray"):
            raise ConfigError(f"engine is {engine!r}; use 'ray', or None to train in this process.")
        if engine is None and workers is not None:
            raise ConfigError("workers are those of an engine; use engine='ray' with them.")
        if engine is not None:
            needed_ray()
            if self._processes.size > 1:
                raise ConfigError("devices are of this machine and workers of Ray; with engine='ray' use workers.")
            if self.budget is not None or checkpoint is not None or resume:
                raise ConfigError("a fit by Ray has neither epsilon nor a checkpoint; leave them or engine out.")
        if self.budget is not None and (checkpoint is not None or resume):
            raise ConfigError("a fit under epsilon cannot be interrupted and go on; leave out checkpoint and resume.")
        if not self._processes.is_first:
            progress = checkpoint = None
        history = History(progress, self.time_limit)
        made_for = {"seed": self.seed, "device": torch.device(self.device_).type}
        made_for |= asdict(self.model_config) | asdict(self.train_config)
        self._checkpoint = Checkpoint(checkpoint, history, made_for, resume=resume)
        if not isinstance(schema, Schema):
            schema = Wishes.given(schema)
        source, kind = open_source(data)
        history.report("encode", 0, source.rows)
        if self.budget is None:
            learned = learn(source, schema, self.seed, lambda done, rows: history.report("encode", done, rows))
            self.rows_ = source.rows
        else:
            with one_thread():
                found = learn_privately(source, schema, self.budget, history, self.device_)
            learned, self.rows_, self.spending_ = found.learned, found.rows, found.spending
        self.schema, self._encoder, self._kind = learned.schema, learned.encoder, kind
        self.hash_ = _hash(learned)
        self._checkpoint.check_table(self.hash_)
        work = partial(
            train,
            torch.from_numpy(learned.codes),
            learned.encoder.codes,
            learned.impossible,
            self.model_config,
            self.train_config,
            seed=self.seed,
        )
        if engine == "ray":
            trained = trained_by_ray(work, workers, self._asked_device, history)
            self._networks, self.history_ = self._restored(trained.tensors, trained.rounds), trained.records
            return self
        with one_thread(), self._processes.together(work) as group, self._checkpoint.interrupts_wait():
            self._networks = work(history=history, checkpoint=self._checkpoint, device=self.device_, group=group)
        self.history_ = history.records
        return self

    @property
    def is_first_(self) -> bool:
        """Whether this process is the one that writes: always but in a fit of torchrun's processes."""
        return self._processes.is_first

    @property
    def rounds_(self) -> int:
        """Rounds in which a row is drawn by default."""
        return self._fitted().rounds

    @property
    def alarms_(self) -> list[str]:
        """What went wrong in `fit`, in words; empty if nothing did."""
        self._fitted()
        return alarms(self.history_)

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of the tables that `sample_tables` gives: that of the fitted table."""
        self._fitted()
        return self._encoder.arrow_schema

    def sample(
        self,
        n: int | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        given: Any = None,
        balance: str | Mapping[str, Mapping[Any, float]] | None = None,
        like: Any = None,
        strength: float = 0.3,
        seed: int | None = None,
        rounds: int | None = None,
    ) -> Any:
        """`n` new rows (by default as many as were fitted on), as a frame of the kind that was fitted on.

        `where`: conditions that every row fulfils, by column: a value, None for a missing cell, a list of values, or a
        tuple (low, high), of which an end may be None. `given`: a frame of some of the columns; one row is made for
        each of its rows, with these cells unchanged and its missing cells filled. `balance`: a column whose labels come
        equally often, or `{column: {label: share}}`. `like`: a frame of whole rows; the new ones are variations of
        them, in turn, of which each cell is kept with probability 1 - `strength`. The same `seed` (by default the
        synthesizer's own) gives the same rows, and a smaller sample is the start of a larger one. `rounds`: passes in
        which a row is drawn; fewer are faster, more are closer. Only with the default number rows are chosen among
        candidates, where the model does that.

        Raises `ConfigError` where no row can fulfil the conditions.
        """
        if given is not None:
            if n is not None:
                raise ConfigError("n and given exclude each other: there is one row for each given one.")
            return from_arrow(self.sample_given(given, where=where, seed=seed), self._kind)
        if like is not None:
            return from_arrow(self.sample_like(n, like, strength=strength, where=where, seed=seed), self._kind)
        n = self.rows_ if n is None else n
        tables = self.sample_tables(n, where=where, balance=balance, seed=seed, rounds=rounds)
        return from_arrow(pa.concat_tables(tables), self._kind)

    def sample_tables(
        self,
        n: int,
        *,
        where: Mapping[str, Any] | None = None,
        balance: str | Mapping[str, Mapping[Any, float]] | None = None,
        seed: int | None = None,
        rounds: int | None = None,
        shard: tuple[int, int] | None = None,
    ) -> Iterator[pa.Table]:
        """The rows of `sample` as Arrow tables of 32,768 rows, made one after the other: any `n` fits in memory.

        `shard`: (3, 16) makes the third of sixteen parts of the `n` rows. All parts, made anywhere and in any order,
        are the rows that `n` alone gives.
        """
        networks = self._fitted()
        if n < 1:
            raise ConfigError(f"n is {n}; ask for 1 row or more.")
        if rounds is not None and rounds < 1:
            raise ConfigError(f"rounds is {rounds}; use 1 or more, or None for the default of {networks.rounds}.")
        self._encoder.check_rows(n)
        rows = rows_of(n, *shard or (1, 1))
        if shard is not None and (balance is not None or self._encoder.unique):
            what = "--balance" if balance is not None else "columns that are unique together"
            raise ConfigError(f"rows cannot be made in shards with {what}: there a row depends on those before it.")
        seed = self.seed if seed is None else seed
        wanted = self._conditions(where or {})
        stream = RowStream(networks, self._encoder)
        drawn = sys.maxsize if self._encoder.unique else n  # where rows are left out, others are drawn
        if balance is not None:
            name, shares = self._shares(balance, wanted)
            streams = [self._conditions(narrowed(where or {}, name, value)) for value in shares]
            blocks = self._completion(rounds).balanced(drawn, streams, list(shares.values()), seed)
        elif wanted:
            blocks = self._completion(rounds).blocks(drawn, wanted, seed, rows.start)
        else:
            blocks = stream.drawn(drawn, rounds or networks.rounds, seed, rows.start)
        if self._encoder.unique:
            return stream.unique(n, blocks, wanted, seed, self._completion())
        return stream.tables(rows.stop, blocks, wanted, seed, rows.start)

    def sample_given(self, given: Any, *, where: Mapping[str, Any] | None = None, seed: int | None = None) -> pa.Table:
        """The rows of `sample(given=...)` as an Arrow table."""
        completion = self._completion()
        with one_thread():
            return completion.given(
                to_arrow(given)[0], self._conditions(where or {}), self.seed if seed is None else seed, complete=False
            )

    def impute(self, data: Any, *, m: int | None = None, seed: int | None = None) -> Any:
        """`data` with its missing cells filled by draws given the rest of their rows; all other cells stay untouched.

        `data` is a frame or a file with the columns of the fitted table. With `m`, a list of so many frames, filled by
        different draws (multiple imputation, Rubin 1987). Raises `SchemaError` for other columns or unseen labels.
        """
        if m is not None and m < 1:
            raise ConfigError(f"m is {m}; use 1 or more.")
        table, kind = to_arrow(data)
        completion, seed = self._completion(), self.seed if seed is None else seed
        with one_thread():
            filled = [
                from_arrow(completion.given(table, [], seed + i, complete=True).select(table.column_names), kind)
                for i in range(m or 1)
            ]
        return filled if m is not None else filled[0]

    def score_samples(self, data: Any) -> np.ndarray:
        """The log of the probability of each row of `data` under the model, `(rows,)`.

        Numbers and dates count by the bin or value of many rows that they fall in, so that it is a probability and no
        density. Columns that are made up do not count. Of a row with a label that the model does not know it is minus
        infinity. Raises `SchemaError` for other columns.
        """
        completion, table = self._completion(), to_arrow(data)[0]
        known = self._encoder.knows(table)
        found = np.full(table.num_rows, -np.inf)
        with one_thread():
            codes = self._encoder.encode(table.filter(pa.array(known)))
            found[known] = completion.log_probabilities(codes)
        return found

    def _completion(self, rounds: int | None = None) -> Completion:
        return Completion(self._fitted(), self._encoder, rounds)

    def _conditions(self, where: Mapping[str, Any]) -> list[Condition]:
        columns = [self.schema[name] for name in self.schema.kept]
        return conditions(where, columns, self._encoder.arrow_schema)

    def _shares(
        self, balance: str | Mapping[str, Mapping[Any, float]], wanted: Sequence[Condition]
    ) -> tuple[str, Mapping[Any, float]]:
        """The column to balance, and the share of each of its values that `wanted` allows."""
        if isinstance(balance, str):
            self.schema[balance]
            values = self._completion().values_of(balance, wanted)
            if not values:
                raise ConfigError(f"the conditions on column {balance!r} leave nothing to balance; widen them.")
            return balance, dict.fromkeys(values, 1.0)
        if len(balance) != 1:
            raise ConfigError(f"balance names {len(balance)} columns; name one.")
        name, shares = next(iter(balance.items()))
        if not shares or min(shares.values()) < 0 or not sum(shares.values()) > 0:
            raise ConfigError(f"the shares of {name!r} must be numbers of 0 and more, and one of them above 0.")
        return name, {value: share for value, share in shares.items() if share}

    def sample_like(
        self,
        n: int | None,
        like: Any,
        *,
        strength: float = 0.3,
        where: Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> pa.Table:
        """The rows of `sample(like=...)` as an Arrow table; by default as many as `like` has."""
        if not 0 <= strength <= 1:
            raise ConfigError(f"strength is {strength}; use a number from 0 (all cells stay) to 1 (none does).")
        completion, seed = self._completion(), self.seed if seed is None else seed
        table = to_arrow(like)[0]
        n = table.num_rows if n is None else n
        table = table.take(pa.array(np.arange(n) % table.num_rows))
        columns = {}
        for i, name in enumerate(table.column_names):
            if name not in self.schema.names or self.schema[name].is_learned:
                kept = np.random.default_rng([abs(seed), i, 4]).random(n) >= strength
                columns[name] = pc.if_else(pa.array(kept), table[name], pa.scalar(None, table[name].type))
        with one_thread():
            return completion.given(pa.table(columns), self._conditions(where or {}), seed, complete=False)

    def predict_proba(self, data: Any, column: str) -> pd.DataFrame:
        """The probability of each label of `column` given the other cells of each row, a column for each label.

        `data` has columns of the fitted table; of `column` itself nothing is read. Raises `ConfigError` for a column
        that has no labels, or more than fit one code (2,000).
        """
        completion = self._completion()
        self.schema[column]
        table = to_arrow(data)[0]
        with one_thread():
            found, labels = completion.probabilities(
                table.drop_columns(column) if column in table.column_names else table, column
            )
        return pd.DataFrame(found, columns=labels)

    def save(self, path: str | Path, *, force: bool = True) -> None:
        """Write the model to one `.tabgan` file, whole or not at all; `force=False` keeps an existing file.

        After a fit of torchrun's processes the first one writes, and the others do nothing."""
        networks = self._fitted()
        if not self._processes.is_first:
            return
        content = Content(
            tensors=networks.tensors(),
            schema={**self.schema.model_dump(), "arrow": arrow_to_text(self._encoder.arrow_schema)},
            encoders=self._encoder.state(),
            config={
                "seed": self.seed,
                "rows": self.rows_,
                "table": self.hash_,
                "rounds": networks.rounds,
                "kind": self._kind,
                "privacy": self.spending_.as_json() if self.spending_ else None,
                "model": asdict(self.model_config),
                "train": asdict(self.train_config),
            },
            history=self.history_,
        )
        write_model(path, content, force=force)
        self._checkpoint.remove()

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto") -> Synthesizer:
        """Read a file that `save` wrote, on any machine. Raises `FileError` or `ModelFileError`."""
        device = pick_device(device)
        content = read_model(path)
        try:
            config = content.config
            model, train = ModelConfig(**config["model"]), TrainConfig(**config["train"])
            found = cls(seed=operator.index(config["seed"]), device=device, devices=1, model=model, train=train)
            found.schema = Schema(columns=content.schema["columns"], facts=content.schema["facts"])
            found._encoder = TableEncoder(found.schema, arrow_from_text(content.schema["arrow"]))
            found._encoder.restore(content.encoders)
            found.rows_, found._kind, found.history_ = config["rows"], config["kind"], content.history
            found.hash_ = str(config.get("table", "unknown"))[:64]
            if config.get("privacy"):
                found.spending_ = Spending.restore(config["privacy"])
            found._networks = found._restored(content.tensors, config["rounds"])
            found._try_out()
        except Exception:  # whatever parts that do not fit each other make the code that reads them raise
            raise ModelFileError(f"{path} is damaged; write or copy it again.") from None
        return found

    def _restored(self, tensors: dict[str, torch.Tensor], rounds: int) -> Networks:
        return Networks.restore(
            tensors, self._encoder.codes, self.model_config, self.train_config, rounds, self.device_
        )

    def _try_out(self) -> None:
        """Describe the model and decode rows of random codes: what is wrong with its file shows here and not later."""
        self.describe()
        if not isinstance(self._kind, str) or operator.index(self.rows_) < 1:
            raise TypeError
        rng, sizes = np.random.default_rng(0), [code.cardinality for code in self._encoder.codes]
        codes = rng.integers(0, sizes, (TRIAL_ROWS, len(sizes)))
        self._encoder.decode(codes, Draw(np.arange(TRIAL_ROWS), rng.random(codes.shape), self.seed))

    def describe(self) -> dict[str, Any]:
        """The model card, for `tabgan info`: the table, the settings, the last figures, and what is not promised."""
        networks = self._fitted()
        return {
            "rows fitted on": self.rows_,
            "hash of the table": self.hash_,
            "seed": self.seed,
            "rounds by default": networks.rounds,
            "candidates for each row": 1 if networks.ratio is None else CANDIDATES,
            "weights": sum(tensor.numel() for name, tensor in networks.tensors().items() if "ratio." not in name),
            **of_schema(self.schema),
            "differential privacy": of_privacy(self.spending_),
            "alarms": self.alarms_ or "none",
            "model settings": asdict(self.model_config),
            "training settings": asdict(self.train_config),
            "last figures": last_figures(self.history_),
            "not promised": not_promised(self.rows_, self.spending_),
        }

    def _fitted(self) -> Networks:
        if self._networks is None:
            raise NotFittedError("the synthesizer has learned no table yet; call fit or load first.")
        return self._networks


def load(path: str | Path, *, device: str = "auto") -> Synthesizer:
    """Read a model file: `Synthesizer.load`."""
    return Synthesizer.load(path, device=device)


def _hash(learned: Learned) -> str:
    """A hash of a table as it is learned: of its codes, what they stand for, and its schema."""
    found = hashlib.sha256(np.ascontiguousarray(learned.codes).tobytes())
    found.update(json.dumps([learned.schema.model_dump(mode="json"), learned.encoder.state()]).encode())
    found.update(learned.encoder.arrow_schema.serialize())
    return found.hexdigest()
