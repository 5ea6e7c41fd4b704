"""Rows under conditions and rows that are begun: what a synthesizer does beside drawing whole rows from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from tabgan.column import plain
from tabgan.conditions import Condition
from tabgan.encoding.base import Draw
from tabgan.encoding.category import CategoryEncoder
from tabgan.encoding.derived import Derived
from tabgan.encoding.lookup import Lookup
from tabgan.encoding.moved import Rows, moved
from tabgan.encoding.number import NumberEncoder
from tabgan.encoding.plan import Plan, plan
from tabgan.encoding.table import TableEncoder, filled
from tabgan.errors import ConfigError, SchemaError, meant, other_type, some_of
from tabgan.model.generator import Tables
from tabgan.sampling.conditioned import ConditionedSampler
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import Rounds
from tabgan.sampling.sampler import BLOCK_ROWS, spread_uniforms
from tabgan.training.fit import Networks

TRIES, MOST_TRIES = 20, 200
"""Blocks of rows that are drawn for one block, where conditions are on columns that follow from others: so many before
the nearest are moved, and so many before there seems to be no way."""
TOGETHER = 4_096
"""Rows of one pattern of known cells that are completed together."""


@dataclass
class Completion:
    """Draws rows from a fitted model given conditions, or given some of their cells."""

    networks: Networks
    encoder: TableEncoder
    rounds: int | None = None
    """Rounds in which free codes are drawn; by default the model's, and never so few that they are the game's."""

    def sampler(self, *, complete: bool = False) -> ConditionedSampler:
        """The sampler of the weights that know every conditional."""
        networks = self.networks
        rounds = self.rounds or max(networks.rounds, networks.game_rounds + 1)
        return ConditionedSampler(
            networks.conditional,
            networks.information,
            networks.exclusions,
            rounds,
            networks.ratio_of(rounds),
            complete=complete,
        )

    def blocks(self, rows: int, conditions: Sequence[Condition], seed: int, first: int = 0) -> Iterator[Rows]:
        """Codes and uniforms of rows `first`, where a block begins, to `rows`, in blocks of `BLOCK_ROWS` or fewer; all
        fulfil the `conditions`.

        Row i depends on `seed` and i alone. Raises `ConfigError` where no row fulfils them."""
        wanted, sampler = plan(self.encoder, conditions), self.sampler()
        for start in range(first, rows, BLOCK_ROWS):
            codes, uniforms = self._block(sampler, wanted, seed, start // BLOCK_ROWS)
            yield codes[: rows - start], uniforms[: rows - start]

    def _block(self, sampler: ConditionedSampler, wanted: Plan, seed: int, block: int, stream: int = 0) -> Rows:
        fitting: list[Rows] = []
        others: list[Rows] = []
        missing = BLOCK_ROWS
        for attempt in range(MOST_TRIES):
            codes = sampler.draw(BLOCK_ROWS, {}, wanted, keyed("where", seed, block, attempt, stream)).numpy()
            uniforms = np.random.default_rng([abs(seed), block, attempt, 1, stream]).random(codes.shape)
            uniforms = within(codes, uniforms, wanted)
            fits = self._fits(codes, uniforms, wanted, seed)
            fitting.append((codes[fits][:missing], uniforms[fits][:missing]))
            others.append((codes[~fits], uniforms[~fits]))
            missing -= len(fitting[-1][0])
            if not missing:
                return _joined(fitting)
            if attempt % TRIES == TRIES - 1:
                near = self._nearest(_joined(others), _joined(fitting), wanted, seed)
                if len(near[0]) >= missing:
                    return _joined([*fitting, (near[0][:missing], near[1][:missing])])
        names = ", ".join(sorted({repr(condition.column.name) for condition in wanted.conditions}))
        raise ConfigError(
            f"too few rows fulfil the conditions on {names}: in the table that the model was fitted on such values "
            "hardly meet, or never; widen the conditions, or drop one."
        )

    def _nearest(self, rows: Rows, fitting: Rows, wanted: Plan, seed: int) -> Rows:
        """Of rows that do not fulfil `wanted` those that can be moved to do so, the nearest first."""
        codes, uniforms, far = moved(self.encoder, rows, fitting, wanted, seed)
        fits = np.flatnonzero(self._fits(codes, uniforms, wanted, seed))
        nearest = fits[np.argsort(far[fits], kind="stable")]
        return codes[nearest], uniforms[nearest]

    def _fits(self, codes: np.ndarray, uniforms: np.ndarray, wanted: Plan, seed: int) -> np.ndarray:
        """Which rows fulfil all conditions once they are decoded."""
        table = self.encoder.decode(codes, Draw(np.arange(len(codes)), uniforms, seed), wanted.conditions)
        fits = np.ones(len(codes), dtype=bool)
        for condition in wanted.conditions:
            fits &= condition.allows(table[condition.column.name])
        return fits

    def balanced(
        self, rows: int, streams: Sequence[Sequence[Condition]], shares: Sequence[float], seed: int
    ) -> Iterator[Rows]:
        """As `blocks`, but each row fulfils the conditions of one of `streams`, and of each block `shares` of the rows
        those of each."""
        iterators = [self._rows(conditions, seed, i) for i, conditions in enumerate(streams)]
        edges = np.cumsum(shares) / np.sum(shares)
        for block, first in enumerate(range(0, rows, BLOCK_ROWS)):
            uniforms = spread_uniforms(BLOCK_ROWS, 1, keyed("balance", seed, block))[:, 0].numpy()
            which = np.minimum(np.searchsorted(edges, uniforms, side="right"), len(edges) - 1)[: rows - first]
            drawn = [next(iterators[stream]) for stream in which]
            yield np.stack([codes for codes, _ in drawn]), np.stack([uniform for _, uniform in drawn])

    def _rows(self, conditions: Sequence[Condition], seed: int, stream: int) -> Iterator[Rows]:
        wanted, sampler = plan(self.encoder, conditions), self.sampler()
        for block in count():
            codes, uniforms = self._block(sampler, wanted, seed, block, stream)
            yield from zip(codes, uniforms, strict=True)

    def values_of(self, name: str, conditions: Sequence[Condition]) -> list[Any]:
        """The few values of a column that can be balanced under `conditions`. Raises `ConfigError` for a column of
        many."""
        own = [condition for condition in conditions if condition.column.name == name]
        encoder, _ = self.encoder.places().get(name, (None, 0))
        if isinstance(encoder, CategoryEncoder):
            cells = pa.chunked_array([encoder.labels_])
            kept = np.all([np.ones(len(cells), dtype=bool), *(each.allows(cells) for each in own)], axis=0)
            return [str(label) for label in encoder.column.labels(cells)[kept]]
        if isinstance(encoder, NumberEncoder) and encoder.scale_.is_atom.all():
            values = encoder.scale_.knots[:, 0]
            kept = np.all([np.ones(len(values), dtype=bool), *(each.allows_numbers(values) for each in own)], axis=0)
            numbers: list[Any] = values[kept].tolist()
            return numbers
        raise ConfigError(
            f"column {name!r} has no few values to balance; give shares of some of its values, as in "
            "balance={column: {value: share}}."
        )

    def given(
        self, table: pa.Table, conditions: Sequence[Condition], seed: int, *, complete: bool, first: int = 0
    ) -> pa.Table:
        """`table` with all columns of the model: its cells stay as they are, missing ones and columns are filled.

        `complete`: whether no missing cell is drawn; `first`: the number of the first row."""
        begun = self._whole(table)
        codes = self.encoder.encode(begun)
        known = self._known(begun)
        wanted, sampler = plan(self.encoder, conditions), self.sampler(complete=complete)
        made = np.empty_like(codes)
        for pattern, rows in _patterns(known):
            cells = {int(code): torch.from_numpy(codes[rows, code]) for code in np.flatnonzero(pattern)}
            rng = keyed("given", seed, pattern.tobytes().hex(), first + int(rows[0]))
            made[rows] = sampler.draw(len(rows), cells, wanted, rng).numpy()
        uniforms = within(made, np.random.default_rng([abs(seed), 3, first]).random(made.shape), wanted)
        return self.encoder.decode(
            made, Draw(np.arange(first, first + len(made)), uniforms, seed), wanted.conditions, begun
        )

    def _whole(self, table: pa.Table) -> pa.Table:
        """The columns of the model, missing where `table` lacks them; twins of its columns worked out."""
        schema = self.encoder.arrow_schema
        for name in table.column_names:
            if name not in schema.names:
                hint = meant(name, schema.names, f"; it has {some_of(schema.names)}.")
                raise SchemaError(f"the model has no column {name!r}{hint}")
        columns = {
            field.name: _cast(table[field.name], field)
            if field.name in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        }
        for step in self.encoder.relations.steps:
            if isinstance(step, Lookup) and step.dropped and step.part is None and len(step.of) == 1:
                base = step.of[0].name
                at = pc.index_in(plain(pa.chunked_array([columns[step.column.name]])).combine_chunks(), step.values_)
                keys = step.keys_[0].take(pa.array(step.cells_[np.asarray(pc.fill_null(at, 0))]))
                told = pc.if_else(pc.is_valid(at), keys, pa.scalar(None, keys.type))
                columns[base] = filled(pa.chunked_array([columns[base]]), told.cast(columns[base].type))
        return pa.Table.from_arrays(list(columns.values()), schema=schema)

    def _known(self, begun: pa.Table) -> np.ndarray:
        """Which codes follow from the cells that are there, `(rows, codes)` bool."""
        there = {name: ~np.asarray(pc.is_null(plain(begun[name]))) for name in begun.column_names}
        derived = {
            name: step.needs
            for step in self.encoder.relations.steps
            if isinstance(step, Derived)
            for name in (step.rest, step.column.name)
        }
        known = []
        for encoder in self.encoder.encoders:
            name = encoder.column.name
            needs = derived.get(name, [name])
            known += [np.all([there[each] for each in needs], axis=0)] * len(encoder.codes_)
        return np.column_stack(known) if known else np.zeros((begun.num_rows, 0), dtype=bool)

    @torch.inference_mode()
    def probabilities(self, table: pa.Table, name: str) -> tuple[np.ndarray, list[Any]]:
        """Of each label of a column given the other cells of each row, `(rows, labels)`, and the labels.

        Raises `ConfigError` for a column without labels, or of more than fit one code."""
        encoder, code = self.encoder.places().get(name, (None, 0))
        if not isinstance(encoder, CategoryEncoder) or len(encoder.codes_) != 1:
            raise ConfigError(f"column {name!r} has no labels of its own to give probabilities of.")
        begun = self._whole(table)
        codes, known = self.encoder.encode(begun), self._known(begun)
        tables = Tables(self.networks.conditional, torch.float32)
        device = tables.nothing.device
        found = np.empty((len(codes), encoder.codes_[0].cardinality - 1))
        for pattern, rows in _patterns(known):
            cells = {int(i): torch.from_numpy(codes[rows, i]).to(device) for i in np.flatnonzero(pattern) if i != code}
            walk = Rounds(tables, self.networks.exclusions, known=cells)
            walk.look()
            found[rows] = walk.logits(code)[:, 1:].softmax(dim=1).cpu().numpy()
        told = np.flatnonzero(known[:, code] & (codes[:, code] > 0))  # by a column that says the same
        found[told] = np.eye(found.shape[1])[codes[told, code] - 1]
        return found, encoder.labels_.to_pylist()

    @torch.inference_mode()
    def log_probabilities(self, codes: np.ndarray) -> np.ndarray:
        """The log of the probability of each row of codes, `(rows,)`, by the chain rule, a code after the other."""
        networks = self.networks
        if not codes.shape[1]:  # nothing but keys and constants
            return np.zeros(len(codes))
        tables = Tables(networks.conditional, torch.float32)
        found = [np.zeros(0)]
        for block in torch.from_numpy(codes).long().to(tables.nothing.device).split(TOGETHER):
            walk = Rounds(tables, networks.exclusions)
            total = torch.zeros(len(block), device=block.device)
            for code in range(block.shape[1]):
                walk.look()
                logs = walk.logits(code).log_softmax(dim=1).expand(len(block), -1)
                total += logs.gather(1, block[:, code : code + 1]).squeeze(1)
                walk.put(code, block[:, code])
            found.append(total.cpu().double().numpy())
        return np.concatenate(found)


def _joined(blocks: Sequence[Rows]) -> Rows:
    return np.concatenate([codes for codes, _ in blocks]), np.concatenate([uniforms for _, uniforms in blocks])


def _patterns(known: np.ndarray) -> Iterator[Rows]:
    """The patterns of known codes in `(rows, codes)` bool, and the rows of each, `TOGETHER` at most at a time."""
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == number)
        for start in range(0, len(rows), TOGETHER):
            yield pattern, rows[start : start + TOGETHER]


def within(codes: np.ndarray, uniforms: np.ndarray, wanted: Plan) -> np.ndarray:
    """`uniforms` squeezed to where the conditions allow a bin's values."""
    for code, ends in wanted.within.items():
        low, high = ends[codes[:, code]].T
        uniforms[:, code] = np.minimum(low + (high - low) * uniforms[:, code], np.nextafter(1.0, 0.0))
    return uniforms


def _cast(cells: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    if cells.type == field.type:
        return cells.combine_chunks()
    try:
        values = plain(cells).combine_chunks()
        if pa.types.is_dictionary(field.type):
            return values.cast(field.type.value_type).dictionary_encode().cast(field.type)
        return values.cast(field.type)
    except pa.ArrowException:
        raise other_type(field.name, cells.type, field.type) from None
