"""The rows of a fitted model as a stream of tables: blocks of codes are drawn, and some at a time are decoded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tabgan.complete import Completion
from tabgan.composite import unique_tables
from tabgan.conditions import Condition
from tabgan.device import one_thread
from tabgan.encoding.base import Draw
from tabgan.encoding.table import TableEncoder
from tabgan.sampling.sampler import BLOCK_ROWS
from tabgan.training.fit import Networks

SLAB_ROWS = 64 * BLOCK_ROWS

Blocks = Iterator[tuple[np.ndarray, np.ndarray]]
"""Codes and the uniforms that place values within them, `(BLOCK_ROWS or fewer, codes)` each."""


@dataclass(frozen=True)
class RowStream:
    """Makes tables of rows from networks and the encoder of their codes; row i depends on the seed and i alone."""

    networks: Networks
    encoder: TableEncoder

    def drawn(self, n: int, rounds: int, seed: int, begin: int) -> Blocks:
        """Rows `begin` to `n` from nothing."""
        if self.encoder.codes:
            blocks = (codes.numpy() for codes in self.networks.sampler(rounds).blocks(n, rounds, seed, begin))
        else:  # nothing but keys and constants
            blocks = (np.zeros((min(BLOCK_ROWS, n - first), 0), np.int64) for first in range(begin, n, BLOCK_ROWS))
        per_slab = SLAB_ROWS // BLOCK_ROWS
        slab, skipped = divmod(begin // BLOCK_ROWS, per_slab)
        rng = np.random.default_rng([abs(seed), slab])
        rng.random((skipped * BLOCK_ROWS, len(self.encoder.codes)))  # those of the slab's earlier blocks
        for block, codes in enumerate(blocks, start=begin // BLOCK_ROWS):
            slab, place = divmod(block, per_slab)
            if place == 0:
                rng = np.random.default_rng([abs(seed), slab])
            yield codes, rng.random(codes.shape)

    def tables(
        self, n: int, blocks: Blocks, wanted: Sequence[Condition], seed: int, begin: int = 0, slab: int | None = None
    ) -> Iterator[pa.Table]:
        """Rows `begin` to `n`, which `blocks` give, as tables of about `slab` rows."""
        per_slab = -(-(slab or SLAB_ROWS) // BLOCK_ROWS) * BLOCK_ROWS
        for first in range(begin, n, per_slab):
            rows = min(per_slab, n - first)
            with one_thread():
                parts = [next(blocks) for _ in range(-(-rows // BLOCK_ROWS))]
            codes, uniforms = (np.concatenate(each) for each in zip(*parts, strict=True))
            yield self.encoder.decode(codes, Draw(np.arange(first, first + rows), uniforms, seed), wanted)
        if begin == n:
            yield self.encoder.arrow_schema.empty_table()  # more shards than blocks

    def unique(
        self, n: int, blocks: Blocks, wanted: list[Condition], seed: int, completion: Completion
    ) -> Iterator[pa.Table]:
        """`n` rows of `blocks`, which never end, in which composite keys are unique."""

        def completed(begun: pa.Table, first: int) -> pa.Table:
            with one_thread():
                return completion.given(begun, wanted, seed, complete=False, first=first)

        tables = self.tables(sys.maxsize, blocks, wanted, seed, slab=min(SLAB_ROWS, n))
        return unique_tables(n, tables, self.encoder.unique_rows(wanted, seed), completed)
