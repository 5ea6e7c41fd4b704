"""Facts at work: columns that follow from others are taken out of a table before it is encoded, and put back after.

What a sum or a difference leaves over becomes a column of its own, and what always goes together is looked up. So the
networks learn only what is not certain, and the facts hold in every new row by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import pyarrow as pa

from tabgan.column import Column
from tabgan.encoding.derived import Derived
from tabgan.encoding.lookup import Lookup
from tabgan.encoding.order import in_order
from tabgan.facts import Fact, without_circles
from tabgan.schema import Schema


class Relations:
    """A table <-> a table without the columns that follow from others, and with what those leave over."""

    def __init__(self, schema: Schema, arrow_schema: pa.Schema) -> None:
        self.schema, self.arrow_schema = schema, arrow_schema
        self.facts = [fact for fact in schema.facts if fact.keep]
        derived = [fact for fact in self.facts if fact.derives]
        fixed = [fact for fact in self.facts if fact.kind == "fixed"]
        self._fixes = {fact.columns for fact in fixed}
        # A column is worked out after those that it follows from.
        self.steps = [self._step(fact) for fact in _in_turn(without_circles([*derived, *fixed], []))]
        names = {fact.column for fact in derived}
        orders = [fact for fact in self.facts if fact.kind == "order"]
        self.orders = [(fact.of[0], fact.column) for fact in orders if not names & set(fact.columns)]

    def _step(self, fact: Fact) -> Derived | Lookup:
        column, of = self.schema[fact.column], [self.schema[name] for name in fact.of]
        if not fact.derives:
            return Lookup(column, of, fact.part, dropped=fact.part is not None or self._is_twin(fact))
        others = [each for each in self.facts if each != fact]
        busy = {name for each in others for name in each.columns}
        orders = [(each.of[0], each.column) for each in others if each.kind == "order"]
        bounds = [(self.schema[low], "at_least") for low, high in orders if high == fact.column]
        bounds += [(self.schema[high], "at_most") for low, high in orders if low == fact.column]
        return Derived(
            fact,
            column,
            of,
            [self.schema[name] for name in fact.minus],
            names=self.schema.names,
            free=set(fact.columns) - busy,
            bounds=bounds,
        )

    def _is_twin(self, fact: Fact) -> bool:
        """Whether the fact's two columns fix each other, so that one of them says it all."""
        return len(fact.of) == 1 and fact.columns[::-1] in self._fixes

    def fit(self, table: pa.Table) -> Self:
        """Learn what to look up, and which columns the table is left with."""
        for step in self.steps:
            step.fit(table)
        self._set()
        return self

    def see(self, table: pa.Table) -> None:
        """Take account of more rows, after `fit` on some of them."""
        for step in self.steps:
            if isinstance(step, Lookup):
                step.see(table)

    def _set(self) -> None:
        by_name = {step.column.name: step for step in self.steps}
        self.columns_: list[tuple[Column, pa.DataType]] = []
        for column in self.schema:
            if column.kind == "drop":
                continue
            step = by_name.get(column.name)
            if isinstance(step, Derived):
                self.columns_ += step.parts_
            elif step is None or not step.dropped:
                self.columns_.append((column, self.arrow_schema.field(column.name).type))

    def reduce(self, table: pa.Table) -> pa.Table:
        """The columns of `columns_`."""
        cells = {name: table[name] for name in self.schema.kept}
        for step in self.steps:
            if isinstance(step, Derived):
                cells |= step.reduce(table)
        return pa.table({column.name: cells[column.name] for column, _ in self.columns_})

    def expand(self, cells: dict[str, pa.Array]) -> pa.Table:
        """Undo `reduce`: `cells` are the columns of `columns_`."""
        cells = in_order(cells, self.orders)
        for step in self.steps:
            step.expand(cells)
        return pa.Table.from_arrays([cells[name] for name in self.schema.kept], schema=self.arrow_schema)

    def works_out(self, name: str) -> bool:
        """Whether the column follows from others and a rest."""
        return any(isinstance(step, Derived) and step.column.name == name for step in self.steps)

    def agree(self, table: pa.Table, given: pa.Table) -> pa.Table:
        """`table` as `expand` gives it, but where a column that follows from others is `given` and one of these others
        is not, that one follows from it."""
        for step in reversed(self.steps):
            if isinstance(step, Derived):
                table = step.agree(table, given)
        return table

    @property
    def links(self) -> list[tuple[str, str]]:
        """Pairs of columns of `columns_` of which a cell is missing by rule, not by chance."""
        derived = [step for step in self.steps if isinstance(step, Derived)]
        # A column that is wholly worked out from others is missing where its rest is.
        stands_for = {step.column.name: step.rest for step in derived if not step.keeps_own_}
        return [(stands_for.get(a, a), stands_for.get(b, b)) for step in derived for a, b in step.links]

    def state(self) -> list[dict[str, Any]]:
        """What was learned, as JSON."""
        return [step.state() for step in self.steps]

    def restore(self, state: list[dict[str, Any]]) -> Self:
        """Undo `state`."""
        for step, each in zip(self.steps, state, strict=True):
            step.restore(each, self.arrow_schema)
        self._set()
        return self


def _in_turn(facts: Sequence[Fact]) -> list[Fact]:
    """Facts sorted so that each comes after those that work out its columns; there are no circles."""
    left, done = list(facts), []
    while left:
        waiting = {fact.column for fact in left}
        done += [fact for fact in left if not waiting.intersection(fact.columns[1:])]
        left = [fact for fact in left if waiting.intersection(fact.columns[1:])]
    return done
